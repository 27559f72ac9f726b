/**
 * The three questions for the whole fleet, worst first, with one suggested next step. Reads only, and little: this is
 * the command people type most.
 */

import type { Context } from '../../core/context.ts'
import { MlopsError, systemCode } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { logHome } from '../../predictions/home.ts'
import { loggedNames } from '../../predictions/names.ts'
import { newestLocal } from '../../predictions/newest.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import { readOnce } from '../../store/read-once.ts'
import type { Store } from '../../store/store.ts'
import { gateOutlook } from '../gate/outlook.ts'
import { gateRules, isGuarded, PRODUCTION } from '../gate/rules.ts'
import { versionAt } from '../operation.ts'
import { whoseWordCounts } from '../promote/whose-word.ts'
import { type PendingIntent, pendingIntents } from '../register/pending-intents.ts'
import { loadVersion } from '../versions/version.ts'
import { firstTrack, onlyModel } from './first-run.ts'
import { nextOfGaps } from './gaps.ts'
import { type Health, newestHealth } from './health.ts'
import { type LastRetraining, lastRetraining } from './last-retraining.ts'
import { damagedStatus, type ModelStatus, modelStatus, worstFirst } from './model-status.ts'
import type { NextStep } from './next-step.ts'
import type { Rank } from './rank.ts'
import { retrainingEffect } from './retraining-effect.ts'
import { servedStages } from './served.ts'
import { type Pending, type PendingApproval, waitingVersions } from './waiting.ts'

/** Only the newest runs are looked at for ones that were interrupted. */
const RUNS_LOOKED_AT = 20
const INTENTS_LOOKED_AT = 300
/** Says nothing about the model: the whole report fails with it. */
const NO_DAMAGE = ['STORE_DENIED', 'STORE_TOO_NEW']

export interface InterruptedRun {
  readonly run: string
  readonly model: string | null
  readonly started: string
}

export interface StrayLog {
  readonly name: string
  /** The model that is probably meant. */
  readonly meant: string | null
}

export interface StatusReport {
  /** Worst first. */
  readonly models: readonly ModelStatus[]
  /** What training scripts asked for and nobody has done yet. */
  readonly intents: readonly PendingIntent[]
  readonly interrupted: readonly InterruptedRun[]
  /** Prediction logs under names that are no models: what a service wrote there is looked at by nobody. */
  readonly strays: readonly StrayLog[]
  /** The one thing to do now; null when there is nothing. */
  readonly next: NextStep | null
}

/** @param only one model. @throws notFound `MODEL_NOT_FOUND` */
export async function fleetStatus(ctx: Context, project: Project, given: Store, only?: string): Promise<StatusReport> {
  const store = readOnce(given)
  const report = await urgentStatus(ctx, project, store, only)
  return only !== undefined || report.next !== null
    ? report
    : { ...report, next: await nextGap(ctx, project, store, report.models) }
}

/** The same without the gaps on the way to production: where nothing is urgent, there is no next step. */
export async function urgentStatus(ctx: Context, project: Project, store: Store, only?: string): Promise<StatusReport> {
  // Names it with the nearest ones when there is no such model.
  if (only !== undefined && !(await store.models.list()).includes(only)) await store.models.state(only)
  const names = only === undefined ? await store.models.list() : [only]
  const models: ModelStatus[] = []
  for (const name of names) models.push(await statusOf(ctx, project, store, name, only !== undefined))
  models.sort(worstFirst)
  const ids = await store.runs.list()
  const concerns = ({ model }: { readonly model: string | null }): boolean => only === undefined || model === only
  const interrupted = (await interruptedRuns(store, ids)).filter(concerns)
  const intents = (await waitingIntents(ctx, store, ids.slice(0, INTENTS_LOOKED_AT))).filter(concerns)
  const strays = only === undefined ? strayLogs(ctx, project, store, names) : []
  return { models, intents, interrupted, strays, next: nextOf(project, models, intents, ids.length > 0) }
}

/** Where nothing is urgent: what the fleet is still without on the way to production. */
async function nextGap(
  ctx: Context,
  project: Project,
  store: Store,
  models: readonly ModelStatus[],
): Promise<NextStep | null> {
  // Somebody is at it, or waits: a step on another road would be noise.
  if (models.some(({ rank }) => rank !== 'stable')) return null
  const { gapFacts, projectPolicies } = await import('./gap-facts.ts')
  const policies = await projectPolicies(ctx, project)
  const facts = await Promise.all(models.map((each) => gapFacts(ctx, project, store, each, policies)))
  return nextOfGaps(facts)
}

async function statusOf(
  ctx: Context,
  project: Project,
  store: Store,
  model: string,
  isOnly: boolean,
): Promise<ModelStatus> {
  try {
    const state = await store.models.stateOrEmpty(model)
    const entry = state.stages.production
    const pending: Pending[] = []
    for (const { next, ...waiting } of waitingVersions(state, project.config.stages)) {
      const version = versionAt(state, waiting.version)
      const outlook = await gateOutlook(ctx, project, store, state, version, next)
      pending.push({ ...waiting, outlook, approval: await approvalOf(project, store, state, version, next) })
    }
    const retraining = await lastRetraining(store, model, ctx.now())
    const judged = pending.map((each) => withRetraining(each, retraining))
    const gated = isGuarded(gateRules(modelConfig(project, model), PRODUCTION))
    const effect = isOnly ? await retrainingEffect(store, state) : null
    const served = servedStages(state, await hintsOf(ctx, store, model), ctx.now())
    const known = { pending: judged, retraining, gated, effect, served }
    if (entry === undefined) return modelStatus(state, { ...known, detail: null, health: null })
    const detail = await loadVersion(store, state, versionAt(state, entry.version))
    const found = await health(ctx, project, store, model, entry.version)
    return modelStatus(state, { ...known, detail, health: found })
  } catch (error) {
    // One damaged model hides no other.
    const isDamage = error instanceof MlopsError && error.exit === 'failed' && !NO_DAMAGE.includes(error.code)
    if (isDamage) return damagedStatus(model, error.message)
    throw error
  }
}

