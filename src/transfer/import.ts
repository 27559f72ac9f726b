/**
 * A version out of an archive becomes the next version here. In two steps: first all of the archive is checked and
 * nothing is written, then its objects are stored and one register event is committed, as `register` does.
 *
 * An archive proves that its bytes belong together, not that what it says is true. So nothing of it is believed that
 * can be looked at here (the scan is made anew), and nothing of it is run (docs/transfer.md, "What is believed").
 */
import { resolve } from 'node:path'
import { canonicalBytes } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { given } from '../core/given.ts'
import { assertName } from '../core/names.ts'
import { storeFiles } from '../lifecycle/register/bundle.ts'
import { commitVersion } from '../lifecycle/register/commit.ts'
import { checkedMessage } from '../lifecycle/register/flags.ts'
import { stagesOf } from '../lifecycle/versions/version.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { ImportedFrom } from '../store/events.ts'
import { importedFrom, type VersionState } from '../store/fold.ts'
import type { Manifest, ManifestFile } from '../store/manifest.ts'
import { referencedByEvent, referencedByManifest } from '../store/references.ts'
import type { Store } from '../store/store.ts'
import { checkArchive } from './check-archive.ts'
import { type IndexEntry, ORIGIN } from './format.ts'
import { type ImportResult, originOf, resultOf, type Subject } from './import-result.ts'
import { type Archive, withArchive } from './read-archive.ts'
import { entryRefused } from './refusal.ts'

export interface ImportRequest {
  /** Relative to `ctx.cwd`. */
  readonly file: string
  /** The model here; that of the archive when undefined. */
  readonly as?: string
  /** Check all of the archive and stop there. */
  readonly dryRun?: boolean
  readonly idempotencyKey?: string
  readonly ciJob?: string
}

/**
 * @throws failed `ARCHIVE_REFUSED`, `ARCHIVE_DAMAGED`, `ARCHIVE_UNKNOWN`, `ARCHIVE_TOO_NEW`, `FILE_…`; notFound
 *   `FILE_NOT_FOUND`; usage `NAME_INVALID`, `NAME_TAKEN`, `NOT_A_FILE`; conflict `IDEMPOTENCY_MISMATCH`
 */
export async function importVersion(
  ctx: Context,
  project: Project,
  store: Store,
  request: ImportRequest,
): Promise<ImportResult> {
  if (request.as !== undefined) assertName('model', request.as)
  return withArchive(ctx, request.file, resolve(ctx.cwd, request.file), async (archive) => {
    const contents = await checkArchive(ctx, archive)
    ctx.signal?.throwIfAborted()
    const subject: Subject = { archive, contents, model: request.as ?? contents.manifest.model }
    const twin = await findTwin(store, subject)
    if (twin !== undefined) return existing(ctx, project, store, subject, twin, request.dryRun === true)
    if (request.dryRun === true) return resultOf(project, subject, { outcome: 'checked', version: null, held: [] })
    return registerImported(ctx, project, store, request, subject)
  })
}

/** The version that this archive became before, or was made from. */
async function findTwin(store: Store, { contents, model }: Subject): Promise<VersionState | undefined> {
  const digest = contents.event.body.manifest
  const { versions } = await store.models.stateOrEmpty(model)
  return versions.find((version) => version.manifest === digest || importedFrom(version)?.manifest === digest)
}

/** An archive is a backup too: what is damaged or lost of the version here comes back. */
async function existing(
  ctx: Context,
  project: Project,
  store: Store,
  subject: Subject,
  twin: VersionState,
  dryRun: boolean,
): Promise<ImportResult> {
  const { archive, contents } = subject
  const { manifest, origin } = contents
  if (!dryRun) {
    const needed = new Set([...referencedByManifest(manifest), ...referencedByEvent(twin.registered)].map(digestOf))
    await storeObjects(
      ctx,
      store,
      archive,
      [...contents.objects, origin].filter((entry) => needed.has(digestOf(entry))),
    )
    if (twin.manifest === contents.event.body.manifest) await store.objects.put(canonicalBytes(manifest))
  }
  const here = await store.models.manifest(twin.manifest)
  const stages = stagesOf(await store.models.state(subject.model), twin.version)
  return resultOf(project, subject, {
    outcome: 'already there',
    version: twin.version,
    held: stages,
    here,
    digest: twin.manifest,
  })
}

