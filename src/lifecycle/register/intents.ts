/**
 * What a training script asked for with `run.register(…)` and `monitor.set_baseline(…)`: applied once, after its run
 * has ended well. Where no binary was at hand they stay pending, and `status` lists them (docs/python-client.md).
 * What counts as applied is in `pending-intents.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { sha256 } from '../../core/digest.ts'
import { isMlopsError, type MlopsError } from '../../core/errors.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { Intent } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import {
  type BaselineIntent,
  claimScope,
  commandFor,
  hasBaseline,
  isApplied,
  isOfReproduction,
  type Wish,
  wishesOf,
} from './pending-intents.ts'
import { registerVersion } from './register.ts'
import type { RegisterResult } from './types.ts'

/** Under `retrain` the job registers by itself and only baselines are applied; under `reproduce` nothing ever is. */
export type IntentContext = 'retrain' | 'reproduce'

export interface IntentFailure {
  readonly kind: Intent['kind']
  readonly model: string
  readonly code: string
  readonly message: string
  /** What to type so that it is done after all. */
  readonly hint: string
}

export interface AppliedIntents {
  readonly registered: readonly RegisterResult[]
  readonly baselines: readonly { readonly model: string; readonly rows: number; readonly columns: number }[]
  readonly failures: readonly IntentFailure[]
  /** Why intents of the run were left alone, in words; null when none was. */
  readonly left: string | null
}

/**
 * Applies what the run asked for and was not applied yet. What is wrong with one intent is reported, not thrown: the
 * run itself ended well, and the others are applied.
 * @throws notFound `RUN_NOT_FOUND`; failed for a damaged run
 */
export async function applyIntents(
  ctx: Context,
  project: Project,
  store: Store,
  runId: string,
  options: {
    readonly context?: IntentContext
    /** What a retraining job has registered from the run by itself: the wish for it is granted thereby. */
    readonly registered?: { readonly model: string; readonly version: number }
  } = {},
): Promise<AppliedIntents> {
  const intents = await store.runs.intents(runId)
  const nothing: AppliedIntents = { registered: [], baselines: [], failures: [], left: null }
  if (intents.length === 0) return nothing
  const left = await whyLeft(store, runId, options.context)
  if (left !== null) return { ...nothing, left }

  const registered: RegisterResult[] = []
  const baselines: { model: string; rows: number; columns: number }[] = []
  const failures: IntentFailure[] = []
  for (const wish of wishesOf(intents)) {
    try {
      if (await isApplied(store, runId, wish)) continue
      if (wish.kind === 'register' && options.context === 'retrain') await grantedByJob(store, runId, wish, options)
      else if (wish.kind === 'register') registered.push(await applyRegister(ctx, project, store, runId, wish))
      else baselines.push(await applyBaseline(ctx, project, store, runId, wish))
    } catch (error) {
      if (!isMlopsError(error) || error.exit === 'interrupted') throw error
      failures.push(failureOf(runId, wish, error))
    }
  }
  return { registered, baselines, failures, left: null }
}

async function whyLeft(store: Store, run: string, context: IntentContext | undefined): Promise<string | null> {
  if (context === 'reproduce') return 'a reproduced run is never registered'
  const { start, end } = await store.runs.read(run)
  if (await isOfReproduction(store, start)) return 'a reproduced run is never registered'
  if (end === undefined) return 'the run has not ended'
  return end.status === 'finished' ? null : `the run ended as ${end.status}`
}

/** No event says so when the content was a version already. Another model's wish stays pending: it was not the job's. */
async function grantedByJob(
  store: Store,
  run: string,
  wish: Wish,
  { registered }: { readonly registered?: { readonly model: string; readonly version: number } },
): Promise<void> {
  if (registered?.model !== wish.model) return
  await store.claims.take(wish.model, claimScope(run, wish), 1, { version: registered.version })
}

async function applyRegister(
  ctx: Context,
  project: Project,
  store: Store,
  run: string,
  wish: Wish,
): Promise<RegisterResult> {
  const result = await registerVersion(ctx, project, store, { model: wish.model, run, idempotencyKey: wish.opId(run) })
  // No event says so when the content was a version already.
  if (!result.created) await store.claims.take(wish.model, claimScope(run, wish), 1, { version: result.version })
  return result
}

async function applyBaseline(ctx: Context, project: Project, store: Store, run: string, wish: Wish) {
  const intent = wish.baseline
  if (intent === undefined) throw new RangeError('no baseline was asked for')
  const { profile, data } = await profileIntent(ctx, project, store, intent)
  const body = { profile, data: { sha256: data.sha256, rows: data.rows, columns: data.columns } }
  let state = await store.models.stateOrEmpty(wish.model)
  while (!hasBaseline(state, intent)) {
    const outcome = await store.models.commit(state, {
      op_id: wish.opId(run),
      request: sha256(canonicalJson({ type: 'baseline', model: wish.model, data: intent.data.sha256 })),
      type: 'baseline',
      body,
      actor: ctx.actor,
      tool: ctx.tool,
      time: ctx.now().toISOString(),
    })
    if (outcome.kind !== 'lost') return { model: wish.model, rows: data.rows, columns: data.columns }
    state = outcome.state
  }
  // Somebody set the same baseline meanwhile: no event of ours says so.
  await store.claims.take(wish.model, claimScope(run, wish), 1, { data: data.sha256 })
  return { model: wish.model, rows: data.rows, columns: data.columns }
}

/** The rows lie in the objects, under a name that does not say they are CSV; a verified copy does. */
async function profileIntent(ctx: Context, project: Project, store: Store, { model, data }: BaselineIntent) {
  const { profileBaseline } = await import('../../drift/baseline.ts')
  const folder = await mkdtemp(join(tmpdir(), 'mlops-baseline-'))
  try {
    await store.objects.exportTo(data.sha256, join(folder, 'baseline.csv'))
    const baseline = await profileBaseline('baseline.csv', {
      cwd: folder,
      schema: modelConfig(project, model).schema,
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
      ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
    })
    return { profile: await store.objects.put(baseline.bytes), data: baseline.data }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function failureOf(run: string, wish: Wish, error: MlopsError): IntentFailure {
  const { kind, model } = wish
  const { code, message } = error
  // A name that is not allowed would be refused again: its own hint says what is.
  const hint = code === 'NAME_INVALID' ? (error.hint ?? '') : commandFor(run, wish)
  return { kind, model, code, message, hint }
}
