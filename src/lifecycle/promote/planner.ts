/**
 * Makes the plan of a promotion from a state of the log: whose word counts, what the gate says, how both versions fare,
 * what changes. Reads and may score the champion; what the facts mean is decided in `plan.ts`.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import type { ModelRef } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { Gate } from '../../project/gate-config.ts'
import { modelConfig } from '../../project/load.ts'
import type { Approval } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { collectFacts } from '../gate/collect.ts'
import type { GateFacts } from '../gate/gate.ts'
import { directionsOf, type GateRules, gateRules } from '../gate/rules.ts'
import { standing, versionAt } from '../operation.ts'
import { newestHealth } from '../status/health.ts'
import { contractSettings } from '../versions/contract.ts'
import { diffVersions, loadContracts, loadLock, type VersionDiff } from '../versions/diff.ts'
import { loadVersion } from '../versions/version.ts'
import { personOf } from './approval.ts'
import { type PlanHealth, type PromotePlan, planPromote, type VersionHealth } from './plan.ts'
import type { CountedApprovals } from './standing-approvals.ts'
import { whoseWordCounts } from './whose-word.ts'

export interface PlannerRequest {
  readonly ref: ModelRef
  readonly stage: string
  readonly validation?: Gate | undefined
  readonly test?: string | undefined
  readonly reason: string | undefined
  /** Weights of a promotion by steps. */
  readonly rollout?: readonly number[] | undefined
}

export interface PlanOptions {
  /** Given with the move. */
  readonly given: readonly Approval[]
  /** The people a plan was decided by: on a retry nobody else is counted, so that one more word is no change of plan. */
  readonly only?: readonly Approval[]
}

export interface Planner {
  readonly rules: GateRules
  plan(state: ModelState, options: PlanOptions): Promise<PromotePlan>
  /** Whose word counts, without judging anything. */
  count(state: ModelState, options: PlanOptions): Promise<CountedApprovals>
}

/** The champion is scored once for all plans that one planner makes: that takes minutes. */
export function createPlanner(ctx: Context, project: Project, store: Store, request: PlannerRequest): Planner {
  const { ref, stage, validation, test, reason, rollout } = request
  const config = modelConfig(project, ref.model)
  const rules = gateRules(config, stage, validation)
  const scored = new Map<string, unknown>()
  let uncheckedTest = test
  const count = async (state: ModelState, version: VersionState, { given, only }: PlanOptions) => {
    const found = await whoseWordCounts(store, config, state, version, rules, given)
    if (only === undefined) return found
    const people = new Set(only.map(({ name }) => personOf(name)))
    return { ...found, counted: found.counted.filter(({ name }) => people.has(personOf(name))) }
  }
  return {
    rules,
    count: (state, options) => count(state, resolveVersion(state, ref, 'newest'), options),
    async plan(state, options) {
      const version = resolveVersion(state, ref, 'newest')
      if (uncheckedTest !== undefined) {
        const { checkNamedTest } = await import('../gate/named-test.ts')
        await checkNamedTest(ctx, await store.models.manifest(version.manifest), version.version, uncheckedTest)
        // Once for all plans that are made of the same move.
        uncheckedTest = undefined
      }
      const { counted, uncounted } = await count(state, version, options)
      const facts = await collectFacts(ctx, project, store, state, {
        rules,
        version,
        approvals: counted,
        evaluate: config.evaluate,
        test,
        scored,
      })
      const changes = await changesFor(project, store, state, stage, version.version, facts, rules)
      const health = await healthFor(ctx, project, store, state, stage, version.version)
      return planPromote(state, { version, stage, reason, rollout }, { ...facts, rules, uncounted, health, changes })
    },
  }
}

async function healthFor(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  stage: string,
  challenger: number,
): Promise<PlanHealth> {
  const now = standing(state, stage)
  const of = (version: number) => versionHealth(ctx, project, store, state.model, version)
  return { current: now === null ? null : await of(now.version), challenger: await of(challenger) }
}

async function versionHealth(
  ctx: Context,
  project: Project,
  store: Store,
  model: string,
  version: number,
): Promise<VersionHealth> {
  try {
    const found = await newestHealth(ctx, project, store, model, version)
    const { verdict, checked, stale, summary, data, rows, small, breaches } = found
    return { version, verdict, checked, stale, summary, data, rows, small, breaches }
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    // For the eye only, and so no reason to keep anybody from moving the stage; a gate that asks for it reads it itself.
    const nothing = { checked: null, stale: false, data: null, rows: null, small: false, breaches: [] }
    return { ...nothing, version, verdict: 'unreadable', summary: error.message }
  }
}

async function changesFor(
  project: Project,
  store: Store,
  state: ModelState,
  stage: string,
  to: number,
  facts: GateFacts,
  rules: GateRules,
): Promise<VersionDiff | null> {
  const now = standing(state, stage)
  if (now === null || now.version === to) return null
  try {
    const [a, b] = await Promise.all([
      loadVersion(store, state, versionAt(state, now.version)),
      loadVersion(store, state, versionAt(state, to)),
    ])
    const [from, lock] = await Promise.all([loadLock(store, a), loadLock(store, b)])
    const champion = Object.values(facts.champions).find((each) => each?.version === now.version)
    const anew = champion?.rescore?.kind === 'measured' ? { rescored: champion.rescore.metrics } : {}
    const contract = await loadContracts(store, state, a, b, contractSettings(project, state.model))
    return diffVersions(a, b, { from, to: lock }, { directions: directionsOf(rules), ...anew }, contract)
  } catch (error) {
    // A damaged champion must not keep a sound challenger out: the comparison is for the eye only.
    if (error instanceof MlopsError) return null
    throw error
  }
}