const digestOf = ({ sha256: digest }: { readonly sha256: Digest }): Digest => digest

/** An event has at most 64 KiB, and more stands in it than what the archive says. Bytes. */
const MOST_SAID = 60_000

async function registerImported(
  ctx: Context,
  project: Project,
  store: Store,
  request: ImportRequest,
  subject: Subject,
): Promise<ImportResult> {
  const { archive, contents, model } = subject
  const { event, origin } = contents
  const imported = importedOf(subject)
  // Before anything is written: an event that is too large would be refused after all was stored.
  if (canonicalBytes({ ...event.body, tags: [], imported }).length > MOST_SAID) {
    throw entryRefused(archive.file, ORIGIN, `it says more than ${MOST_SAID} bytes`)
  }
  const storeAll = async (): Promise<{ readonly manifest: Manifest; readonly digest: Digest }> => {
    await storeObjects(ctx, store, archive, [...contents.objects, origin])
    const files = await storeFiles(
      ctx,
      store,
      contents.manifest.files.map(({ path, sha256: digest, size }) => ({ path, stored: { sha256: digest, size } })),
    )
    const manifest = manifestHere(contents.manifest, model, files, modelConfig(project, model).evaluate)
    const { sha256: digest } = await store.objects.put(canonicalBytes(manifest))
    return { manifest, digest }
  }
  const { manifest, digest } = await storeAll()
  ctx.signal?.throwIfAborted()
  const { idempotencyKey, ciJob } = request
  const placed = await commitVersion(
    ctx,
    project,
    store,
    { model, ...given({ idempotencyKey, ciJob }) },
    {
      digest,
      pinned: event.body.run,
      // What tags mean is a matter of each store; those of the other one stand in origin.json.
      tags: [],
      message: checkedMessage(event.body.message),
      stage: undefined,
      imported,
      storeAll,
    },
  )
  const outcome = placed.existing === undefined ? 'imported' : 'already there'
  return resultOf(project, subject, { outcome, version: placed.version, held: [], here: manifest, digest })
}

async function storeObjects(
  ctx: Context,
  store: Store,
  archive: Archive,
  entries: readonly IndexEntry[],
): Promise<void> {
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  for (const entry of entries) {
    ctx.signal?.throwIfAborted()
    await store.objects.putChunks({ sha256: entry.sha256, size: entry.size }, () => interruptible(ctx, archive, entry))
    done += entry.size
    ctx.progress?.(`storing ${archive.file}`, total === 0 ? 1 : done / total)
  }
}

async function* interruptible(ctx: Context, archive: Archive, entry: IndexEntry): AsyncIterable<Uint8Array> {
  for await (const chunk of archive.chunks(entry)) {
    ctx.signal?.throwIfAborted()
    yield chunk
  }
}

/**
 * The manifest as it is registered here: under the name it has here, with the scan made here, and without a command that
 * somebody else wrote, which a promotion would run. Where none of it differs the digest is that of the archive.
 */
function manifestHere(
  manifest: Manifest,
  model: string,
  files: readonly ManifestFile[],
  configured: string | undefined,
): Manifest {
  const { evaluate, ...rest } = manifest
  return { ...rest, model, files, ...(evaluate !== undefined && evaluate === configured ? { evaluate } : {}) }
}

function importedOf({ archive, contents }: Subject): ImportedFrom {
  const { store, event, origin, kept } = contents
  return {
    archive: archive.sha256,
    ...originOf(contents),
    store,
    registered: { time: event.time, by: event.actor },
    origin: { sha256: origin.sha256, size: origin.size },
    kept,
  }
}
