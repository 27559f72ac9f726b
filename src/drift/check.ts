/**
 * `mlops drift`, the use case: find the reference, count the batch into it, compare, store the check.
 * The statistics are in `compare.ts`, reading data in `baseline.ts`, text for people in `src/ui/views/drift.ts`.
 */
import { canonicalJson, type Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { MlopsError, notFound, usage } from '../core/errors.ts'
import { type ModelRef, parseModelRef, versionName } from '../core/names.ts'
import { redactText } from '../core/redact.ts'
import type { MetricName, Project, SchemaConfig } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { Store } from '../store/store.ts'
import { profileBaseline, profileBatch } from './baseline.ts'
import { type CompareOptions, compareProfiles } from './compare.ts'
import { DEFAULT_THRESHOLD } from './measure-column.ts'
import { type ColumnProfile, type Profile, parseProfile } from './profile.ts'
import type { CheckResult } from './types.ts'

export interface CheckRequest {
  /** `churn-model`, `churn-model@3`, `churn-model@production`; the bare name means production, else the newest. */
  readonly ref: string | ModelRef
  /** The batch: a file, relative to the user's folder. */
  readonly current: string
  /** `baseline` (default), `@V`, `@STAGE`: that version's baseline; anything else is a data file. */
  readonly against?: string
  /** Overrides `drift.metric` of mlops.yaml, and with it the thresholds written there for another metric. */
  readonly metric?: MetricName
  readonly threshold?: number
}

/** @throws usage `THRESHOLD_INVALID` for what is not a number */
export function parseThreshold(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw usage({
    code: 'THRESHOLD_INVALID',
    message: `The threshold ${JSON.stringify(text)} is not a number.`,
    hint: 'Write for example --threshold 0.2',
  })
}

interface Reference {
  readonly name: string
  readonly profile: Profile
  readonly digest: Digest
  readonly notes: readonly string[]
}

/**
 * Compares a batch with the baseline of a version and stores the check.
 * @throws notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `STAGE_EMPTY`, `BASELINE_MISSING`, `DATA_NOT_FOUND`;
 *   usage `THRESHOLD_INVALID`, `DATA_IS_DIRECTORY`; failed `DATA_…`, `PROFILE_UNREADABLE`; interrupted
 */
export async function checkDrift(
  ctx: Context,
  project: Project,
  store: Store,
  request: CheckRequest,
): Promise<CheckResult> {
  const ref = typeof request.ref === 'string' ? parseModelRef(request.ref) : request.ref
  const state = await store.models.state(ref.model)
  const version = resolveVersion(state, ref, 'production')
  const config = modelConfig(project, ref.model)
  const options = compareOptions(project, ref.model, request)
  const reference = await findReference(ctx, store, state, version, request, config.schema)
  const baseline = withRoles(reference.profile, config.schema)
  const reading = readingOptions(ctx)
  const batch = await profileBatch(baseline, request.current, reading)
  const comparison = compareProfiles(baseline, batch.profile, options)
  const configuration = sha256(canonicalJson({ format: 1, ...options, roles: rolesOf(baseline) }))
  const result: CheckResult = {
    format: 1,
    model: ref.model,
    version: version.version,
    time: ctx.now().toISOString(),
    metric: options.metric,
    reference: { name: reference.name, profile: reference.digest, rows: baseline.rows },
    current: batch.data,
    ...comparison,
    notes: [...reference.notes, ...batch.notes, ...comparison.notes],
    configuration,
  }
  await storeCheck(ctx, store, version, result)
  return result
}

/** What decides a check: flags over mlops.yaml over the metric's default. Thresholds belong to their metric. */
function compareOptions(
  project: Project,
  model: string,
  request: CheckRequest,
): CompareOptions & { threshold: number } {
  const { drift, schema } = modelConfig(project, model)
  const metric = request.metric ?? drift.metric
  const isConfigured = metric === drift.metric
  const threshold = request.threshold ?? (isConfigured ? drift.threshold : undefined) ?? DEFAULT_THRESHOLD[metric]
  if (!(threshold > 0) || !Number.isFinite(threshold)) {
    throw usage({
      code: 'THRESHOLD_INVALID',
      message: `A threshold must be a number above 0; ${threshold} is not.`,
      hint: `The default of ${metric} is ${DEFAULT_THRESHOLD[metric]}`,
    })
  }
  const ignored = Object.entries(schema.columns).filter(([, type]) => type === 'ignore' || type === 'id')
  return {
    metric,
    threshold,
    columns: isConfigured ? drift.columns : {},
    ignored: ignored.map(([name]) => name).sort(),
  }
}

async function findReference(
  ctx: Context,
  store: Store,
  state: ModelState,
  version: VersionState,
  request: CheckRequest,
  schema: SchemaConfig,
): Promise<Reference> {
  const against = request.against ?? 'baseline'
  if (against === 'baseline') return baselineOf(store, state, version, request)
  if (against === 'previous') {
    throw usage({
      code: 'AGAINST_UNSUPPORTED',
      message: 'There are no earlier windows to compare with: checks read one file.',
      hint: 'Name the earlier file: --against FILE',
    })
  }
  if (against.startsWith('@')) {
    const other = resolveVersion(state, parseModelRef(`${state.model}${against}`), 'production')
    return baselineOf(store, state, other, request)
  }
  const { profile, bytes, notes } = await profileBaseline(against, { ...readingOptions(ctx), schema })
  return { name: against, profile, digest: sha256(bytes), notes }
}

/** The version's own baseline, or else the one that training code set for the model. */
async function baselineOf(
  store: Store,
  state: ModelState,
  version: VersionState,
  request: CheckRequest,
): Promise<Reference> {
  const name = versionName(state.model, version.version)
  const manifest = await store.models.manifest(version.manifest)
  const digest = manifest.baseline?.profile ?? state.baseline?.profile.sha256
  if (digest === undefined) {
    throw notFound({
      code: 'BASELINE_MISSING',
      message: `${name} was registered without a baseline: there is nothing to compare with.`,
      hint: `Compare with its training data: mlops drift ${name} --current ${redactText(request.current)} --against TRAINING.csv; next time register with --baseline TRAINING.csv`,
    })
  }
  const profile = parseProfile(await store.objects.read(digest), name)
  const owner = manifest.baseline === undefined ? state.model : name
  return { name: `baseline of ${owner}`, profile, digest, notes: [] }
}

/** Roles as mlops.yaml has them today: a prediction column named after registering counts as one. */
function withRoles(profile: Profile, schema: SchemaConfig): Profile {
  const { target, prediction } = schema
  if (target === undefined && prediction === undefined) return profile
  const role = (column: ColumnProfile) => {
    if (column.name === prediction) return 'prediction'
    if (column.name === target) return 'target'
    const isReplaced = column.role === 'prediction' ? prediction !== undefined : target !== undefined
    return column.role === 'feature' || isReplaced ? 'feature' : column.role
  }
  return { ...profile, columns: profile.columns.map((column) => ({ ...column, role: role(column) })) }
}

const rolesOf = (profile: Profile): Record<string, string> =>
  Object.fromEntries(profile.columns.filter(({ role }) => role !== 'feature').map(({ name, role }) => [name, role]))

const readingOptions = (ctx: Context) => ({
  cwd: ctx.cwd,
  ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
  ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
})

/** A verdict that cannot be stored is still a verdict: the person hears both. */
async function storeCheck(ctx: Context, store: Store, version: VersionState, result: CheckResult): Promise<void> {
  const { model, reference, current, configuration } = result
  const key = sha256(
    canonicalJson({
      version: version.version,
      manifest: version.manifest,
      reference: reference.profile,
      window: { sha256: current.sha256 },
      configuration,
    }),
  )
  try {
    await store.checks.put(model, key, JSON.parse(canonicalJson(result)) as Json)
  } catch (error) {
    if (!(error instanceof MlopsError) || !error.code.startsWith('STORE_')) throw error
    ctx.warn(`The check was not stored: ${error.message}`)
  }
}