/** Claims of services: what cannot be read of them is no damage of the model. */
async function hintsOf(ctx: Context, store: Store, model: string) {
  try {
    return await store.serving.list(model)
  } catch (error) {
    if (!(error instanceof MlopsError) && systemCode(error) === undefined) throw error
    ctx.warn(`What the running services of ${model} serve cannot be read: ${(error as Error).message}`)
    return []
  }
}

/**
 * For the next stage, or the one further on that somebody has approved it for already. Null where nobody is asked; a
 * record that cannot be read is for `verify` and the promotion to name.
 */
async function approvalOf(
  project: Project,
  store: Store,
  state: ModelState,
  version: VersionState,
  next: string,
): Promise<PendingApproval | null> {
  const config = modelConfig(project, state.model)
  const found: PendingApproval[] = []
  try {
    for (const stage of new Set([next, PRODUCTION])) {
      const rules = gateRules(config, stage)
      const { counted, uncounted } = await whoseWordCounts(store, config, state, version, rules, [])
      const missing = Math.max(0, rules.approval - counted.length)
      found.push({ stage, approved: counted, missing, uncounted })
    }
  } catch (error) {
    if (error instanceof MlopsError) return null
    throw error
  }
  const said = found.find(({ approved, uncounted }) => approved.length + uncounted.length > 0)
  return said ?? found.find(({ stage, missing }) => stage === next && missing > 0) ?? null
}

/** What its retraining refused is proposed to nobody, though the gate of the stage alone might let it in. */
function withRetraining(pending: Pending, retraining: LastRetraining | null): Pending {
  if (retraining?.outcome !== 'refused' || retraining.version !== pending.version) return pending
  if (pending.outlook.verdict === 'refuses') return pending
  const refusal = `its retraining kept it out: ${retraining.message}`
  return { ...pending, outlook: { ...pending.outlook, verdict: 'refuses', refusal } }
}

async function health(ctx: Context, project: Project, store: Store, model: string, version: number): Promise<Health> {
  const found = await newestHealth(ctx, project, store, model, version)
  return found.checked === null ? { ...found, logged: newestPrediction(ctx, project, store, model) } : found
}

/** Without asking anybody over a network: null where that would be needed. What cannot be read is nothing to report here. */
function newestPrediction(ctx: Context, project: Project, store: Store, model: string): string | null {
  try {
    return newestLocal(logHome(ctx, { ...project, storeRoot: store.root }, model), model) ?? null
  } catch (error) {
    if (error instanceof MlopsError || systemCode(error) !== undefined) return null
    throw error
  }
}

/** A name that mlops.yaml has is a model that is only not registered yet. */
function strayLogs(ctx: Context, project: Project, store: Store, registered: readonly string[]): StrayLog[] {
  const models = [...new Set([...registered, ...Object.keys(project.config.models)])]
  const strays = loggedNames(ctx, project, store).filter((name) => !models.includes(name))
  return strays.map((name) => ({ name, meant: nearest(name, models) ?? null }))
}

async function interruptedRuns(store: Store, ids: readonly string[]): Promise<InterruptedRun[]> {
  const found: InterruptedRun[] = []
  for (const id of ids.slice(0, RUNS_LOOKED_AT)) {
    try {
      const folder = await store.runs.read(id)
      // A run that wrote its end was recorded whole, however it ended; a run list shows it.
      if (folder.end !== undefined) continue
      // Nothing waits for a repetition that was stopped.
      if (folder.start.reproduces !== undefined) continue
      const { runStatus } = await import('../../tracking/records/status.ts')
      if (runStatus(folder) !== 'interrupted') continue
      found.push({ run: id, model: folder.start.model ?? null, started: folder.start.started })
    } catch (error) {
      if (!(error instanceof MlopsError)) throw error
    }
  }
  return found
}

async function waitingIntents(ctx: Context, store: Store, runs: string[]): Promise<readonly PendingIntent[]> {
  try {
    return await pendingIntents(store, runs)
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    ctx.warn(`What training scripts asked for cannot be read: ${error.message}`)
    return []
  }
}

/** Ranks that say nothing ill of production. */
const CAN_WAIT: readonly Rank[] = ['not in production', 'stable']

function nextOf(
  project: Project,
  models: readonly ModelStatus[],
  intents: readonly PendingIntent[],
  hasRuns: boolean,
): NextStep | null {
  // What runs in production comes before what somebody wished for, of whatever model.
  const urgent = models.find(({ rank, next }) => next !== null && !CAN_WAIT.includes(rank))
  if (urgent !== undefined) return urgent.next
  const [intent] = intents
  if (intent !== undefined) {
    return { command: intent.command, why: 'a training script asked for it and it was not done' }
  }
  const first = models.find(({ next }) => next !== null)?.next
  if (first != null) return first
  if (models.length > 0) return null
  if (hasRuns)
    return {
      command: `mlops register ${onlyModel(project) ?? 'MODEL'} --run @last`,
      why: 'a run is recorded, no model is registered yet',
    }
  return { command: firstTrack(project), why: 'nothing is recorded yet' }
}
