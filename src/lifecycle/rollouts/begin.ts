/**
 * What a promotion by steps asks for besides the gate, before it begins and when its last step completes it. Pure; used by
 * `promote/promote.ts`, the only way a version gets any traffic of a stage.
 */
import { type MlopsError, notFound, usage } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { promotionCommand } from '../../core/next-command.ts'
import type { RolloutConfig } from '../../project/config.ts'
import type { Approval, RolloutComparison } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { GateRules } from '../gate/rules.ts'
import { marginsChanged } from './margins.ts'
import { assertNoRollout, rolloutEnded, runningRollout, startOf } from './running.ts'

/** What of a promotion concerns rollouts. */
export interface RolloutRequest {
  /** Begins one: ascending weights, the last being 100. */
  readonly rollout?: readonly number[]
  /** Completes the one that this event began. */
  readonly completes?: number
  /** Of one that completes it: what the comparison said, for the event. */
  readonly comparison?: RolloutComparison
}

/**
 * @throws conflict `ROLLOUT_RUNNING`, `ROLLOUT_ENDED`; notFound `STAGE_EMPTY`; usage `ROLLOUT_NEEDLESS` for the version
 *   that holds the stage
 */
export function assertMayMove(
  state: ModelState,
  { version, stage, rollout, completes }: RolloutRequest & { readonly version: number; readonly stage: string },
): void {
  if (completes !== undefined) {
    if (runningRollout(state, stage)?.start !== completes) throw rolloutEnded(state, stage)
    return
  }
  assertNoRollout(state, stage)
  if (rollout === undefined) return
  const holder = Object.hasOwn(state.stages, stage) ? state.stages[stage] : undefined
  if (holder === undefined) throw stageEmpty(state.model, version, stage)
  if (holder.version === version) throw needless(state.model, version, stage)
}

const stageEmpty = (model: string, version: number, stage: string): MlopsError =>
  notFound({
    code: 'STAGE_EMPTY',
    message: `No version of ${model} is in ${stage}, so there is no traffic to take a part of.`,
    hint: `Promote it without --rollout: ${promotionCommand(versionName(model, version), stage)}`,
    details: { model, stage },
  })

const needless = (model: string, version: number, stage: string): MlopsError =>
  usage({
    code: 'ROLLOUT_NEEDLESS',
    message: `${versionName(model, version)} is in ${stage} already: all of its traffic is its own.`,
    hint: `Name another version; see them: mlops model history ${model}`,
    details: { model, stage, version },
  })

/** Words that came with the start of a rollout, as far as its completion may count them. */
export interface CarriedWords {
  readonly words: readonly Approval[]
  /** Names whose word has lapsed: the rules are not those that it was given under. */
  readonly lapsed: readonly string[]
  /** What was changed: the gate of the stage, or the margins of the comparison. */
  readonly changed: 'gate' | 'margins' | null
}

/** The version of a rollout cannot change; the rules of its stage and the margins of the comparison can. */
export function carriedWords(state: ModelState, stage: string, rules: GateRules, margins: RolloutConfig): CarriedWords {
  const running = runningRollout(state, stage)
  const start = running === null ? undefined : startOf(state, running)
  const { approvals = [], gate } = start?.body ?? {}
  const given = approvals.map((approval) => ({ ...approval, time: approval.time ?? start?.time ?? '' }))
  const changed =
    gate?.bound.policy !== rules.digest
      ? 'gate'
      : running !== null && marginsChanged(state, running, margins)
        ? 'margins'
        : null
  return changed === null
    ? { words: given, lapsed: [], changed }
    : { words: [], lapsed: given.map(({ name }) => name), changed }
}
