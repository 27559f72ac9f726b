/**
 * What running services make of their stages: one that keeps another version, or answers nothing, is broken however sound
 * everything else is. From their own words, as `status` has them. Pure.
 */
import { versionName } from '../core/names.ts'
import type { Service } from '../lifecycle/serving/services.ts'
import type { ModelStatus } from '../lifecycle/status/model-status.ts'
import type { Finding } from './types.ts'

/** One for each stage that a service speaks of. */
export function serviceFindings({ model, served }: Pick<ModelStatus, 'model' | 'served'>): Finding[] {
  return served.map(({ stage, version, services, mismatch, outage, remedy }): Finding => {
    const wanted = versionName(model, version)
    const found = { area: 'services', model } as const
    const others = services.filter(({ verdict }) => verdict !== 'follows').map((each) => saysOf(model, each))
    if (outage) {
      const summary = `nobody serves ${wanted}, to which ${stage} points: ${others.join('; ')}`
      return { ...found, severity: 'bad', summary, next: remedy?.command ?? null }
    }
    if (mismatch) {
      const summary = `${stage} points to ${wanted}, and not every service answers with it: ${others.join('; ')}`
      return { ...found, severity: 'bad', summary, next: remedy?.command ?? null }
    }
    if (others.length > 0) {
      const summary = `${wanted} is served in ${stage}, but not by all as it should be: ${others.join('; ')}`
      return { ...found, severity: 'warn', summary, next: null }
    }
    const summary = `${wanted} is served in ${stage} by ${services.length === 1 ? '1 service' : `${services.length} services`}`
    return { ...found, severity: 'good', summary, next: null }
  })
}

function saysOf(model: string, { instance, host, version, verdict, why }: Service): string {
  const answers = version === null ? 'nothing' : versionName(model, version)
  const said = {
    follows: `serves ${answers}`,
    keeps: `keeps serving ${answers}`,
    behind: `serves ${answers} and has not read the change yet`,
    starting: `serves ${answers}`,
    silent: `served ${answers} and has stopped saying that it runs`,
  }
  return `${instance} on ${host} ${said[verdict]}${why === null ? '' : ` (${why})`}`
}
