/**
 * Do the records of an archive say what they may, and does it hold just the objects that they need? Bytes and names were
 * checked before (`read-archive.ts`). Nothing is written.
 */
import { canonicalBytes } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import type { Check } from '../core/shape.ts'
import type { ModelEvent, Pin } from '../store/events.ts'
import type { Manifest } from '../store/manifest.ts'
import type { RunEnd, RunStart } from '../store/run-records.ts'
import { isRunEnd, isRunStart } from '../store/run-shapes.ts'
import { sealProblem } from '../store/sealed.ts'
import { mentionedBy, type Part, partsOf } from './contents.ts'
import { digestOf, INDEX, type IndexEntry, MANIFEST, ORIGIN, type Origin, objectEntry } from './format.ts'
import type { Archive } from './read-archive.ts'
import { clashingFiles, isManifest, isOrigin } from './records.ts'
import { entryRefused } from './refusal.ts'

/** What an archive holds, every record of it checked. */
export interface Contents {
  readonly manifest: Manifest
  /** Id of the store it was exported from. */
  readonly store: string
  /** The register event there. */
  readonly event: Extract<ModelEvent, { type: 'register' }>
  readonly origin: IndexEntry
  /** All objects: model files, evidence, provenance. */
  readonly objects: readonly IndexEntry[]
  /** Those of them that only the records of the run, or of an earlier import, mention. */
  readonly kept: readonly Pin[]
}

/** @throws failed `ARCHIVE_REFUSED` naming the entry */
export async function checkArchive(ctx: Context, archive: Archive): Promise<Contents> {
  const { file, index } = archive
  const entries = new Map(index.entries.map((entry) => [entry.path, entry]))
  const refuse = (path: string, why: string) => entryRefused(file, path, why)
  const read = async <T>(path: string, check: Check): Promise<T> => {
    ctx.signal?.throwIfAborted()
    const entry = entries.get(path)
    if (entry === undefined) throw refuse(INDEX, `it does not name ${path}`)
    const value = await archive.json(entry)
    const problem = check(value, '')
    if (problem !== undefined) throw refuse(path, problem)
    return value as T
  }

  const manifest = await read<Manifest>(MANIFEST, isManifest)
  const clash = clashingFiles(manifest)
  if (clash !== undefined) throw refuse(MANIFEST, clash)
  const origin = await read<Origin>(ORIGIN, isOrigin)
  const event = origin.event as unknown as Contents['event']
  const mismatch = originProblem(origin, event, manifest, index)
  if (mismatch !== undefined) throw refuse(ORIGIN, mismatch)

  const needed = partsOf(manifest, event.body)
  for (const part of needed) requirePart(part, entries, refuse)
  const { run } = event.body
  const start = run === undefined ? undefined : await read<RunStart>(objectEntry(run.run.sha256), isRunStart)
  if (start !== undefined && start.id !== run?.id)
    throw refuse(ORIGIN, `it pins the record of another run as ${run?.id}`)
  const end = run?.end === undefined ? undefined : await read<RunEnd>(objectEntry(run.end.sha256), isRunEnd)
  const mentioned = mentionedBy(start, end)
  for (const part of mentioned) if (entries.has(objectEntry(part.sha256))) requirePart(part, entries, refuse)

  const objects = index.entries.filter(({ path }) => digestOf(path) !== undefined)
  const known = new Set([...needed, ...mentioned].map(({ sha256 }) => sha256))
  const stranger = objects.find(({ sha256 }) => !known.has(sha256))
  if (stranger !== undefined) throw refuse(stranger.path, 'nothing in the archive refers to it')
  return {
    manifest,
    store: origin.store,
    event,
    origin: entries.get(ORIGIN) as IndexEntry,
    objects,
    kept: keptOf(objects, [...mentioned, ...earlier(event)]),
  }
}

/** The three records that name the version must name the same one. */
function originProblem(
  { event: record }: Origin,
  { model, body }: Contents['event'],
  manifest: Manifest,
  index: Archive['index'],
): string | undefined {
  const seal = sealProblem(canonicalBytes(record))
  if (seal !== undefined) return `its event was changed: ${seal}`
  if (body.manifest !== index.manifest) return 'its event registers another version than the one in the archive'
  if (model !== manifest.model) return `its event is of ${model}, the version is one of ${manifest.model}`
  if (index.model !== model || index.version !== body.version) {
    return `its event registers ${model}@${body.version}, and ${INDEX} says ${index.model}@${index.version}`
  }
  return undefined
}

type Refuse = (path: string, why: string) => Error

function requirePart({ sha256, size, what }: Part, entries: ReadonlyMap<string, IndexEntry>, refuse: Refuse): void {
  const path = objectEntry(sha256)
  const entry = entries.get(path)
  if (entry === undefined) throw refuse(path, `it is missing: the ${what}`)
  if (size !== undefined && size !== entry.size) {
    throw refuse(path, `it has ${entry.size} bytes, and the ${what} has ${size}`)
  }
}

/** Objects of an earlier import: its origin, and what it had kept. */
const earlier = ({ body: { imported } }: Contents['event']): readonly { readonly sha256: Digest }[] =>
  imported === undefined ? [] : [imported.origin, ...imported.kept]

function keptOf(objects: readonly IndexEntry[], wanted: readonly { readonly sha256: Digest }[]): Pin[] {
  const digests = new Set(wanted.map(({ sha256 }) => sha256))
  return objects.filter(({ sha256 }) => digests.has(sha256)).map(({ sha256, size }) => ({ sha256, size }))
}
