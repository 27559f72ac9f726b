/**
 * Makes the next immutable version of a model from a run or from files: collects, stores, scans, then commits one
 * event. Collecting is in the files beside this one, deciding in `plan.ts`, committing in `register-commit.ts`.
 */

import { canonicalBytes } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { assertName } from '../../core/names.ts'
import { redactParams, saidRedacted } from '../../core/redact.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { Store } from '../../store/store.ts'
import { checkedTags } from '../../tracking/values/tags.ts'
import { filesOnDisk, type Place } from './artifacts.ts'
import { storeFiles } from './bundle.ts'
import { commitVersion, moveStage, type Stored } from './commit.ts'
import { collectEvidence } from './evidence.ts'
import { checkedMessage } from './flags.ts'
import { assertRegisterStage, manifestOf, resultOf, unkeptWords, wishesOf } from './plan.ts'
import { type RunSource, readRun } from './run-source.ts'
import type { RegisterRequest, RegisterResult } from './types.ts'

export type { RegisterRequest, RegisterResult, StageMove } from './types.ts'

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
  const result = resultOf(model, manifest, placed, evidence, run, stage, project)
  return { ...result, notes: [...result.notes, ...unkeptWords(model, placed, said)] }
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
