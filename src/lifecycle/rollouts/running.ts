/** The rollout that goes on in a stage, as the log has it, and what it forbids. Pure; beginning one is in `promote/`. */
import type { Digest } from '../../core/digest.ts'
import { conflict, type MlopsError, usage } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { stepsProblem } from '../../store/rollouts.ts'
import { eventAt, type Standing, standing } from '../operation.ts'

export interface RunningRollout {
  readonly model: string
  readonly stage: string
  /** The version that is rolled out. */
  readonly version: number
  readonly manifest: Digest
  /** Who holds the stage, and keeps the rest of the traffic. */
  readonly stable: Standing
  /** The event that began it. */
  readonly start: number
  readonly started: string
  readonly by: string
  /** The event that set the weight, and when. */
  readonly seq: number
  readonly since: string
  /** Percent of the traffic. */
  readonly weight: number
  readonly steps: readonly number[]
  /** The step that comes next; 100 is the promotion. */
  readonly next: number
}

/** @returns null while none is going on in the stage */
export function runningRollout(state: ModelState, stage: string): RunningRollout | null {
  const stable = standing(state, stage)
  const entry = stable === null ? undefined : state.stages[stage]?.rollout
  if (stable === null || entry === undefined) return null
  const { version, manifest, start, seq, weight, steps } = entry
  const began = eventAt(state, start)
  return {
    model: state.model,
    stage,
    version,
    manifest,
    stable,
    start,
    started: began?.time ?? '',
    by: began?.actor.name ?? '',
    seq,
    since: eventAt(state, seq)?.time ?? '',
    weight,
    steps,
    next: steps.find((step) => step > weight) ?? 100,
  }
}

export type RolloutEvent = Extract<ModelEvent, { type: 'rollout' }>

/** The event that began it. */
export function startOf(state: ModelState, { start }: Pick<RunningRollout, 'start'>): RolloutEvent | undefined {
  const event = eventAt(state, start)
  return event?.type === 'rollout' ? event : undefined
}

/** ` --stage staging`; nothing for production, which the commands take by themselves. */
export const stageFlag = (stage: string): string => (stage === 'production' ? '' : ` --stage ${stage}`)

/** While a rollout is going on nothing else is promoted there. @throws conflict `ROLLOUT_RUNNING` */
export function assertNoRollout(state: ModelState, stage: string): void {
  const running = runningRollout(state, stage)
  if (running !== null) throw rolloutRunning(running)
}

function rolloutRunning(running: RunningRollout): MlopsError {
  const { model, stage, version, weight, started, by, stable } = running
  const where = `${model}${stageFlag(stage)}`
  return conflict({
    code: 'ROLLOUT_RUNNING',
    message: `${versionName(model, version)} is being rolled out in ${stage} beside ${versionName(model, stable.version)} (${weight} % of the traffic; begun by ${by} at ${started}). Until that ends nothing else is promoted there. Nothing was changed by you.`,
    hint: `Look at it, then advance or abort it: mlops rollout status ${where}; mlops rollout advance ${where}; mlops rollout abort ${where} --reason TEXT`,
    details: { model, stage, version, stable: stable.version, weight, start: running.start },
  })
}

/** What was to go on has ended meanwhile, or has become another one. */
export function rolloutEnded(state: ModelState, stage: string): MlopsError {
  const now = standing(state, stage)
  const is = now === null ? 'empty' : `at ${versionName(state.model, now.version)}`
  return conflict({
    code: 'ROLLOUT_ENDED',
    message: `The rollout in ${stage} of ${state.model} was ended or moved on by somebody else while this was being done; ${stage} is ${is}. Nothing was changed by you.`,
    hint: `Look first, then decide again: mlops model history ${state.model}`,
    details: { model: state.model, stage, found: now },
  })
}

/** `5,25,50,100`. @throws usage `STEPS_INVALID` */
export function readSteps(text: string): readonly number[] {
  const words = text.split(',').map((word) => word.trim())
  const steps = words.map((word) => (/^\d{1,3}(?:\.\d{1,3})?%?$/.test(word) ? Number.parseFloat(word) : Number.NaN))
  const problem = steps.some(Number.isNaN) ? 'every step is a percentage' : stepsProblem(steps)
  if (problem === undefined) return steps
  throw usage({
    code: 'STEPS_INVALID',
    message: `--rollout ${JSON.stringify(text)}: ${problem}.`,
    hint: 'Give ascending percentages that end with 100: --rollout 5,25,50,100',
  })
}
