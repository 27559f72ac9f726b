/** What a retraining answers, and the notes that go with it. The wording for people is in `src/ui/views/retrain.ts`. */

import { promotionCommand } from '../core/next-command.ts'
import { redactArguments, redactText } from '../core/redact.ts'
import { shellWord } from '../core/shell.ts'
import type { VersionDiff } from '../lifecycle/versions/diff.ts'
import type { GateResult } from '../store/events.ts'
import type { JobEnd } from './job-records.ts'
import type { RetrainPlan } from './plan.ts'
import { isIndispensable } from './preflight.ts'

export interface RetrainResult {
  /**
   * `blocked`: the trigger fires, but the last retraining for it failed or was rejected. `due`: it fires, and the policy
   * leaves the rest to a person. `dispatched`: a workflow is at it, and nobody waits. The first two: exit code 3.
   */
  readonly outcome:
    | 'promoted'
    | 'refused'
    | 'unchanged'
    | 'nothing to do'
    | 'blocked'
    | 'due'
    | 'dispatched'
    | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  readonly model: string
  readonly plan: RetrainPlan
  readonly run: { readonly id: string; readonly metrics: Readonly<Record<string, number | string>> } | null
  /** Of a job on GitHub Actions. */
  readonly workflow: { readonly runId: number | null; readonly runUrl: string | null } | null
  readonly version: number | null
  readonly gate: GateResult | null
  /** Against the version that was in the stage. */
  readonly changes: VersionDiff | null
  readonly stage: string
  /** What became of the way into production, at autonomy level 3; null otherwise. */
  readonly production: {
    /** `not earned`: the track record does not suffice; the candidate waits for a person. */
    readonly outcome: 'promoted' | 'refused' | 'not earned'
    readonly why: string | null
    /** A sentence each. */
    readonly missing: readonly string[]
    readonly gate: GateResult | null
  } | null
  /** Of `notify_on_fail` and `notify_on_pass`; `why` is null for a channel that took the message. `print` is what `stdout` was to get. */
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
  Partial<Pick<RetrainResult, 'run' | 'workflow' | 'version' | 'gate' | 'changes' | 'repeated' | 'production'>>

const NOTHING = {
  repeated: false,
  run: null,
  workflow: null,
  version: null,
  gate: null,
  changes: null,
  production: null,
} as const

export function resultOf(plan: RetrainPlan, part: Partly, sent: RetrainResult['notifications'] = []): RetrainResult {
  const { outcome, message } = part
  const { repeated, run, workflow, version, gate, changes, production } = { ...NOTHING, ...part }
  const next = nextCommand(plan, { outcome, version, production })
  const base = { outcome, message, repeated, run, workflow, version, gate, changes, production }
  return { ...base, model: plan.model, plan: shown(plan), stage: plan.stage, notifications: sent, next }
}

/** The plan as it may be printed: a training command may hold a password. */
function shown(plan: RetrainPlan): RetrainPlan {
  const { job } = plan
  if (job.type !== 'command') return plan
  return { ...plan, job: { ...job, command: redactText(job.command), words: redactArguments(job.words) } }
}

/** The first result of an operation that is asked for again. */
export function repeatedResult(plan: RetrainPlan, end: JobEnd): RetrainResult {
  const { version, gate, message } = end
  const run = end.run === null ? null : { id: end.run, metrics: {} }
  const workflow = end.workflow === undefined ? null : { runId: null, runUrl: end.workflow }
  const outcome = end.outcome === 'promoted' || end.outcome === 'unchanged' ? end.outcome : 'refused'
  return resultOf(plan, { outcome, version, gate, message, run, workflow, repeated: true })
}

function nextCommand(
  plan: RetrainPlan,
  { outcome, version, production }: Pick<RetrainResult, 'outcome' | 'version' | 'production'>,
): string {
  const { model, command, blocked } = plan
  switch (outcome) {
    case 'promoted':
      if (production?.outcome === 'promoted') return `mlops status ${model}`
      if (production?.outcome === 'refused') return `mlops model show ${model}@${version}`
      return promotionCommand(`${model}@${version}`, 'production', plan.approvals)
    case 'refused':
    case 'unchanged':
      return `mlops model show ${model}@${version}`
    case 'dispatched':
      return command
    case 'due':
      return `${command} --reason TEXT`
    case 'planned':
      return plannedCommand(plan)
    default:
      return blocked?.hint ?? `mlops status ${model}`
  }
}

/** A plan that needs a reason is carried out with that reason. */
function plannedCommand(plan: RetrainPlan): string {
  const { model, command, reason, decision, why, blocked, preflight, running } = plan
  if (running !== null) return `mlops status ${model}`
  const said = reason === null ? '' : ` --reason ${shellWord(reason)}`
  if (decision === 'retrain') {
    return `${command}${said}`
  }
  if (decision === 'not judged') return notJudgedCommand(plan)
  if (decision === 'due') return `${command} --reason TEXT`
  const absent = preflight.find((check) => isIndispensable(check) && !check.ok)
  // A file is put in its place, or named anew; then somebody looks again.
  if (decision === 'not ready' && absent?.found === why) return `${command}${said} --plan`
  const [missing] = preflight.filter(({ ok, mend }) => !ok && mend?.startsWith('mlops ') === true)
  if (decision === 'not ready') {
    const otherwise = absent === undefined ? 'mlops help configuration' : `${command}${said} --plan`
    return missing?.mend?.split(', ')[0] ?? otherwise
  }
  return blocked?.hint ?? `mlops status ${model}`
}

/** What makes a trigger judgeable. */
function notJudgedCommand({ model, command, trigger: { type } }: RetrainPlan): string {
  if (type === 'drift') return `${command} --current DATA`
  return type === 'metric' ? `mlops predictions label ${model} FILE` : `mlops status ${model}`
}
