/** What a retraining answers, and the notes that go with it. The wording for people is in `src/ui/views/retrain.ts`. */

import { promotionCommand } from '../core/next-command.ts'
import { shellWord } from '../core/shell.ts'
import type { VersionDiff } from '../lifecycle/diff.ts'
import type { GateResult } from '../store/events.ts'
import type { JobEnd } from './job-log.ts'
import type { RetrainPlan } from './plan.ts'

export interface RetrainResult {
  /** `blocked`: the trigger fires, but the last retraining for it failed or was rejected; exit code 3. */
  readonly outcome: 'promoted' | 'refused' | 'unchanged' | 'nothing to do' | 'blocked' | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  readonly model: string
  readonly plan: RetrainPlan
  readonly run: { readonly id: string; readonly metrics: Readonly<Record<string, number | string>> } | null
  readonly version: number | null
  readonly gate: GateResult | null
  /** Against the version that was in the stage. */
  readonly changes: VersionDiff | null
  readonly stage: string
  /** Of `notify_on_fail`; `why` is null for a channel that took the message. `print` is what `stdout` was to get. */
  readonly notifications: readonly {
    readonly channel: string
    readonly sent: boolean
    readonly why: string | null
    readonly print?: string
  }[]
  /** One sentence. */
  readonly message: string
  /** The command to type next. */
  readonly next: string
}

type Partly = Pick<RetrainResult, 'outcome' | 'message'> &
  Partial<Pick<RetrainResult, 'run' | 'version' | 'gate' | 'changes' | 'repeated'>>

export function resultOf(plan: RetrainPlan, part: Partly, sent: RetrainResult['notifications'] = []): RetrainResult {
  const base = { repeated: false, run: null, version: null, gate: null, changes: null, ...part }
  return { ...base, model: plan.model, plan, stage: plan.stage, notifications: sent, next: nextCommand(plan, base) }
}

/** The first result of an operation that is asked for again. */
export function repeatedResult(plan: RetrainPlan, end: JobEnd): RetrainResult {
  const { version, gate, message } = end
  const run = end.run === null ? null : { id: end.run, metrics: {} }
  const outcome = end.outcome === 'promoted' || end.outcome === 'unchanged' ? end.outcome : 'refused'
  return resultOf(plan, { outcome, version, gate, message, run, repeated: true })
}

function nextCommand(plan: RetrainPlan, { outcome, version }: Pick<RetrainResult, 'outcome' | 'version'>): string {
  const { model, blocked } = plan
  switch (outcome) {
    case 'promoted':
      return promotionCommand(`${model}@${version}`, 'production')
    case 'refused':
    case 'unchanged':
      return `mlops model show ${model}@${version}`
    case 'planned':
      return plan.decision === 'retrain' ? plannedCommand(plan) : (blocked?.hint ?? `mlops status ${model}`)
    default:
      return blocked?.hint ?? `mlops status ${model}`
  }
}

/** A plan that needs a reason is carried out with that reason. */
function plannedCommand({ model, reason }: RetrainPlan): string {
  return reason === null ? `mlops retrain ${model}` : `mlops retrain ${model} --reason ${shellWord(reason)}`
}
