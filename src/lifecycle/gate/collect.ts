/**
 * Collects what a gate judges by: the challenger, the champions of the stages it is compared with, what held-out rows
 * say (`held-out-facts.ts`), what other programs say (`external.ts`). What follows from it is judged in `gate.ts`.
 */
import type { Context } from '../../core/context.ts'
import type { Project } from '../../project/config.ts'
import type { Approval } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { newestHealth } from '../status/health.ts'
import { type ContractDiff, contractSettings, diffContracts, readContract } from '../versions/contract.ts'
import { versionFacts } from '../versions/version.ts'
import { runExternal } from './external.ts'
import { type Champion, type ExternalOutcome, type GateFacts, own, type Rescore, type VersionFacts } from './facts.ts'
import { heldOutFacts, type OpenRows, onSameRows, openRows } from './held-out-facts.ts'
import { needsRescore, rescore } from './rescore.ts'
import { comparedMetrics, type GateRules } from './rules.ts'

export interface FactsRequest {
  readonly rules: GateRules
  readonly version: VersionState
  readonly approvals: readonly Approval[]
  readonly evaluate: string | undefined
  readonly test: string | undefined
  /** What was measured for an earlier plan of the same operation: scoring and running take minutes. */
  readonly scored: Map<string, unknown>
}

/** @throws whatever the store throws for damaged bytes of a version that has to be run */
export async function collectFacts(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  request: FactsRequest,
): Promise<GateFacts> {
  const { rules, version, approvals, scored } = request
  const recorded = await recordedFacts(ctx, project, store, state, rules, version)
  const { challenger } = recorded
  const rows = await remember(scored, `rows ${challenger.digest}`, () => openRows(ctx, store, rules, challenger))
  const champions: Record<string, Champion | null> = {}
  for (const [stage, champion] of Object.entries(recorded.champions)) {
    champions[stage] =
      champion === null
        ? null
        : await championFacts(ctx, project, store, { stage, challenger, champion, rows }, request)
  }
  const heldOut = await remember(scored, `held out ${challenger.digest}`, () => heldOutFacts(ctx, rules, rows))
  const external = await externalFacts(ctx, project, store, challenger, request)
  return { ...recorded, champions, approvals, external, ...(heldOut === undefined ? {} : { heldOut }) }
}

/** The same from records alone: nothing is scored, read row by row or run. */
export async function recordedFacts(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  rules: GateRules,
  version: VersionState,
): Promise<Omit<GateFacts, 'approvals'>> {
  const { model } = state
  const challenger = await versionFacts(store, model, version)
  const champions: Record<string, Champion | null> = {}
  for (const stage of rules.compareTo) {
    const entry = own(state.stages, stage)
    const held = entry === undefined ? undefined : state.versions[entry.version - 1]
    champions[stage] = held === undefined ? null : await versionFacts(store, model, held)
  }
  const today = ctx.now().toISOString().slice(0, 10)
  const contract =
    rules.contract === null ? {} : { contract: await contractFacts(project, store, state, rules.stage, challenger) }
  const known = { challenger, champions, modelBaseline: state.baseline !== undefined, today, ...contract }
  if (rules.health !== 'required') return known
  return { ...known, lastCheck: await newestHealth(ctx, project, store, model, version.version) }
}

/** Null while nothing is in the stage, or the version itself is. */
async function contractFacts(
  project: Project,
  store: Store,
  state: ModelState,
  stage: string,
  challenger: VersionFacts,
): Promise<ContractDiff | null> {
  const entry = own(state.stages, stage)
  if (entry === undefined || entry.version === challenger.version) return null
  const settings = contractSettings(project, state.model)
  const [before, after] = await Promise.all([
    store.models.manifest(entry.manifest).then((manifest) => readContract(store, manifest, state.baseline, settings)),
    readContract(store, challenger.manifest, state.baseline, settings),
  ])
  return diffContracts(before, after)
}

interface Pair {
  readonly stage: string
  readonly challenger: VersionFacts
  readonly champion: VersionFacts
  readonly rows: OpenRows
}

async function championFacts(
  ctx: Context,
  project: Project,
  store: Store,
  { stage, challenger, champion, rows }: Pair,
  { rules, evaluate, test, scored }: FactsRequest,
): Promise<Champion> {
  const key = `${champion.digest} ${challenger.digest}`
  const names = comparedMetrics(rules).map(({ name }) => name)
  const measured = needsRescore(champion, challenger, names)
    ? await remember(
        scored,
        `scored ${key}`,
        (): Promise<Rescore | undefined> => rescore(ctx, project, store, { champion, challenger, evaluate, test }),
      )
    : undefined
  const known: Champion = measured === undefined ? champion : { ...champion, rescore: measured }
  const compared = await remember(scored, `paired ${stage} ${key}`, () =>
    onSameRows(ctx, store, rules, { stage, challenger, champion: known, rows }),
  )
  return { ...known, ...compared }
}

/** One after the other: what is measured under load should not load each other. */
async function externalFacts(
  ctx: Context,
  project: Project,
  store: Store,
  challenger: VersionFacts,
  { rules, version, scored }: FactsRequest,
): Promise<readonly ExternalOutcome[]> {
  const outcomes: ExternalOutcome[] = []
  for (const [index, rule] of rules.external.entries()) {
    const key = `external ${index} ${challenger.digest}`
    const run = () => runExternal(ctx, project, store, rule, challenger, version.registered.time)
    outcomes.push(await remember(scored, key, run))
  }
  return outcomes
}

/** The first answer under a key. */
async function remember<T>(memory: Map<string, unknown>, key: string, make: () => Promise<T>): Promise<T> {
  if (!memory.has(key)) memory.set(key, await make())
  return memory.get(key) as T
}
