/**
 * The one thing to do about a model, by its rank: look, mend, retrain, or let a waiting version take its next step (that
 * one is worded in `next-step.ts`). What a whole fleet is still without is `gaps.ts`. Pure.
 */
import { versionName } from '../../core/names.ts'
import { brokenColumnsCommand, retrainAgainCommand, retrainCommand } from '../../core/next-command.ts'
import { WEEK } from '../../project/duration.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { stageFlag } from '../rollouts/running.ts'
import type { Health } from './health.ts'
import type { LastRetraining } from './last-retraining.ts'
import { type NextStep, stepForward } from './next-step.ts'
import type { ProductionStatus } from './production.ts'
import type { Rank } from './rank.ts'
import type { RolloutOfStage, ServedStage } from './served.ts'
import type { Pending } from './waiting.ts'

/** What decides about the step. */
export interface Situation {
  readonly model: string
  readonly production: ProductionStatus | null
  readonly health: Health | null
  readonly pending: readonly Pending[]
  readonly retraining: LastRetraining | null
  readonly rollouts: readonly RolloutOfStage[]
  readonly served: readonly ServedStage[]
}

/** Null where all is done, or somebody is at it. */
export function modelStep(situation: Situation, rank: Rank, hasBaseline: boolean): NextStep | null {
  const { model, production, pending, health } = situation
  const open = pending.filter(({ outlook }) => outlook.verdict !== 'refuses')
  const waiting = open.find(({ kind }) => kind === 'awaiting approval')
  const candidate = open.find(({ kind }) => kind === 'candidate')
  const isLogged = health?.window != null || health?.logged != null
  const check = hasBaseline
    ? `mlops drift ${model}${isLogged ? '' : ' --current DATA'}`
    : `mlops register ${model} --artifact FILE --baseline DATA`
  const [rollout] = situation.rollouts
  if (rollout !== undefined && !BEFORE_A_ROLLOUT.includes(rank)) return lookAtRollout(model, rollout)
  switch (rank) {
    case 'served by nobody':
      return unserved(situation)
    case 'serves another version':
      return misserved(situation)
    case 'drift':
      return answerToDrift(situation, open)
    case 'unhealthy':
      return { command: inspection(model, health), why: 'the service is not as it was, or not as it should be' }
    case 'checks stopped':
      return { command: check, why: `a check is due every ${health?.every ?? '?'}: look why its schedule stopped` }
    case 'logged, never checked':
    case 'never checked':
      return {
        command: check,
        why: hasBaseline
          ? 'nobody has looked whether production still fits its data'
          : 'production has no baseline, so its drift cannot be checked; register a version that has one',
      }
    case 'inconclusive':
      return { command: longer(check, health), why: 'the last check had too little data to say anything' }
    case 'check too old':
      return { command: check, why: 'the last check says nothing about today' }
    case 'not in production': {
      const version = waiting ?? candidate ?? pending[0]
      return version === undefined
        ? null
        : stepForward(model, version.version, version.outlook, 'nothing is in production', approvedOf(version))
    }
    default:
      if (waiting !== undefined) {
        return stepForward(model, waiting.version, waiting.outlook, waits(waiting), approvedOf(waiting))
      }
      if (candidate === undefined || production === null) return null
      // Its gate was not asked yet: that is the retraining's to do.
      if (situation.retraining?.outcome === 'stopped' && situation.retraining.version === candidate.version) {
        return {
          command: `mlops retrain ${model}`,
          why: `its retraining stopped ${situation.retraining.message}; this goes on with it`,
        }
      }
      return {
        command: `mlops model diff ${model}@${production.version} ${model}@${candidate.version}`,
        why: `@${candidate.version} is newer than production and was not promoted`,
      }
  }
}

/** What comes before going on with a rollout. */
const BEFORE_A_ROLLOUT: readonly Rank[] = [
  'served by nobody',
  'serves another version',
  'damaged',
  'drift',
  'unhealthy',
]

const lookAtRollout = (model: string, { stage, version, weight }: RolloutOfStage): NextStep => ({
  command: `mlops rollout status ${model}${stageFlag(stage)}`,
  why: `@${version} is being rolled out in ${stage}, and has ${weight} % of its traffic`,
})

