/** The command to type after a check of a window of the prediction log; data that a person named is `summary.ts`'s. Pure. */
import { versionName } from '../core/names.ts'
import { brokenColumnsCommand } from '../core/next-command.ts'
import { nextStep } from '../drift/summary.ts'
import type { CheckResult } from '../drift/types.ts'
import { WEEK } from '../project/duration.ts'
import { describeLength } from './window.ts'

export function nextOf(check: CheckResult): string {
  const { model, version, window, verdict, health, quality } = check
  const name = versionName(model, version)
  if (window === undefined) return nextStep(check)
  const span = { since: Date.parse(window.since), until: Date.parse(window.until) }
  const isBroken = check.columns.some((column) => column.verdict === 'broken')
  const named = `--since ${window.since} --until ${window.until}`
  if (verdict === 'drift') {
    const reason = `--reason "drift in ${describeLength(span)} to ${window.until.slice(0, 10)}"`
    return isBroken ? brokenColumnsCommand(name) : `mlops retrain ${model} ${reason}`
  }
  if (health?.verdict === 'breach') return `mlops predictions stats ${model} ${named}`
  if (quality?.verdict === 'breach')
    return `mlops retrain ${model} --reason "${quality.metrics.find((each) => each.verdict === 'breach')?.metric ?? 'quality'} fell"`
  if (verdict === 'stable') return `mlops status ${model}`
  // Nobody asks this version: a longer window of silence says no more, but who answered does.
  if (check.current.rows === 0) return `mlops predictions stats ${model} ${check.leftOut ? named : '--window 30d'}`
  return `mlops drift ${name} --window ${Math.max(2, Math.ceil((2 * (span.until - span.since)) / WEEK))}w`
}

/** What is not as it should be, whatever of it: these answer no, and each is an alert of its own. */
export const breachesOf = (check: Pick<CheckResult, 'verdict' | 'health' | 'quality'>) => ({
  drift: check.verdict === 'drift',
  health: check.health?.verdict === 'breach',
  quality: check.quality?.verdict === 'breach',
})

export const isBreached = (check: Pick<CheckResult, 'verdict' | 'health' | 'quality'>): boolean =>
  Object.values(breachesOf(check)).some(Boolean)
