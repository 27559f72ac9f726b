/**
 * One model's answers to the three questions, put together: what is in production (`production.ts`), how badly it needs
 * somebody (`rank.ts`), what waits (`waiting.ts`) and the one next step (`model-step.ts`). Pure: the facts are collected
 * in `status.ts`.
 */
import type { ModelState } from '../../store/fold.ts'
import type { VersionDetail } from '../versions/version.ts'
import type { Health } from './health.ts'
import type { LastRetraining } from './last-retraining.ts'
import { modelStep } from './model-step.ts'
import type { NextStep } from './next-step.ts'
import { type ProductionStatus, productionOf } from './production.ts'
import { RANKS, type Rank, rankOf } from './rank.ts'
import type { RetrainingEffect } from './retraining-effect.ts'
import { isMisserved, isOutage, type RolloutOfStage, rolloutsOfStages, type ServedStage } from './served.ts'
import type { Pending } from './waiting.ts'

export interface ModelStatus {
  readonly model: string
  readonly rank: Rank
  readonly versions: number
  readonly production: ProductionStatus | null
  /** Of the version in production; null while none is. */
  readonly health: Health | null
  readonly stages: Readonly<Record<string, number>>
  readonly pending: readonly Pending[]
  /** What the version in production is without, in words; empty while none is there. */
  readonly lacks: readonly string[]
  /** The last one under the version that is in production now. */
  readonly retraining: LastRetraining | null
  /** Whether the retraining that made the version in production helped; null where it comes from none. */
  readonly effect: RetrainingEffect | null
  /** Rollouts that go on. */
  readonly rollouts: readonly RolloutOfStage[]
  /** What running services say that they serve; only stages that one speaks of. */
  readonly served: readonly ServedStage[]
  /** Null when there is nothing to do. */
  readonly next: NextStep | null
  /** Why the model cannot be read. */
  readonly problem: string | null
}

export interface StatusFacts {
  /** Of the version in production. */
  readonly detail: VersionDetail | null
  readonly health: Health | null
  readonly pending: readonly Pending[]
  readonly retraining: LastRetraining | null
  /** Looked at for one model, not for the fleet. */
  readonly effect?: RetrainingEffect | null
  /** More than a person's yes stands before production. */
  readonly gated: boolean
  readonly served?: readonly ServedStage[]
}

export function modelStatus(state: ModelState, facts: StatusFacts): ModelStatus {
  const { detail, health, pending } = facts
  const production = detail === null ? null : productionOf(state, detail)
  const stages = Object.fromEntries(
    Object.entries(state.stages)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([stage, { version }]) => [stage, version]),
  )
  // Under another version in production all is new, also for `retrain`.
  const retraining = facts.retraining?.champion === (production?.manifest ?? null) ? facts.retraining : null
  const versions = state.versions.length
  const hasBaseline = detail?.baseline != null || state.baseline !== undefined
  const lacks = production === null ? [] : lackOf(hasBaseline, facts.gated)
  const { effect = null, served = [] } = facts
  const rollouts = rolloutsOfStages(state)
  const known = { production, health, pending, retraining, rollouts, served }
  const partial = { ...known, model: state.model, versions, stages, lacks, effect }
  const ails = isOutage(served) ? 'served by nobody' : isMisserved(served) ? 'serves another version' : null
  const rank = rankOf(health, ails)
  return { ...partial, rank, next: modelStep(partial, rank, hasBaseline), problem: null }
}

const lackOf = (hasBaseline: boolean, gated: boolean): string[] => [
  ...(hasBaseline ? [] : ['no baseline: its drift cannot be checked']),
  ...(gated ? [] : ["no gate: nothing but a person's yes stands before production"]),
]

export const damagedStatus = (model: string, problem: string): ModelStatus => ({
  model,
  rank: 'damaged',
  versions: 0,
  production: null,
  health: null,
  stages: {},
  pending: [],
  lacks: [],
  retraining: null,
  effect: null,
  rollouts: [],
  served: [],
  next: { command: 'mlops store verify', why: `${model} cannot be read` },
  problem,
})

/** Worst first; of the same rank the ones that wait for somebody, then by name. */
export function worstFirst(a: ModelStatus, b: ModelStatus): number {
  const rank = RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank)
  if (rank !== 0) return rank
  const waiting = Number(b.pending.length > 0) - Number(a.pending.length > 0)
  return waiting !== 0 ? waiting : a.model < b.model ? -1 : 1
}
