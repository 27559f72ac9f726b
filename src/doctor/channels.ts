/** Does everybody who is to be told still answer? Connects to them, and sends nothing (`notify/probe.ts`). */
import type { Context } from '../core/context.ts'
import { type ProjectPolicies, policyOf } from '../lifecycle/status/gap-facts.ts'
import { channelsOf } from '../monitor/channels.ts'
import { type ChannelProbe, probeChannels } from '../notify/probe.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { Finding } from './types.ts'

export async function channelFindings(
  ctx: Context,
  project: Project,
  store: Store,
  models: readonly string[],
  policies: ProjectPolicies,
  offline: boolean,
): Promise<readonly Finding[]> {
  const users = new Map<string, Set<string>>()
  for (const model of models) {
    const told = [...(await channelsOf(project, store, model)), ...(policyOf(policies, model)?.notifyOnFail ?? [])]
    for (const channel of told) users.set(channel, (users.get(channel) ?? new Set()).add(model))
  }
  const channels = [...users.keys()]
  if (channels.length === 0) return []
  ctx.progress?.(`asking ${channels.length} channel${channels.length === 1 ? '' : 's'}`)
  const probes = await probeChannels(ctx, channels, { root: project.root, offline })
  return probes.map((probe, at) => findingOf(probe, [...(users.get(channels[at] ?? '') ?? [])]))
}

function findingOf({ channel, answers, why, missing }: ChannelProbe, models: readonly string[]): Finding {
  const model = models.length === 1 ? (models[0] ?? null) : null
  const common = { area: 'channels', model } as const
  if (answers === true) return { ...common, severity: 'good', summary: `${channel} answers`, next: null }
  if (answers === null) {
    return { ...common, severity: 'unknown', summary: `${channel} was not asked (--offline)`, next: 'mlops doctor' }
  }
  const next =
    missing === null ? `mlops notify test ${model === null ? channel : `--model ${model}`}` : `export ${missing}=…`
  return { ...common, severity: 'bad', summary: `${channel} does not answer: ${why ?? 'unknown'}`, next }
}
