/**
 * What stages give to whom beside their own version: rollouts that go on, and what running services serve. Pure; a service
 * that does not serve what its stage points to is the worst that can be said of a model.
 */
import type { ModelState } from '../../store/fold.ts'
import type { ServingHint } from '../../store/store.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { runningRollout } from '../rollouts/running.ts'
import { type Remedy, remedyOf } from '../serving/remedy.ts'
import { runningOf, type Service, servicesOf } from '../serving/services.ts'

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
  /** Nobody answers: what runs serves nothing, or nothing of what there was says anything any more. */
  readonly outage: boolean
  /** What to do about it; null where there is neither of the two. */
  readonly remedy: Remedy | null
}

/** Milliseconds that a service has to follow; most need a fifth of a second. */
const TIME_TO_FOLLOW = 10_000
/** Milliseconds that a service has to load its first model before serving nothing is called an outage. */
const TIME_TO_START = 30_000

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
    const started = new Map(hints.map((hint) => [hint.instance, Date.parse(hint.started)]))
    const outage = runningOf(services).every(
      ({ version, why, instance }) =>
        version === null && (why !== null || now.getTime() - (started.get(instance) ?? 0) > TIME_TO_START),
    )
    const remedy = mismatch || outage ? remedyOf(state.model, entry, services) : null
    return [{ stage, version: entry.version, services, mismatch, outage, remedy }]
  })
}

/** Production is answered by nobody, as far as its services say. */
export const isOutage = (served: readonly ServedStage[]): boolean =>
  served.some(({ stage, outage }) => stage === PRODUCTION && outage)

/** Production is served by another version than it points to. */
export const isMisserved = (served: readonly ServedStage[]): boolean =>
  served.some(({ stage, mismatch }) => stage === PRODUCTION && mismatch)
