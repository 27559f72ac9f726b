/** What a retraining would do and why, decided from facts alone. Pure and printable: `--plan` shows it and stops. */

import { canonicalJson } from '../core/canonical-json.ts'
import { sha256 } from '../core/digest.ts'
import { shellWord } from '../core/shell.ts'
import { gateRules, PRODUCTION } from '../lifecycle/gate/rules.ts'
import type { ModelConfig } from '../project/config.ts'
import type { Gate } from '../project/gate-config.ts'
import type { Autonomy, Policy } from '../project/policy.ts'
import type { ModelState } from '../store/fold.ts'
import { BASELINE_NAMES, type DataProblem } from './declared-data.ts'
import type { RunState } from './facts.ts'
import type { JobRecord, OpenJob } from './job-records.ts'
import { goal, type PlannedJob, planJob, reasonMissing } from './plan-job.ts'
import { type PlannedStep, plannedSteps } from './plan-steps.ts'
import { isIndispensable, missingOf, type PreflightCheck, type PreflightFacts, preflight } from './preflight.ts'
import { isTrained, type Resume, resumeOf, type Unfinished, unfinishedOf } from './resume.ts'
import { type Blocked, blockedBy } from './storm.ts'
import type { Champion, Finding } from './trigger.ts'

export type { PlannedJob } from './plan-job.ts'