/** Nobody answers: bytes that are mended, or the version before, come before any look at data. */
function unserved({ model, served, production }: Situation): NextStep | null {
  const wrong = served.find(({ stage, outage }) => stage === PRODUCTION && outage)
  if (wrong?.remedy == null || production === null) return null
  const { command, why } = wrong.remedy
  const said = `nobody serves ${versionName(model, wrong.version)}: ${why}`
  return { command, why: said }
}

/** How a generated service begins its word on a version that takes or gives something else than its code does. */
const OTHER_CONTRACT = 'another contract:'

/** What changed between what is served and what should be: most often that is why. Other code is made, not looked at. */
function misserved({ model, served, production }: Situation): NextStep | null {
  const wrong = served.find(({ mismatch }) => mismatch)
  const service = wrong?.services.find(({ verdict }) => verdict === 'keeps' || verdict === 'behind')
  if (wrong === undefined || service === undefined || production === null) return null
  if (service.why?.includes(OTHER_CONTRACT) === true && wrong.remedy !== null) return wrong.remedy
  const why = `${service.instance} serves ${service.version === null ? 'nothing' : `@${service.version}`}, and ${wrong.stage} points to @${wrong.version}${service.why === null ? '' : `: ${service.why}`}`
  return service.version === null || service.version === wrong.version
    ? { command: `mlops model show ${versionName(model, wrong.version)}`, why }
    : { command: `mlops model diff ${versionName(model, service.version)} ${versionName(model, wrong.version)}`, why }
}

/** The figures of the window in which something was wrong. */
const inspection = (model: string, health: Health | null): string =>
  `mlops predictions stats ${model}${health?.window == null ? '' : ` --since ${health.window.since} --until ${health.window.until}`}`

/** A window that was too short is looked at again with twice its length, in whole weeks. */
function longer(check: string, health: Health | null): string {
  if (health?.window == null) return check
  const length = Date.parse(health.window.until) - Date.parse(health.window.since)
  return `${check} --window ${Math.max(2, Math.ceil((2 * length) / WEEK))}w`
}

function waits({ version, stage, approval }: Pending): string {
  if (stage === null) return `@${version} is in no stage`
  const names = approval?.approved.map(({ name }) => name).join(' and ')
  return names
    ? `@${version} waits in ${stage}, approved for ${approval?.stage} by ${names}`
    : `@${version} waits in ${stage} for approval`
}

const approvedOf = ({ approval, outlook }: Pending): number =>
  approval?.stage === outlook.stage ? approval.approved.length : 0

/** A version that waits; else a retraining, in the form that is not held back by how the last one ended. */
function answerToDrift(
  { model, production, health, retraining }: Situation,
  open: readonly Pending[],
): NextStep | null {
  const why = `production (@${production?.version ?? '?'}) drifts`
  const [broken] = health?.broken ?? []
  // As the check itself said: no other version and no retraining mends what it is given.
  if (broken !== undefined && production !== null) {
    const others = (health?.broken.length ?? 1) - 1
    const columns = `${broken}${others > 0 ? ` and ${others} more` : ''}`
    const mend = `${columns} ${others > 0 ? 'are' : 'is'} broken: mend what gives the model its data, and check again`
    return { command: brokenColumnsCommand(versionName(model, production.version)), why: `${why}; ${mend}` }
  }
  const answer =
    open.find(({ kind }) => kind === 'awaiting approval') ?? open.find(({ version }) => version === retraining?.version)
  if (answer !== undefined) {
    return stepForward(model, answer.version, answer.outlook, `${why}; ${waits(answer)}`, approvedOf(answer))
  }
  const again = retrainAgainCommand(model)
  switch (retraining?.outcome) {
    case 'running':
      return null
    case 'stopped':
      return { command: `mlops retrain ${model}`, why: `${why}, and its retraining stopped` }
    case 'failed':
      return retraining.run === null
        ? { command: again, why: `${why}; the last retraining failed: mend its cause first` }
        : {
            command: `mlops run show ${retraining.run}`,
            why: `${why}, and the last retraining failed; once that is mended: ${again}`,
          }
    default:
  }
  if (production?.move === 'rollback') {
    return { command: again, why: `${why}, and was rolled back from @${production.from}; change the cause first` }
  }
  if (retraining !== null) {
    return { command: again, why: `${why}, and what the last retraining gave was not kept; change the cause first` }
  }
  return { command: retrainCommand(model, health?.data ?? null), why }
}
