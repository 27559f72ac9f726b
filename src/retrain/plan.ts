/** What a retraining would do and why, decided from facts alone. Pure and printable: `--plan` shows it and stops. */

import { usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import type { ModelConfig } from '../project/config.ts'
import type { Gate } from '../project/gate-config.ts'
import type { Job, Policy } from '../project/policy.ts'
import type { ModelState } from '../store/fold.ts'
import { commandWords } from './command-line.ts'
import type { JobRecord } from './job-log.ts'
import { type Blocked, blockedBy } from './storm.ts'
import type { Champion, Finding } from './trigger.ts'

export interface RetrainFacts {
  readonly champion: Champion | null
  readonly finding: Finding
  readonly jobs: readonly JobRecord[]
  /** What the run behind the version in production declared, by name: the data of a job that names none. */
  readonly declaredData: Readonly<Record<string, string>>
  readonly config: ModelConfig
  readonly stages: readonly string[]
  readonly now: Date
  /** As in `process.platform`. */
  readonly platform: string
}

export interface PlanRequest {
  readonly reason: string | undefined
  readonly force: boolean
  /** `--policy` as it was given: a command that is suggested names it too. */
  readonly policyFile?: string | undefined
}

export type PlannedJob =
  | {
      readonly type: 'command'
      /** As it is written. */
      readonly command: string
      readonly words: readonly string[]
      readonly data: readonly { readonly name: string; readonly path: string }[]
    }
  | Extract<Job, { type: 'github_actions' }>

export interface RetrainPlan {
  readonly model: string
  /** Null: no policy file, a human's reason is the trigger. */
  readonly policy: string | null
  readonly champion: { readonly version: number; readonly manifest: string } | null
  readonly trigger: Finding
  /** `blocked`: the trigger fires, and what came of it the last time says no. */
  readonly decision: 'retrain' | 'nothing to do' | 'blocked'
  /** One sentence. */
  readonly why: string
  readonly blocked: Blocked | null
  readonly forced: boolean
  readonly cause: string | null
  readonly reason: string | null
  readonly job: PlannedJob
  /** Paths relative to the project. */
  readonly register: { readonly baseline: string | null; readonly test: string | null; readonly target: string | null }
  readonly stage: string
  readonly validation: Gate
  readonly notifyOnFail: readonly string[]
}

/** @throws usage `REASON_MISSING`, `TRAIN_COMMAND_MISSING`, `STAGE_UNKNOWN` */
export function planRetrain(
  state: ModelState,
  policy: Policy,
  facts: RetrainFacts,
  { reason, force, policyFile }: PlanRequest,
): RetrainPlan {
  const { champion, finding } = facts
  if (finding.type === 'manual' && reason === undefined) throw reasonMissing(policy)
  const cause = finding.type === 'manual' || (force && !finding.fires) ? null : finding.cause
  const blocked = blockedBy(cause, facts.jobs, {
    model: policy.model,
    champion: champion?.manifest ?? null,
    stages: state.stages,
    events: state.events,
    coolDown: policy.coolDown,
    now: facts.now,
    force: `mlops retrain ${policy.model}${policyFile === undefined ? '' : ` --policy ${shellWord(policyFile)}`} --force --reason "what was changed"`,
  })
  const job = planJob(policy, facts)
  const data = job.type === 'command' ? job.data : []
  const pathOf = (...names: string[]): string | null => data.find(({ name }) => names.includes(name))?.path ?? null
  return {
    model: policy.model,
    policy: policy.file ?? null,
    champion: champion === null ? null : { version: champion.version, manifest: champion.manifest },
    trigger: finding,
    ...decide(finding, blocked, force),
    blocked,
    forced: force && (!finding.fires || blocked !== null),
    cause,
    reason: reason ?? null,
    job,
    register: {
      baseline: pathOf('train', 'training', 'baseline'),
      test: pathOf('test', 'holdout', 'held-out'),
      target: facts.config.schema.target ?? null,
    },
    stage: goal(policy, facts.stages),
    validation: policy.validation,
    notifyOnFail: policy.notifyOnFail,
  }
}

function decide(finding: Finding, blocked: Blocked | null, force: boolean): Pick<RetrainPlan, 'decision' | 'why'> {
  if (force && (!finding.fires || blocked !== null)) {
    return { decision: 'retrain', why: `--force, although ${blocked?.why ?? finding.summary}` }
  }
  if (!finding.fires) return { decision: 'nothing to do', why: finding.summary }
  if (blocked !== null) {
    return { decision: blocked.kind === 'awaits a decision' ? 'nothing to do' : 'blocked', why: blocked.why }
  }
  return { decision: 'retrain', why: finding.summary }
}

function planJob({ job, model, file }: Policy, { config, declaredData, platform }: RetrainFacts): PlannedJob {
  if (job.type === 'github_actions') return job
  const command = job.command ?? config.train
  if (command === undefined) {
    const where = file === undefined ? '' : ` nor under policy.job of ${file}`
    throw usage({
      code: 'TRAIN_COMMAND_MISSING',
      message: `It is not known how ${model} is trained: there is no train: under models.${model} of mlops.yaml${where}.`,
      hint: `Add to mlops.yaml, under models: ${model}: the line  train: python train.py`,
      details: { model },
    })
  }
  const data = Object.entries(job.data ?? declaredData).map(([name, path]) => ({ name, path }))
  return { type: 'command', command, words: commandWords(command, platform), data }
}

/** `staging` of a policy that names no stage may not exist in this project: then the first that is not production. */
function goal({ promoteOnPass, file }: Policy, stages: readonly string[]): string {
  if (stages.includes(promoteOnPass)) return promoteOnPass
  const other = stages.find((stage) => stage !== 'production')
  if (other !== undefined && file === undefined) return other
  throw usage({
    code: 'STAGE_UNKNOWN',
    message: `A retrained version would enter ${promoteOnPass}, but the stages of mlops.yaml are ${stages.join(', ')}.`,
    hint: 'Add it to stages: in mlops.yaml, or name another in promote_on_pass',
    details: { stage: promoteOnPass, stages },
  })
}

function reasonMissing({ model, file }: Policy) {
  const why =
    file === undefined
      ? 'there is no retraining-policy.yaml, so a retraining is a human decision'
      : `the trigger of ${file} is manual`
  return usage({
    code: 'REASON_MISSING',
    message: `Why is ${model} to be retrained? A reason is needed: ${why}.`,
    hint: `mlops retrain ${model} --reason "new labels of June"`,
    details: { model },
  })
}
