/**
 * From a candidate to its stages: the gate of the first one, then production where the policy has earned that, then
 * telling. What an earlier process did already is taken from its records.
 */
import { conflict, isMlopsError, type MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import type { PromoteRequest, PromoteResult } from '../lifecycle/promote/types.ts'
import type { Project } from '../project/config.ts'
import { rereadOf } from '../project/load.ts'
import type { GateResult } from '../store/events.ts'
import { type Candidate, finish, type Job } from './job.ts'
import type { StepDone } from './job-records.ts'
import { reasonOf } from './local-job.ts'
import { type RetrainResult, resultOf } from './result.ts'
import { type Ended, tellEnd } from './tell.ts'

type Say = (number: number, what: string) => void
type Refused = Extract<StepDone, { name: 'refused' }>
type Entered = { readonly gate: GateResult | null; readonly changes: PromoteResult['changes'] }

const PRODUCTION = 'production'

/** @throws whatever `promote` throws but a refusal; conflict `RETRAIN_SUPERSEDED` */
export async function letIn(job: Job, candidate: Candidate, say: Say): Promise<RetrainResult> {
  const { plan, open, claim } = job
  const name = versionName(plan.model, candidate.version)
  await claim.assertMine()
  const before = open?.promoted.find(({ stage }) => stage === plan.stage)
  if (before === undefined && open?.refused == null) say(3, `validate ${name} for ${plan.stage}`)
  const first = open?.refused ?? (before !== undefined ? { ...before, changes: null } : await enter(job, candidate))
  if ('name' in first) return refusedEnd(job, candidate, first)
  const production = plan.toProduction ? await enterProduction(job, candidate, say) : null
  return promotedEnd(job, candidate, first, production)
}

async function enter(job: Job, candidate: Candidate): Promise<Entered | Refused> {
  const { plan, claim } = job
  const moved = await move(job, candidate, plan.stage)
  if (!isMlopsError(moved)) {
    await claim.step({ name: 'promoted', stage: plan.stage, gate: moved.gate })
    return moved
  }
  const message = `${moved.message} ${versionName(plan.model, candidate.version)} stays registered.`
  const awaitsApproval = moved.code === 'APPROVAL_MISSING'
  const refused = { name: 'refused', gate: gateOf(moved), awaitsApproval, message } as const
  await claim.step(refused)
  return refused
}

/** @returns the refusal, where the gate says no */
async function move(job: Job, { version }: Candidate, stage: string): Promise<PromoteResult | MlopsError> {
  const { ctx, store, plan, steps, claim } = job
  const reread = rereadOf(job.project, ctx)
  const project = reread === undefined ? job.project : await asItIsNow(job, reread)
  const request: PromoteRequest = {
    ref: { model: plan.model, selector: { version } },
    stage,
    ...(reread === undefined ? {} : { reread }),
    reason: reasonOf(job),
    validation: plan.validation,
    // Whoever goes on with this retraining finds the move that was made for it.
    idempotencyKey: `retrain/${claim.begin.attempt}/${stage}`,
    ...(stage === PRODUCTION && plan.policy !== null && plan.autonomy.level === 3
      ? { autonomy: { ...plan.autonomy, policy: plan.policy } }
      : {}),
  }
  try {
    return await steps.promote(ctx, project, store, request)
  } catch (error) {
    // A rollout ends by itself or by a person: until then the candidate waits as one that was refused does.
    if (isMlopsError(error) && (error.exit === 'no' || error.code === 'ROLLOUT_RUNNING')) return error
    throw error
  }
}

/**
 * A training takes hours, in which the gate may have been edited: the candidate is judged by the one that stands now.
 * @throws conflict `PLAN_CHANGED` where that cannot be read: the attempt stays open, and nothing is trained again.
 */
async function asItIsNow({ plan }: Job, reread: () => Promise<Project>): Promise<Project> {
  try {
    return await reread()
  } catch (error) {
    if (!isMlopsError(error)) throw error
    throw conflict({
      code: 'PLAN_CHANGED',
      message: `The candidate stays registered and is not judged: since this began the configuration was changed, and cannot be read any more. ${error.message}`,
      hint: `Mend it, then go on from here: mlops retrain ${plan.model}`,
      details: { model: plan.model, cause: error.code },
      cause: error,
    })
  }
}

/** What became of the way into production. A refusal is no failure: the candidate waits in its stage for a person. */
async function enterProduction(
  job: Job,
  candidate: Candidate,
  say: Say,
): Promise<NonNullable<RetrainResult['production']>> {
  const { plan, open, claim, ctx } = job
  if (open?.promoted.some(({ stage }) => stage === PRODUCTION)) {
    return { outcome: 'promoted', why: null, missing: [], gate: null }
  }
  say(4, `promote ${versionName(plan.model, candidate.version)} to ${PRODUCTION}`)
  const moved = await move(job, candidate, PRODUCTION)
  if (!isMlopsError(moved)) {
    await claim.step({ name: 'promoted', stage: PRODUCTION, gate: moved.gate })
    return { outcome: 'promoted', why: null, missing: [], gate: moved.gate }
  }
  const { autonomy, problems } = (moved.details ?? {}) as {
    readonly autonomy?: { readonly missing?: readonly string[] }
    readonly problems?: readonly string[]
  }
  const missing = [...(autonomy?.missing ?? problems ?? [])]
  const outcome = ['GATE_REFUSED', 'ROLLOUT_RUNNING'].includes(moved.code) ? 'refused' : 'not earned'
  ctx.warn(`${moved.message} ${missing.join(' ')}`.trim())
  return { outcome, why: moved.message, missing, gate: gateOf(moved) }
}

async function refusedEnd(
  job: Job,
  candidate: Candidate,
  { gate, awaitsApproval, message }: Refused,
): Promise<RetrainResult> {
  const { plan } = job
  const { version } = candidate
  const told = await tellOnce(job, { outcome: 'refused', version, message, gate })
  await finish(job, { outcome: 'refused', version, gate, awaitsApproval, message })
  return resultOf(plan, { ...candidate, outcome: 'refused', gate, message }, told)
}

async function promotedEnd(
  job: Job,
  candidate: Candidate,
  { gate, changes }: Entered,
  production: RetrainResult['production'],
): Promise<RetrainResult> {
  const { plan } = job
  const { version } = candidate
  const message = messageOf(job, version, production)
  const isRefused = production?.outcome === 'refused'
  const told = await tellOnce(job, {
    outcome: isRefused ? 'refused' : 'promoted',
    version,
    message,
    gate: isRefused ? production.gate : gate,
  })
  await finish(job, { outcome: 'promoted', version, gate, message })
  return resultOf(plan, { ...candidate, outcome: 'promoted', gate, changes, message, production }, told)
}

function messageOf({ plan }: Job, version: number, production: RetrainResult['production']): string {
  const name = versionName(plan.model, version)
  const passed = `${name} passed its gate and is in ${plan.stage}.`
  switch (production?.outcome) {
    case 'promoted':
      return `${name} passed its gates and is in production, by the track record of ${plan.policy}.`
    case 'refused':
      return `${passed} The gate of production refuses it; production is as it was.`
    case 'not earned':
      return `${passed} Production is as it was: ${plan.policy} has not earned it yet, so a person decides (${promotionCommand(name, PRODUCTION, plan.approvals)}).`
    default:
      return `${passed} Production is as it was: a person decides.`
  }
}

async function tellOnce(job: Job, ended: Omit<Ended, 'run'>): Promise<RetrainResult['notifications']> {
  if (job.open?.told === true) return []
  const told = await tellEnd(job, { run: job.reached.run, ...ended })
  await job.claim.step({ name: 'told' })
  return told
}

/** The gate's verdict as `promote` put it into the details of its refusal. */
function gateOf({ details }: MlopsError): GateResult | null {
  const checks = details?.checks as GateResult['checks'] | undefined
  const bound = details?.bound as GateResult['bound'] | undefined
  return checks === undefined || bound === undefined ? null : { verdict: 'fail', checks, bound }
}