export interface RetrainFacts {
  readonly champion: Champion | null
  readonly finding: Finding
  readonly jobs: readonly JobRecord[]
  /** What the run behind the version in production declared, by name: the data of a job that names none. */
  readonly declaredData: Readonly<Record<string, string>>
  /** What the job declares and cannot read. */
  readonly dataProblems: readonly DataProblem[]
  /** For the preflight: the version in production, else the newest. */
  readonly known: PreflightFacts['known']
  /** The newest attempt, if it has not ended, and what became of its last run. */
  readonly open: OpenJob | null
  readonly runState: RunState | null
  /** The candidate of the last retraining, where the gate of production certainly refuses it. */
  readonly refusal?: { readonly version: number; readonly why: string } | null
  /** Its process was heard of not long ago. */
  readonly atWork: boolean
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

/**
 * `blocked`: the trigger fires, and what came of it the last time says no. `due`: it fires, and the policy leaves the
 * rest to a person. `not ready`: something is missing without which nothing may be automated. `not judged`: the trigger
 * cannot be looked at; of a plan alone, otherwise that is an error.
 */
export type Decision = 'retrain' | 'nothing to do' | 'blocked' | 'due' | 'not ready' | 'not judged'

export interface RetrainPlan {
  readonly model: string
  /** Null: no policy file, a human's reason is the trigger. */
  readonly policy: string | null
  /** What was typed, and is typed again to go on: `mlops retrain churn-model --policy FILE`. */
  readonly command: string
  readonly champion: { readonly version: number; readonly manifest: string } | null
  readonly trigger: Finding
  readonly decision: Decision
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
  readonly notifyOnPass: readonly string[]
  /** That of the policy, but never level 3 under `--force`. */
  readonly autonomy: Autonomy
  /** After its stage the candidate enters production by itself, where that was earned. */
  readonly toProduction: boolean
  /** How many people the gate of production asks for. */
  readonly approvals: number
  /** What must be there before this may go without a person. */
  readonly preflight: readonly PreflightCheck[]
  readonly steps: readonly PlannedStep[]
  /** The attempt that is gone on with; null: a new one. */
  readonly resume: Resume | null
  /** An attempt that stopped on the way and is not gone on with. */
  readonly unfinished: Unfinished | null
  /** Somebody is at it right now. */
  readonly running: Unfinished | null
  /** Digest of what is trained and why. */
  readonly what: string
}

/** @throws usage `REASON_MISSING`, `TRAIN_COMMAND_MISSING`, `STAGE_UNKNOWN` */
export function planRetrain(state: ModelState, policy: Policy, facts: RetrainFacts, request: PlanRequest): RetrainPlan {
  const { champion, finding } = facts
  const { force, policyFile } = request
  const command = `mlops retrain ${policy.model}${policyFile === undefined ? '' : ` --policy ${shellWord(policyFile)}`}`
  const job = planJob(policy, facts)
  const data = job.type === 'command' ? job.data : []
  const reason = request.reason ?? reasonOfOpen(finding, facts)
  const cause = finding.type === 'manual' || (force && !finding.fires) ? null : finding.cause
  const what = sha256(canonicalJson({ cause, reason: cause === null ? (reason ?? null) : null, job: trained(job) }))
  const blocked = blockedBy(cause, facts.jobs, {
    model: policy.model,
    champion: champion?.manifest ?? null,
    stages: state.stages,
    events: state.events,
    coolDown: policy.coolDown,
    now: facts.now,
    refusal: facts.refusal ?? null,
    approvals: (wanted) => gateRules(facts.config, wanted).approval,
    force: `${command} --force --reason "what was changed"`,
  })
  const pathOf = (...names: readonly string[]): string | null =>
    data.find(({ name }) => names.includes(name))?.path ?? null
  const stage = goal(policy, facts.stages)
  const checks = checksBefore(state, policy, facts)
  const open = openOf(policy, facts, { what, force, reason: reason ?? null })
  const isForced = force || (open.resume !== null && facts.open?.begin.forced === true)
  const autonomy = isForced ? supervised(policy.autonomy) : policy.autonomy
  if (finding.type === 'manual' && request.reason === undefined && open.resume === null) throw reasonMissing(policy)
  const parts = { policy, finding, blocked, checks, force, reason: request.reason, resume: open.resume }
  const plan = {
    model: policy.model,
    policy: policy.file ?? null,
    command,
    champion: champion === null ? null : { version: champion.version, manifest: champion.manifest },
    trigger: finding,
    ...withData(decide(parts), checks, open.resume),
    blocked: open.resume === null ? blocked : null,
    forced: force && (!finding.fires || blocked !== null),
    cause,
    reason: reason ?? null,
    job,
    register: {
      baseline: pathOf(...BASELINE_NAMES),
      test: pathOf('test', 'holdout', 'held-out'),
      target: facts.config.schema.target ?? null,
    },
    stage,
    validation: policy.validation,
    notifyOnFail: policy.notifyOnFail,
    notifyOnPass: policy.notifyOnPass,
    autonomy,
    toProduction: autonomy.level === 3 && stage !== PRODUCTION,
    approvals: gateRules(facts.config, PRODUCTION).approval,
    preflight: checks,
    ...open,
    what,
  }
  return { ...plan, steps: plannedSteps(plan, facts.open) }
}

/** `--force` goes past the guards of a policy, so it never ends with a promotion that no person made. */
const supervised = (autonomy: Autonomy): Autonomy => ({ ...autonomy, level: autonomy.level === 3 ? 2 : autonomy.level })

/** The preflight: also asked before the trigger is looked at. @throws usage `TRAIN_COMMAND_MISSING`, `STAGE_UNKNOWN` */
export function checksBefore(
  state: ModelState,
  policy: Policy,
  facts: Pick<RetrainFacts, 'champion' | 'known' | 'config' | 'stages' | 'declaredData' | 'dataProblems' | 'platform'>,
): readonly PreflightCheck[] {
  const job = planJob(policy, facts)
  const data = job.type === 'command' ? job.data : []
  return preflight({
    model: policy.model,
    policy,
    config: facts.config,
    stage: goal(policy, facts.stages),
    inProduction: facts.champion !== null,
    known: facts.known,
    modelBaseline: state.baseline !== undefined,
    data: Object.fromEntries(data.map(({ name, path }) => [name, path])),
    dataProblems: facts.dataProblems,
  })
}

/** A policy that goes by itself; anything else is a person's word. */
export const isAutomatic = ({ level }: Autonomy, { type }: Pick<Finding, 'type'>, force: boolean): boolean =>
  type !== 'manual' && !force && level >= 2

/** How long a workflow is waited for is no part of what it trains: whoever waits longer goes on with the same one. */
function trained(job: PlannedJob): Omit<PlannedJob, 'timeout'> {
  if (job.type === 'command') return job
  const { timeout: _, ...rest } = job
  return rest
}

/** Who goes on with what a person had asked for need not say again why. */
function reasonOfOpen(finding: Finding, { open, atWork }: RetrainFacts): string | undefined {
  if (finding.type !== 'manual' || open === null || atWork || open.begin.cause !== null) return undefined
  return open.begin.reason ?? undefined
}

/** At most one of the three. */
function openOf(
  { model, coolDown }: Policy,
  { open, runState, atWork, champion, finding, now }: RetrainFacts,
  { what, force, reason }: { readonly what: string; readonly force: boolean; readonly reason: string | null },
): Pick<RetrainPlan, 'resume' | 'unfinished' | 'running'> {
  const none = { resume: null, unfinished: null, running: null }
  if (open === null) return none
  const known = { open, runState, model, coolDown, now }
  if (atWork) return { ...none, running: unfinishedOf(known) }
  const resume = resumeOf(known)
  const { begin } = open
  const isAsked = !force || (begin.forced === true && begin.reason === reason)
  const isSame = isAsked && begin.what === what && begin.champion === (champion?.manifest ?? null)
  // What is trained is finished, also when its cause has gone since: that costs nothing, and the gate still holds.
  if (
    isSame &&
    (force || finding.fires || finding.type === 'manual' || isTrained(resume) || resume.next === 'follow')
  ) {
    return { ...none, resume }
  }
  return { ...none, unfinished: unfinishedOf(known) }
}

interface Deciding {
  readonly policy: Policy
  readonly finding: Finding
  readonly blocked: Blocked | null
  readonly checks: readonly PreflightCheck[]
  readonly force: boolean
  /** As it was given now. */
  readonly reason: string | undefined
  readonly resume: Resume | null
}

type Decided = Pick<RetrainPlan, 'decision' | 'why'>

/** Whoever wants it: what is to be trained on must be there. What is trained already needs it no more. */
function withData(decided: Decided, checks: readonly PreflightCheck[], resume: Resume | null): Decided {
  const absent = missingOf(checks).find(isIndispensable)
  if (decided.decision !== 'retrain' || absent === undefined) return decided
  if (resume !== null && resume.next !== 'train') return decided
  return { decision: 'not ready', why: absent.found }
}

function decide({ policy, finding, blocked, checks, force, reason, resume }: Deciding): Decided {
  if (resume !== null) {
    return { decision: 'retrain', why: `it goes on with the retraining that stopped ${resume.stopped}` }
  }
  if (force && (!finding.fires || blocked !== null)) {
    return { decision: 'retrain', why: `--force, although ${blocked?.why ?? finding.summary}` }
  }
  const { level } = policy.autonomy
  const missing = missingOf(checks)
  if (isAutomatic(policy.autonomy, finding, force) && missing.length > 0) {
    return { decision: 'not ready', why: `there is no ${missing.map(({ what }) => what).join(', no ')}` }
  }
  if (finding.judged === false) return { decision: 'not judged', why: finding.summary.replace(/\.$/, '') }
  if (!finding.fires) return { decision: 'nothing to do', why: finding.summary }
  if (blocked !== null) {
    return { decision: blocked.kind === 'awaits a decision' ? 'nothing to do' : 'blocked', why: blocked.why }
  }
  if (level === 1 && finding.type !== 'manual' && reason === undefined) return { decision: 'due', why: finding.summary }
  return { decision: 'retrain', why: finding.summary }
}
