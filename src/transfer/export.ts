/**
 * One version as an archive: everything that makes it up and where it comes from, re-hashed on the way out. What is in
 * it is immutable, so the same version gives the same bytes wherever and whenever it is exported: no stages, no later
 * tags, no time of the export.
 */
import { resolve } from 'node:path'
import { canonicalBytes } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { MlopsError } from '../core/errors.ts'
import { type ModelRef, versionName } from '../core/names.ts'
import { assertIntact } from '../lifecycle/versions/integrity.ts'
import type { Pin, RegisterBody } from '../store/events.ts'
import type { VersionState } from '../store/fold.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { RunEnd, RunStart } from '../store/run-records.ts'
import { seal } from '../store/sealed.ts'
import type { Store } from '../store/store.ts'
import { mentionedBy, type Part, partsOf } from './contents.ts'
import {
  ARCHIVE_FORMAT,
  ARCHIVE_KIND,
  type ArchiveIndex,
  byName,
  INDEX,
  type IndexEntry,
  MANIFEST,
  ORIGIN,
  type Origin,
  objectEntry,
} from './format.ts'
import { type Outgoing, writeArchive } from './write-archive.ts'

export interface ExportRequest {
  /** The model alone means the version in production, else its newest. */
  readonly ref: ModelRef
  /** Relative to `ctx.cwd`; `MODEL@V.tar` there when undefined. */
  readonly output?: string
}

export interface ExportResult {
  readonly model: string
  readonly version: number
  readonly manifest: Digest
  readonly archive: { readonly file: string; readonly sha256: Digest; readonly size: number; readonly entries: number }
  /** How many files of the model are in it. */
  readonly files: number
  /** What the run's records mention and the store no longer has whole, so that the archive goes without. */
  readonly missing: readonly string[]
}

/** @throws failed `VERSION_DAMAGED`, `FILE_…`; usage `DESTINATION_EXISTS`; notFound for model and version */
export async function exportVersion(ctx: Context, store: Store, request: ExportRequest): Promise<ExportResult> {
  const { ref } = request
  const state = await store.models.state(ref.model)
  const version = resolveVersion(state, ref, 'production')
  const name = versionName(ref.model, version.version)
  await assertIntact(ctx, store, ref.model, version, {
    tolerate: 'nothing',
    undone: 'nothing was exported',
    hint: `See the damage: mlops model verify ${name}. Another version may be whole: mlops model history ${ref.model}`,
  })
  const file = request.output ?? `${name}.tar`
  const { entries, missing, files } = await collect(ctx, store, version)
  const archive = await writeArchive(ctx, resolve(ctx.cwd, file), entries)
  return {
    model: ref.model,
    version: version.version,
    manifest: version.manifest,
    archive: { file, ...archive, entries: entries.length },
    files,
    missing,
  }
}

async function collect(ctx: Context, store: Store, version: VersionState) {
  const manifestBytes = await store.objects.read(version.manifest)
  const manifest = await store.models.manifest(version.manifest)
  const event = version.registered
  const body = event.body as RegisterBody
  const origin: Origin = {
    format: ARCHIVE_FORMAT,
    store: store.id,
    event: JSON.parse(seal({ ...event }).toString('utf8')),
  }
  const objects = new Map<Digest, Pin>()
  for (const part of partsOf(manifest, body)) objects.set(part.sha256, await store.objects.verify(part.sha256))
  const missing: string[] = []
  for (const part of await mentioned(store, body)) {
    const pin = await wholeOrNot(ctx, store, part, missing)
    if (pin !== undefined) objects.set(pin.sha256, pin)
  }
  const originBytes = canonicalBytes(origin)
  const inner = [
    inMemory(MANIFEST, manifestBytes),
    inMemory(ORIGIN, originBytes),
    ...[...objects.values()].map((pin) => ({
      ...pin,
      path: objectEntry(pin.sha256),
      open: () => store.objects.chunks(pin.sha256),
    })),
  ].sort(byName)
  const index: ArchiveIndex = {
    format: ARCHIVE_FORMAT,
    kind: ARCHIVE_KIND,
    model: event.model,
    version: version.version,
    manifest: version.manifest,
    entries: inner.map(({ path, sha256: digest, size }) => ({ path, sha256: digest, size })),
  }
  return { entries: [inMemory(INDEX, canonicalBytes(index)), ...inner], missing, files: manifest.files.length }
}

const inMemory = (path: string, bytes: Buffer): Outgoing & IndexEntry => ({
  path,
  sha256: sha256(bytes),
  size: bytes.length,
  open: () => [bytes],
})

async function mentioned(store: Store, { run }: RegisterBody): Promise<Part[]> {
  if (run === undefined) return []
  const start = await store.objects.readJson<RunStart>(run.run.sha256)
  const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
  return mentionedBy(start, end)
}

/** A lost patch of years ago must not keep a sound model from being handed on. */
async function wholeOrNot(ctx: Context, store: Store, part: Part, missing: string[]): Promise<Pin | undefined> {
  try {
    return await store.objects.verify(part.sha256)
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    missing.push(part.what)
    ctx.warn(`the archive goes without the ${part.what} of the run: ${error.message}`)
    return undefined
  }
}
