/**
 * One comparison of a batch with a reference, in three steps: `prepareCheck` finds the reference, `compareBatch` counts
 * the batch into it and compares, `storeCheck` keeps the result. `checkDrift` does all three for data that a person
 * names; `src/monitor/` puts the window, the service and the labels between the last two. The statistics are in
 * `compare.ts`, the reference in `reference.ts`, reading data in `baseline.ts`, text for people in `src/ui/views/drift.ts`.
 */
import { canonicalJson, type Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { MlopsError, usage } from '../core/errors.ts'
import { type ModelRef, parseModelRef } from '../core/names.ts'
import type { DataInput } from '../data/input.ts'
import type { MetricName, Project, SchemaConfig } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { Manifest } from '../store/manifest.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { Store } from '../store/store.ts'
import { type Baseline, profileBatch } from './baseline.ts'
import { type CompareOptions, compareProfiles } from './compare.ts'
import type { Importances } from './importances.ts'
import { retypedNotes } from './infer.ts'
import { DEFAULT_THRESHOLD } from './measure-column.ts'
import type { Profile } from './profile.ts'
import { findReference, type Reference, readingOptions, withRoles } from './reference.ts'
import type { CheckResult } from './types.ts'

/** What is compared with what, and how it is judged. */
export interface ComparisonRequest {
  /** `churn-model`, `churn-model@3`, `churn-model@production`; the bare name means production, else the newest. */
  readonly ref: string | ModelRef
  /** `baseline` (default), `@V`, `@STAGE`: that version's baseline; anything else is data. */
  readonly against?: string | DataInput
  /** Overrides `drift.metric` of mlops.yaml, and with it the thresholds written there for another metric. */
  readonly metric?: MetricName
  readonly threshold?: number
  /** Applies where mlops.yaml names no threshold: what the code of the model asked for. */
  readonly fallbackThreshold?: number
  /** Columns that are left out besides those that mlops.yaml names. */
  readonly ignored?: readonly string[]
  /** Columns of the baseline that the prediction log cannot have, and why. */
  readonly unlogged?: CompareOptions['unlogged']
  /** The order of the columns. */
  readonly importances?: Importances
  /** Types of columns where neither mlops.yaml nor the data decide: so that data of `against` is read as the baseline was. */
  readonly types?: SchemaConfig['columns']
}

export interface CheckRequest extends ComparisonRequest {
  /** The batch: a word of the user's, relative to his folder, or an input. */
  readonly current: string | DataInput
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

/** A comparison whose reference is at hand. */
export interface PreparedCheck {
  readonly state: ModelState
  readonly version: VersionState
  readonly manifest: Manifest
  /** With the roles of mlops.yaml as it is today. */
  readonly reference: Reference
  readonly options: CompareOptions & { readonly metric: MetricName; readonly threshold: number }
}

/**
 * Compares a batch with the baseline of a version and stores the check.
 * @throws as `prepareCheck` and `compareBatch`
 */
export async function checkDrift(
  ctx: Context,
  project: Project,
  store: Store,
  request: CheckRequest,
): Promise<CheckResult> {
  const prepared = await prepareCheck(ctx, project, store, request)
  const result = await compareBatch(ctx, prepared, request.current)
  await storeCheck(ctx, store, prepared, result)
  return result
}

/**
 * @throws notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `STAGE_EMPTY`, `BASELINE_MISSING`; usage `THRESHOLD_INVALID`;
 *   failed `PROFILE_UNREADABLE`; what profiling the data of `against` throws
 */
export async function prepareCheck(
  ctx: Context,
  project: Project,
  store: Store,
  request: ComparisonRequest & { readonly current?: string | DataInput },
): Promise<PreparedCheck> {
  const ref = typeof request.ref === 'string' ? parseModelRef(request.ref) : request.ref
  const state = await store.models.state(ref.model)
  const version = resolveVersion(state, ref, 'production')
  const manifest = await store.models.manifest(version.manifest)
  const schema = schemaOf(modelConfig(project, ref.model).schema, manifest, request.types)
  const options = compareOptions(project, ref.model, request)
  const found = await findReference(ctx, store, { state, version, request, schema })
  const notes = [...found.notes, ...retypedNotes(found.profile.columns, schema)]
  return {
    state,
    version,
    manifest,
    reference: { ...found, notes, profile: withRoles(found.profile, schema) },
    options,
  }
}

/** As mlops.yaml says today; where it is silent, as it said when the version was registered. */
function schemaOf(configured: SchemaConfig, manifest: Manifest, types: SchemaConfig['columns'] = {}): SchemaConfig {
  const target = configured.target ?? manifest.target
  const prediction = configured.prediction ?? manifest.prediction
  return {
    columns: { ...types, ...configured.columns },
    ...(target === undefined ? {} : { target }),
    ...(prediction === undefined ? {} : { prediction }),
  }
}

/** Not stored yet. @throws as `profileBatch` */
export async function compareBatch(
  ctx: Context,
  prepared: PreparedCheck,
  current: string | DataInput,
): Promise<CheckResult> {
  return compareCounted(ctx, prepared, await profileBatch(prepared.reference.profile, current, readingOptions(ctx)))
}

/** @param batch counted into the definitions of the reference. Not stored yet. */
export function compareCounted(
  ctx: Context,
  { state, version, reference, options }: PreparedCheck,
  batch: Pick<Baseline, 'profile' | 'data' | 'notes'>,
): CheckResult {
  const comparison = compareProfiles(reference.profile, batch.profile, options)
  return {
    format: 1,
    model: state.model,
    version: version.version,
    time: ctx.now().toISOString(),
    metric: options.metric,
    reference: recorded(reference),
    current: batch.data,
    ...comparison,
    notes: [...reference.notes, ...batch.notes, ...comparison.notes],
    configuration: configurationOf(reference.profile, options),
  }
}

/** As it stands in the record of a check. */
const recorded = ({ name, profile, digest, isKept }: Reference): CheckResult['reference'] => ({
  name,
  profile: digest,
  rows: profile.rows,
  ...(isKept ? {} : { kept: false as const }),
})

/** @param more what else decides the check: another digest without it, and with every other value of it */
export function configurationOf(
  reference: Profile,
  { importances: _order, ...options }: CompareOptions,
  more: Readonly<Record<string, Json>> = {},
): Digest {
  return sha256(canonicalJson({ format: 1, ...options, roles: rolesOf(reference), ...more } as unknown as Json))
}

/** What decides a check: flags over mlops.yaml over the metric's default. Thresholds belong to their metric. */
function compareOptions(project: Project, model: string, request: ComparisonRequest): PreparedCheck['options'] {
  const { drift, schema } = modelConfig(project, model)
  const metric = request.metric ?? drift.metric
  const isConfigured = metric === drift.metric
  const configured = isConfigured ? (drift.threshold ?? request.fallbackThreshold) : undefined
  const threshold = request.threshold ?? configured ?? DEFAULT_THRESHOLD[metric]
  if (!(threshold > 0) || !Number.isFinite(threshold)) {
    throw usage({
      code: 'THRESHOLD_INVALID',
      message: `A threshold must be a number above 0; ${threshold} is not.`,
      hint: `The default of ${metric} is ${DEFAULT_THRESHOLD[metric]}`,
    })
  }
  const unread = Object.entries(schema.columns).filter(([, type]) => type === 'ignore' || type === 'id')
  const ignored = new Set([...unread.map(([name]) => name), ...(request.ignored ?? [])])
  return {
    metric,
    threshold,
    columns: isConfigured ? drift.columns : {},
    ignored: [...ignored].sort(),
    ...(Object.keys(request.unlogged ?? {}).length === 0 ? {} : { unlogged: request.unlogged ?? {} }),
    ...(request.importances === undefined ? {} : { importances: request.importances }),
  }
}

const rolesOf = (profile: Profile): Record<string, string> =>
  Object.fromEntries(profile.columns.filter(({ role }) => role !== 'feature').map(({ name, role }) => [name, role]))

/**
 * The name under which a check is stored: the same question gets the same one.
 * @param more what identifies the window besides the bytes of its rows
 */
export function checkKeyOf(
  { version }: Pick<PreparedCheck, 'version'>,
  { reference, current, configuration }: Pick<CheckResult, 'reference' | 'current' | 'configuration'>,
  more: Readonly<Record<string, Json>> = {},
): Digest {
  return sha256(
    canonicalJson({
      version: version.version,
      manifest: version.manifest,
      reference: reference.profile,
      window: { sha256: current.sha256, ...more },
      configuration,
    }),
  )
}

/**
 * A verdict that cannot be stored is still a verdict: the person hears both.
 * @returns false when this very check had been stored before
 */
export async function storeCheck(
  ctx: Context,
  store: Store,
  prepared: Pick<PreparedCheck, 'version'>,
  result: CheckResult,
  more: Readonly<Record<string, Json>> = {},
): Promise<boolean> {
  try {
    const record = JSON.parse(canonicalJson(result as unknown as Json)) as Json
    return await store.checks.put(result.model, checkKeyOf(prepared, result, more), record)
  } catch (error) {
    if (!(error instanceof MlopsError) || !error.code.startsWith('STORE_')) throw error
    // A command that only looks (`retrain --plan`) leaves nothing behind, as it should.
    if (error.code === 'STORE_OPENED_FOR_READING') return true
    ctx.warn(`The check was not stored: ${error.message}`)
    return true
  }
}
