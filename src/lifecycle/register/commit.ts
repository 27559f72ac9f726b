/**
 * What `register` writes besides objects: the event with the next number, whoever else registers at the same time, and
 * the move of a stage. What the version consists of is decided in `plan.ts`.
 */
import { canonicalJson } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { type Digest, sha256 } from '../../core/digest.ts'
import { isMlopsError } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { nearest } from '../../core/nearest.ts'
import { ulid } from '../../core/ulid.ts'
import type { Project } from '../../project/config.ts'
import { rereadOf } from '../../project/load.ts'
import type { EventDraft, ImportedFrom, ModelEvent, RunPin } from '../../store/events.ts'
import type { VersionState } from '../../store/fold.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import type { Evidence } from './evidence.ts'
import type { Wishes } from './plan.ts'
import type { RegisterRequest, StageMove } from './types.ts'

/** What is in the store, with nothing referring to it yet. */
export interface Stored {
  readonly evidence: Evidence
  readonly manifest: Manifest
  readonly digest: Digest
  readonly pinned: RunPin | undefined
}

interface VersionToBe extends Wishes, Pick<Stored, 'digest' | 'pinned'> {
  /** Of a version out of an archive. */
  readonly imported?: ImportedFrom
  /** Stores everything once more. */
  readonly storeAll: () => Promise<Pick<Stored, 'digest'>>
}

export interface Placed {
  readonly version: number
  readonly digest: Digest
  readonly event: Extract<ModelEvent, { type: 'register' }>
  readonly existing: 'same content' | 'same operation' | undefined
  readonly tags: readonly string[]
}

/** Takes the next number. Whoever loses the place to another process looks again and takes the one after. */
export async function commitVersion(
  ctx: Context,
  project: Project,
  store: Store,
  request: RegisterRequest,
  { digest, pinned, tags, message, imported, storeAll }: VersionToBe,
): Promise<Placed> {
  const { model } = request
  const asked = sha256(canonicalJson({ type: 'register', model, manifest: digest, tags, message }))
  const opId = operationId(ctx, request, asked)
  let state = await store.models.stateOrEmpty(model)
  if (state.head === 0) remarkNewModel(ctx, project, model, await store.models.list())
  let mended = false
  for (;;) {
    const draft = (): EventDraft => ({
      op_id: opId,
      request: asked,
      type: 'register',
      body: {
        version: state.versions.length + 1,
        manifest: digest,
        tags,
        ...(pinned === undefined ? {} : { run: pinned }),
        ...(message === undefined ? {} : { message }),
        ...(imported === undefined ? {} : { imported }),
      },
      actor: ctx.actor,
      tool: ctx.tool,
      time: ctx.now().toISOString(),
    })
    const isRepeat = state.events.some(({ op_id }) => op_id === opId)
    const twin = isRepeat ? undefined : state.versions.find((version) => version.manifest === digest)
    if (twin !== undefined) return placedAt(twin, digest, 'same content')
    try {
      const outcome = await store.models.commit(state, draft())
      if (outcome.kind === 'lost') {
        state = outcome.state
        continue
      }
      const event = outcome.event as Placed['event']
      const existing = outcome.kind === 'already' && !mended ? 'same operation' : undefined
      return { version: event.body.version, digest, event, existing, tags: event.body.tags }
    } catch (error) {
      // A clean-up in between took an object that nothing referred to yet. The event may stand already, so what it
      // refers to must come back; the same operation id then finds it.
      if (mended || !isMlopsError(error) || error.code !== 'OBJECT_MISSING') throw error
      mended = true
      if ((await storeAll()).digest !== digest) throw error
    }
  }
}

const placedAt = (twin: VersionState, digest: Digest, existing: Placed['existing']): Placed => ({
  version: twin.version,
  digest,
  event: twin.registered as Placed['event'],
  existing,
  tags: twin.tags,
})

/** `--idempotency-key`; in CI run id + job + command + content, so that a job that is run again adds nothing. */
function operationId(ctx: Context, { idempotencyKey, ciJob }: RegisterRequest, asked: string): string {
  if (idempotencyKey !== undefined) return idempotencyKey
  return ciJob === undefined ? ulid(ctx.now().getTime()) : `ci-${sha256(canonicalJson(['register', ciJob, asked]))}`
}

function remarkNewModel(ctx: Context, project: Project, model: string, models: readonly string[]): void {
  const known = [...new Set([...models, ...Object.keys(project.config.models)])]
  if (known.includes(model)) return
  const close = nearest(model, known)
  if (close !== undefined) ctx.warn(`${model} is a new model; there is also ${close}, should that be a slip`)
}

/** The same gates as `promote`; their refusal is an answer, and the version stays registered. */
export async function moveStage(
  ctx: Context,
  project: Project,
  store: Store,
  { model, idempotencyKey, test }: RegisterRequest,
  version: number,
  stage: string,
): Promise<StageMove> {
  const { promote } = await import('../promote/promote.ts')
  const reread = rereadOf(project, ctx)
  try {
    const { outcome, gate } = await promote(ctx, project, store, {
      ref: { model, selector: { version } },
      stage,
      ...(reread === undefined ? {} : { reread }),
      ...(test === undefined ? {} : { test }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}/${stage}` }),
    })
    return { stage, outcome: outcome === 'already there' ? outcome : 'promoted', gate, problem: null, failing: [] }
  } catch (error) {
    if (!isMlopsError(error)) throw error
    if (error.exit !== 'no') {
      ctx.warn(`${versionName(model, version)} is registered, but ${stage} could not be moved`)
      throw error
    }
    const failing = Array.isArray(error.details?.problems) ? error.details.problems.map(String) : []
    const problem = { code: error.code, message: error.message, hint: error.hint ?? null }
    return { stage, outcome: 'refused', gate: null, problem, failing }
  }
}
