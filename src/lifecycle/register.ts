/**
 * Makes the next immutable version of a model from a run or from files: collects, stores, scans, then commits one
 * event. Collecting is in the files beside this one; what is decided under competition is in `commitVersion`.
 */
import { canonicalBytes, canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { isMlopsError, usage } from '../core/errors.ts'
import { assertName, versionName } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { promotionCommand } from '../core/next-command.ts'
import { redactParams, saidRedacted } from '../core/redact.ts'
import { ulid } from '../core/ulid.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { EventDraft, ModelEvent, RunPin } from '../store/events.ts'
import type { VersionState } from '../store/fold.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import { filesOnDisk, type Place } from './artifacts.ts'
import { storeFiles, worstVerdict } from './bundle.ts'
import { collectEvidence, type Evidence } from './evidence.ts'
import { PRODUCTION } from './gate-rules.ts'
import { stageAfter } from './next-step.ts'
import { assertStage } from './operation.ts'
import { checkedMessage, checkedTags } from './register-flags.ts'
import type { RegisteredBaseline, RegisterRequest, RegisterResult, StageMove } from './register-types.ts'
import { type RunSource, readRun } from './run-source.ts'

export type { RegisterRequest, RegisterResult, StageMove } from './register-types.ts'

/**
 * Registers a version; the same content again gives the version that exists (`created: false`).
 *
 * @throws usage `NAME_INVALID`, `REGISTER_NOTHING`, `STAGE_NOT_HERE`, `STAGE_UNKNOWN`, `ARTIFACT_…`; notFound
 *   `RUN_NOT_FOUND`, `ARTIFACT_NOT_FOUND`; failed `RUN_NOT_FINISHED`, `FILE_CHANGED`, `DATA_…`; conflict
 *   `IDEMPOTENCY_MISMATCH`. A gate that refuses `stage` does not throw: the version is registered, see `stage`.
 */
export async function registerVersion(
  ctx: Context,
  project: Project,
  store: Store,
  given: RegisterRequest,
): Promise<RegisterResult> {
  const { model } = given
  assertName('model', model)
  const request = withoutSecrets(ctx, given)
  if (request.stage !== undefined) assertRegisterStage(project, model, request.stage)
  const said = { tags: checkedTags(request.tags ?? []), message: checkedMessage(request.message) }
  const run = await runOf(ctx, project, store, request)
  const candidates = run?.files ?? (await filesOnDisk(request.artifacts ?? [], placeOf(ctx, project, store)))
  const wishes = wishesOf(ctx, project, request, said, run)

  const storeAll = async (): Promise<Stored> => {
    const evidence = await collectEvidence(
      ctx,
      placeOf(ctx, project, store),
      store,
      modelConfig(project, model),
      request,
      run,
    )
    const files = await storeFiles(ctx, store, candidates)
    const manifest = manifestOf(model, files, evidence, request, run)
    const pinned = run === undefined ? undefined : await store.runs.pin(run.id)
    const { sha256: digest } = await store.objects.put(canonicalBytes(manifest))
    return { evidence, manifest, digest, pinned }
  }
  const stored = await storeAll()
  const { evidence, manifest } = stored
  ctx.signal?.throwIfAborted()
  const placed = await commitVersion(ctx, project, store, request, { ...stored, ...wishes, storeAll })

  const stage =
    wishes.stage === undefined ? null : await moveStage(ctx, project, store, request, placed.version, wishes.stage)
  return resultOf(model, manifest, placed, evidence, run, stage, project.config.stages)
}

const placeOf = (ctx: Context, { root }: Project, store: Store): Place => ({
  cwd: ctx.cwd,
  root,
  store: store.root,
  warn: ctx.warn,
})

function withoutSecrets(ctx: Context, request: RegisterRequest): RegisterRequest {
  if (request.params === undefined) return request
  const { params, redacted } = redactParams(request.params)
  if (redacted.length > 0) ctx.warn(saidRedacted(redacted))
  return { ...request, params }
}

async function runOf(
  ctx: Context,
  project: Project,
  store: Store,
  { model, run, artifacts, force, useIntent }: RegisterRequest,
): Promise<RunSource | undefined> {
  if (run === undefined) {
    if (artifacts !== undefined && artifacts.length > 0) return undefined
    throw usage({
      code: 'REGISTER_NOTHING',
      message: `Nothing to register: name the run that trained ${model}, or its files.`,
      hint: `mlops register ${model} --run @last, or: mlops register ${model} --artifact model.joblib`,
    })
  }
  return readRun(ctx, project, store, { model, run, artifacts, force: force === true, useIntent: useIntent !== false })
}

/** @throws usage `STAGE_NOT_HERE`, `STAGE_UNKNOWN` */
function assertRegisterStage(project: Project, model: string, stage: string): void {
  assertStage(project, stage)
  if (stage !== PRODUCTION) return
  throw usage({
    code: 'STAGE_NOT_HERE',
    message: 'Registering never moves production: that is a step of its own, with an approval.',
    hint: `Register without --stage, then: mlops promote ${model} --to production --approve NAME`,
  })
}

interface Wishes {
  readonly tags: readonly string[]
  readonly message: string | undefined
  readonly stage: string | undefined
}

/** Flags, completed by what the script asked for with `run.register(…)`. */
function wishesOf(
  ctx: Context,
  project: Project,
  request: RegisterRequest,
  given: { readonly tags: readonly string[]; readonly message: string | undefined },
  run: RunSource | undefined,
): Wishes {
  const intent = run?.intent
  if (intent === undefined) return { ...given, stage: request.stage }
  return {
    tags: checkedTags([...given.tags, ...intent.tags]),
    message: given.message ?? checkedMessage(intent.message),
    stage: request.stage ?? intendedStage(ctx, project, request.model, intent.stage),
  }
}

/** A wish that cannot be granted must not keep the version out: six hours of training may be behind it. */
function intendedStage(ctx: Context, project: Project, model: string, stage: string | undefined): string | undefined {
  if (stage === undefined) return undefined
  // A version may not enter production by registering: that needs a person.
  if (stage !== PRODUCTION && project.config.stages.includes(stage)) return stage
  const why = stage === PRODUCTION ? 'registering never moves production' : 'there is no such stage'
  ctx.warn(`the script asked for stage ${JSON.stringify(stage)} of ${model}; ${why}, so no stage was moved`)
  return undefined
}

function manifestOf(
  model: string,
  files: Manifest['files'],
  evidence: Evidence,
  request: RegisterRequest,
  run: RunSource | undefined,
): Manifest {
  const { baseline, schema, testPredictions, examples, evaluate } = evidence
  return {
    format: 1,
    model,
    files,
    metrics: { ...run?.metrics, ...request.metrics },
    params: { ...run?.params, ...request.params },
    ...(baseline === null ? {} : { baseline: pinnedBaseline(baseline) }),
    ...(schema.target === undefined ? {} : { target: schema.target }),
    ...(schema.prediction === undefined ? {} : { prediction: schema.prediction }),
    data: evidence.data,
    ...(testPredictions === undefined ? {} : { testPredictions }),
    ...(examples === undefined ? {} : { examples }),
    ...(evaluate === undefined ? {} : { evaluate }),
  }
}

function pinnedBaseline({ profile, data, segments }: RegisteredBaseline): NonNullable<Manifest['baseline']> {
  if (segments === undefined) return { profile, data }
  const { by, sha256: digest, size } = segments
  return { profile, data, segments: { by, sha256: digest, size } }
}

/** What is in the store, with nothing referring to it yet. */
interface Stored {
  readonly evidence: Evidence
  readonly manifest: Manifest
  readonly digest: Digest
  readonly pinned: RunPin | undefined
}

interface VersionToBe extends Wishes, Pick<Stored, 'digest' | 'pinned'> {
  /** Stores everything once more. */
  readonly storeAll: () => Promise<Stored>
}

interface Placed {
  readonly version: number
  readonly digest: Digest
  readonly event: Extract<ModelEvent, { type: 'register' }>
  readonly existing: 'same content' | 'same operation' | undefined
  readonly tags: readonly string[]
}

/** Takes the next number. Whoever loses the place to another process looks again and takes the one after. */
async function commitVersion(
  ctx: Context,
  project: Project,
  store: Store,
  request: RegisterRequest,
  { digest, pinned, tags, message, storeAll }: VersionToBe,
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
async function moveStage(
  ctx: Context,
  project: Project,
  store: Store,
  { model, idempotencyKey, test }: RegisterRequest,
  version: number,
  stage: string,
): Promise<StageMove> {
  const { promote } = await import('./promote.ts')
  try {
    const { outcome, gate } = await promote(ctx, project, store, {
      ref: { model, selector: { version } },
      stage,
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

function resultOf(
  model: string,
  manifest: Manifest,
  { version, digest, event, existing, tags }: Placed,
  evidence: Evidence,
  run: RunSource | undefined,
  stage: StageMove | null,
  stages: readonly string[],
): RegisterResult {
  const held = stage === null || stage.outcome === 'refused' ? [] : [stage.stage]
  const next =
    manifest.files.length === 0
      ? `mlops model show ${versionName(model, version)}`
      : promotionCommand(versionName(model, version), stageAfter(stages, held) ?? PRODUCTION)
  return {
    model,
    version,
    created: existing === undefined,
    existing:
      existing === undefined
        ? null
        : { why: existing, time: event.time, by: event.actor.name, run: event.body.run?.id ?? null },
    manifest: digest,
    files: manifest.files,
    scan: worstVerdict(manifest.files),
    metrics: manifest.metrics,
    params: manifest.params,
    data: manifest.data,
    baseline: evidence.baseline,
    target: manifest.target ?? null,
    prediction: manifest.prediction ?? null,
    run: run?.id ?? null,
    tags,
    message: event.body.message ?? null,
    stage,
    notes: [...(run?.notes ?? []), ...evidence.notes],
    next: stage?.problem?.code === 'GATE_REFUSED' ? `mlops model show ${versionName(model, version)}` : next,
  }
}
