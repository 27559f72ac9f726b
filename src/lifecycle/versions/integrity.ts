/**
 * Verification at use: every byte of a version is hashed again before a stage moves to it, and by `model verify`.
 * A read-only bit proves nothing. Nothing here writes.
 */
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { failed, isMlopsError, MlopsError } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { VersionState } from '../../store/fold.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'

/** One object of a version. `evidence` tells how it came to be; `model` is what runs. */
export interface Part {
  /** `model.joblib`, `manifest`, `baseline profile`, `run.json of run 01J…`. */
  readonly name: string
  readonly kind: 'model' | 'evidence'
  readonly sha256: Digest
  /** Undefined when no record says it. */
  readonly size: number | undefined
}

export interface Damage {
  readonly name: string
  readonly kind: Part['kind']
  readonly sha256: Digest
  /** One sentence that names the file of the store. */
  readonly problem: string
}

export interface IntegrityReport {
  readonly model: string
  readonly version: number
  readonly parts: number
  /** Bytes hashed. */
  readonly bytes: number
  readonly damage: readonly Damage[]
}

/** Hashes all objects of a version. A damaged manifest ends it: nothing else is known then. */
export async function verifyVersion(
  ctx: Context,
  store: Store,
  model: string,
  version: VersionState,
): Promise<IntegrityReport> {
  const name = versionName(model, version.version)
  const root: Part = { name: 'manifest', kind: 'model', sha256: version.manifest, size: undefined }
  let manifest: Manifest
  try {
    manifest = await store.models.manifest(version.manifest)
  } catch (error) {
    return { model, version: version.version, parts: 1, bytes: 0, damage: [damageOf(root, error)] }
  }
  const parts = partsOf(manifest, version)
  const total = parts.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const damage: Damage[] = []
  let bytes = 0
  for (const part of parts) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`verifying ${name}: ${part.name}`, total === 0 ? undefined : bytes / total)
    try {
      const pin = await store.objects.verify(part.sha256)
      bytes += pin.size
    } catch (error) {
      damage.push(damageOf(part, error))
    }
  }
  return { model, version: version.version, parts: parts.length + 1, bytes, damage }
}

/** @param tolerate damaged evidence is only warned about: a rollback at night must not wait for a lost record */
export async function assertIntact(
  ctx: Context,
  store: Store,
  model: string,
  version: VersionState,
  options: {
    readonly tolerate: 'nothing' | 'evidence'
    readonly hint: string | (() => Promise<string>)
    readonly undone?: string
  },
): Promise<void> {
  const { damage } = await verifyVersion(ctx, store, model, version)
  const refusing = damage.filter(({ kind }) => kind === 'model' || options.tolerate === 'nothing')
  const name = versionName(model, version.version)
  if (refusing.length === 0) {
    for (const each of damage) ctx.warn(`${each.name} of ${name} is damaged, its files are intact: ${each.problem}`)
    return
  }
  const absent = await absence(store, refusing)
  if (absent !== undefined) throw absent
  const problems = refusing.map((each) => `${each.name}: ${each.problem}`)
  throw failed({
    code: 'VERSION_DAMAGED',
    message: `${name} is damaged; ${options.undone ?? 'nothing was moved'}.`,
    hint: typeof options.hint === 'string' ? options.hint : await options.hint(),
    details: { model, version: version.version, damage: refusing, problems },
  })
}

/** Nothing is broken where all that is lacking is in another folder of the team: then that is what is said. */
async function absence(store: Store, refusing: readonly Damage[]): Promise<MlopsError | undefined> {
  let first: MlopsError | undefined
  for (const { sha256 } of refusing) {
    const error = await store.objects.verify(sha256).catch((problem: unknown) => problem)
    if (!isMlopsError(error) || error.code !== 'VERSION_NOT_HERE') return undefined
    first ??= error
  }
  return first
}

function partsOf(manifest: Manifest, version: VersionState): Part[] {
  const { baseline, testPredictions, examples } = manifest
  const { run } = version
  const evidence = 'evidence' as const
  return [
    ...manifest.files.map(({ path, sha256, size }): Part => ({ name: path, kind: 'model', sha256, size })),
    ...(examples === undefined ? [] : [{ name: 'examples', kind: evidence, ...examples }]),
    ...(baseline === undefined
      ? []
      : [{ name: 'baseline profile', kind: evidence, sha256: baseline.profile, size: undefined }]),
    ...(baseline?.segments === undefined
      ? []
      : [
          {
            name: 'baseline segments',
            kind: evidence,
            sha256: baseline.segments.sha256,
            size: baseline.segments.size,
          },
        ]),
    ...(testPredictions === undefined ? [] : [{ name: 'test predictions', kind: evidence, ...testPredictions }]),
    ...(run === undefined ? [] : [{ name: `run.json of run ${run.id}`, kind: evidence, ...run.run }]),
    ...(run?.end === undefined ? [] : [{ name: `end.json of run ${run.id}`, kind: evidence, ...run.end }]),
  ]
}

function damageOf(part: Part, error: unknown): Damage {
  if (!(error instanceof MlopsError)) throw error
  return { name: part.name, kind: part.kind, sha256: part.sha256, problem: error.message }
}
