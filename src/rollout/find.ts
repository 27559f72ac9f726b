/** Which rollout is meant: that of the stage that was named, or the only one of the model. */
import { type MlopsError, notFound, usage } from '../core/errors.ts'
import { type RunningRollout, runningRollout } from '../lifecycle/rollouts/running.ts'
import type { ModelState } from '../store/fold.ts'

/** All of a model, by stage. */
export const rolloutsOf = (state: ModelState): readonly RunningRollout[] =>
  Object.keys(state.stages)
    .sort()
    .flatMap((stage) => runningRollout(state, stage) ?? [])

/** @throws notFound `NO_ROLLOUT`; usage `ROLLOUT_AMBIGUOUS` where several stages have one and none was named */
export function findRollout(state: ModelState, stage: string | undefined): RunningRollout {
  const running = rolloutsOf(state)
  if (stage !== undefined) {
    const found = running.find((each) => each.stage === stage)
    if (found === undefined) throw noRollout(state, stage)
    return found
  }
  const [found, other] = running
  if (found === undefined) throw noRollout(state, undefined)
  if (other === undefined) return found
  throw usage({
    code: 'ROLLOUT_AMBIGUOUS',
    message: `${state.model} is rolled out in ${running.map((each) => each.stage).join(' and ')}.`,
    hint: `Say in which: --stage ${found.stage}`,
    details: { model: state.model, stages: running.map((each) => each.stage) },
  })
}

/** What is to be done again may have been the end of it: then the log says so. */
function noRollout({ model, events }: ModelState, stage: string | undefined): MlopsError {
  const last = events.findLast(
    (event) =>
      (event.type === 'rollout' || (event.type === 'promote' && event.body.rollout !== undefined)) &&
      (stage === undefined || event.body.stage === stage),
  )
  const ended =
    last === undefined ? '' : ` The last one ended at ${last.time}, by ${last.actor.name} (event ${last.seq}).`
  return notFound({
    code: 'NO_ROLLOUT',
    message: `No rollout of ${model} is going on${stage === undefined ? '' : ` in ${stage}`}.${ended}`,
    hint: `Begin one: mlops promote ${model}@V --to ${stage ?? 'production'} --rollout 5,25,50,100 --approve NAME`,
    details: { model, stage: stage ?? null },
  })
}
