/** Collects what a gate judges by: the challenger, the champions of the stages it is compared with, re-scored if need be. */
import type { Context } from '../core/context.ts'
import type { Project } from '../project/config.ts'
import type { Approval } from '../store/events.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import type { Champion, GateFacts, Rescore, VersionFacts } from './gate.ts'
import { comparedMetrics, type GateRules } from './gate-rules.ts'
import { needsRescore, rescore } from './rescore.ts'
import { versionFacts } from './version.ts'

export interface FactsRequest {
  readonly rules: GateRules
  readonly version: VersionState
  readonly approvals: readonly Approval[]
  readonly evaluate: string | undefined
  readonly test: string | undefined
  /** What was measured for an earlier plan of the same operation, by both manifests: scoring takes minutes. */
  readonly scored: Map<string, Rescore | undefined>
}

export async function collectFacts(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  request: FactsRequest,
): Promise<GateFacts> {
  const recorded = await recordedFacts(store, state, request.rules, request.version)
  const { challenger } = recorded
  const champions: Record<string, Champion | null> = {}
  for (const [stage, champion] of Object.entries(recorded.champions)) {
    champions[stage] =
      champion === null ? null : await championFacts(ctx, project, store, challenger, champion, request)
  }
  return { ...recorded, champions, approvals: request.approvals }
}

/** The same from records alone: nothing is scored. */
export async function recordedFacts(
  store: Store,
  state: ModelState,
  rules: GateRules,
  version: VersionState,
): Promise<Omit<GateFacts, 'approvals'>> {
  const challenger = await versionFacts(store, state.model, version)
  const champions: Record<string, Champion | null> = {}
  for (const stage of rules.compareTo) {
    const entry = state.stages[stage]
    const held = entry === undefined ? undefined : state.versions[entry.version - 1]
    champions[stage] = held === undefined ? null : await versionFacts(store, state.model, held)
  }
  return { challenger, champions, modelBaseline: state.baseline !== undefined }
}

async function championFacts(
  ctx: Context,
  project: Project,
  store: Store,
  challenger: VersionFacts,
  champion: VersionFacts,
  { rules, evaluate, test, scored }: FactsRequest,
): Promise<Champion> {
  const metrics = comparedMetrics(rules).map(({ name }) => name)
  if (!needsRescore(champion, challenger, metrics)) return champion
  const key = `${champion.digest} ${challenger.digest}`
  if (!scored.has(key)) {
    scored.set(key, await rescore(ctx, project, store, { champion, challenger, evaluate, test }))
  }
  const measured = scored.get(key)
  return measured === undefined ? champion : { ...champion, rescore: measured }
}
