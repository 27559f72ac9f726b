/**
 * Two people who roll back for the same reason mean one step, however their commands fall in time: the log alone sees
 * two only when both had read it before either wrote. Pure.
 */
import type { Actor, Context } from '../../core/context.ts'
import { conflict, type MlopsError } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { eventAt } from '../operation.ts'
import { wayBack } from './plan.ts'

/** Nobody hears of a colleague's rollback and decides on another one in less; also what clocks may differ by. */
const JUST_NOW_MS = 10_000

export interface Moment extends Pick<Context, 'actor' | 'now'> {
  readonly started: Date | undefined
}

/**
 * @returns conflict `STAGE_MOVED` where the stage was rolled back by anybody since `started`, or by somebody else less
 *   than ten seconds ago
 */
export function rolledBackMeanwhile(
  state: ModelState,
  stage: string,
  { actor, now, started }: Moment,
): MlopsError | undefined {
  const entry = Object.hasOwn(state.stages, stage) ? state.stages[stage] : undefined
  const event = entry === undefined ? undefined : lastStepBack(state, stage, entry.seq)
  if (event === undefined) return undefined
  const time = Date.parse(event.time)
  if (Math.abs(now().getTime() - time) >= JUST_NOW_MS) return undefined
  const isUnknown = started !== undefined && time >= started.getTime()
  if (!isUnknown && isSame(event.actor, actor)) return undefined
  return faster(state, stage, event)
}

type StepBack = Extract<ModelEvent, { type: 'rollback' | 'rollout' }>

/** The rollback that set the entry, or the end of a rollout under it: the same incident, and the same answer to it. */
function lastStepBack(state: ModelState, stage: string, set: number): StepBack | undefined {
  const event = state.events.findLast(
    (each): each is StepBack => each.type === 'rollout' && each.seq > set && each.body.stage === stage,
  )
  if (event?.type === 'rollout') return event.body.action === 'abort' ? event : undefined
  const entered = eventAt(state, set)
  return entered?.type === 'rollback' ? entered : undefined
}

/** Two runs of one CI user are two. */
const isSame = (one: Actor, other: Actor): boolean => one.name === other.name && one.url === other.url

function faster(state: ModelState, stage: string, event: StepBack): MlopsError {
  const { model } = state
  const { body, actor, time, seq } = event
  const did =
    event.type === 'rollout'
      ? `ended the rollout of ${versionName(model, body.version)} in ${stage}, which is at ${versionName(model, body.from)},`
      : `rolled ${stage} of ${model} back from ${versionName(model, body.from)} to ${versionName(model, body.version)}`
  const [next] = wayBack(state, stage)
  const where = stage === 'production' ? '' : ` --stage ${stage}`
  const look = `mlops model history ${model}`
  return conflict({
    code: 'STAGE_MOVED',
    message: `${actor.name} ${did} at ${time}, while this was being asked for. Nothing was changed by you.`,
    hint:
      next === undefined
        ? `Look first: ${look}`
        : `Look first: ${look}. To go one step further back all the same: mlops rollback ${model}${where} --to ${next.version}`,
    details: {
      model,
      stage,
      found: { version: event.type === 'rollout' ? body.from : body.version, seq, since: time, by: actor.name },
    },
  })
}
