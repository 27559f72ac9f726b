/**
 * What stages give to whom beside their own version: rollouts that go on, and what running services serve. Pure; a service
 * that does not serve what its stage points to is the worst that can be said of a model.
 */
import type { ModelState } from '../../store/fold.ts'
import type { ServingHint } from '../../store/store.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { runningRollout } from '../rollouts/running.ts'
import { type Service, servicesOf } from '../serving/services.ts'

export interface RolloutOfStage {
  readonly stage: string
  readonly version: number
  /** The version that holds the stage. */
  readonly stable: number
  /** Percent of the traffic. */
  readonly weight: number
  readonly steps: readonly number[]
  /** When this weight was set. */
  readonly since: string
}

export interface ServedStage {
  readonly stage: string
  /** The version that it points to. */
  readonly version: number
  /** Those that do not serve it first. */
  readonly services: readonly Service[]
  /** One of them serves another version, and has had the time to follow. */
  readonly mismatch: boolean
}

/** Milliseconds that a service has to follow; most need a fifth of a second. */
const TIME_TO_FOLLOW = 10_000

export const rolloutsOfStages = (state: ModelState): RolloutOfStage[] =>
  Object.keys(state.stages)
    .sort()
    .flatMap((name) => {
      const running = runningRollout(state, name)
      if (running === null) return []
      const { stage, version, stable, weight, steps, since } = running
      return [{ stage, version, stable: stable.version, weight, steps, since }]
    })

/** The stages that some service says it serves. */
export function servedStages(state: ModelState, hints: readonly ServingHint[], now: Date): ServedStage[] {
  return Object.entries(state.stages).flatMap(([stage, entry]) => {
    const services = servicesOf(entry, stage, hints)
    if (services.length === 0) return []
    const changed = state.events[Math.max(entry.seq, entry.rollout?.seq ?? 0) - 1]
    const isOld = now.getTime() - Date.parse(changed?.time ?? '') > TIME_TO_FOLLOW
    // Who serves the right version, and cannot give a rollout its share, is told of and is no such case.
    const mismatch = services.some(
      ({ verdict, version }) =>
        version !== null && version !== entry.version && (verdict === 'keeps' || (verdict === 'behind' && isOld)),
    )
    return [{ stage, version: entry.version, services, mismatch }]
  })
}

/** Production is served by another version than it points to. */
export const isMisserved = (served: readonly ServedStage[]): boolean =>
  served.some(({ stage, mismatch }) => stage === PRODUCTION && mismatch)
