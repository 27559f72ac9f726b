/**
 * What a batch is compared with: the baseline of a version, or data that are read as one; with the roles of its columns
 * as mlops.yaml has them today. Comparing and storing is in `check.ts`.
 */
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { notFound, usage } from '../core/errors.ts'
import { parseModelRef, versionName } from '../core/names.ts'
import { redactText } from '../core/redact.ts'
import { asInput, type DataInput } from '../data/input.ts'
import type { SchemaConfig } from '../project/config.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { Store } from '../store/store.ts'
import { profileBaseline } from './baseline.ts'
import { type ColumnProfile, type Profile, parseProfile } from './profile.ts'

export interface Reference {
  readonly name: string
  readonly profile: Profile
  readonly digest: Digest
  readonly notes: readonly string[]
  /** Its profile is an object in the store. */
  readonly isKept: boolean
  /** Whose own baseline it is; absent for data that were read, and for a baseline that the model has as a whole. */
  readonly owner?: VersionState
}

interface ReferenceRequest {
  /** `baseline` (default), `@V`, `@STAGE`: that version's baseline; anything else is data. */
  readonly against?: string | DataInput
  /** The batch, for the next command to type. */
  readonly current?: string | DataInput
}

/** @throws as `prepareCheck` */
export async function findReference(
  ctx: Context,
  store: Store,
  wanted: {
    readonly state: ModelState
    readonly version: VersionState
    readonly request: ReferenceRequest
    readonly schema: SchemaConfig
  },
): Promise<Reference> {
  const { state, version, request, schema } = wanted
  const against = request.against ?? 'baseline'
  if (against === 'baseline') return baselineOf(store, state, version, request.current)
  if (against === 'previous') {
    throw usage({
      code: 'AGAINST_UNSUPPORTED',
      message: 'Data that is named has no window before it: --against previous needs the prediction log.',
      hint: 'Name the earlier data: --against DATA; or leave --current out to look at the prediction log',
    })
  }
  if (typeof against === 'string' && against.startsWith('@')) {
    const other = resolveVersion(state, parseModelRef(`${state.model}${against}`), 'production')
    return baselineOf(store, state, other, request.current)
  }
  const { name } = asInput(against)
  // Roles are given afterwards: what has no labels yet is nothing to remark on.
  const { columns } = schema
  const { profile, bytes, notes } = await profileBaseline(against, { ...readingOptions(ctx), schema: { columns } })
  return { name, profile, digest: sha256(bytes), notes, isKept: false }
}

/** The version's own baseline, or else the one that training code set for the model. */
async function baselineOf(
  store: Store,
  state: ModelState,
  version: VersionState,
  current: string | DataInput | undefined,
): Promise<Reference> {
  const name = versionName(state.model, version.version)
  const manifest = await store.models.manifest(version.manifest)
  const digest = manifest.baseline?.profile ?? state.baseline?.profile.sha256
  if (digest === undefined) {
    const batch = current === undefined ? '' : ` --current ${redactText(asInput(current).name)}`
    const before = current === undefined ? `, or with the window before: mlops drift ${name} --against previous` : ''
    throw notFound({
      code: 'BASELINE_MISSING',
      message: `${name} was registered without a baseline: there is nothing to compare with.`,
      hint: `Compare with its training data: mlops drift ${name}${batch} --against TRAINING.csv${before}; next time register with --baseline TRAINING.csv`,
    })
  }
  const profile = parseProfile(await store.objects.read(digest), name)
  const found = { profile, digest, notes: [], isKept: true }
  if (manifest.baseline === undefined) return { ...found, name: `baseline of ${state.model}` }
  return { ...found, name: `baseline of ${name}`, owner: version }
}

/** Roles as mlops.yaml has them today: a prediction column named after registering counts as one. */
export function withRoles(profile: Profile, schema: SchemaConfig): Profile {
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

export const readingOptions = (ctx: Context) => ({
  cwd: ctx.cwd,
  ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
  ...(ctx.stdin === undefined ? {} : { stdin: ctx.stdin }),
  ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
})
