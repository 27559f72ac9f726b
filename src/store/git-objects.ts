/** Which objects must travel with a record, so that whoever has the record has what it relies on. */
import type { Digest } from '../core/digest.ts'
import type { Backend } from './backend.ts'
import { MAX_CARRIED_BYTES } from './git-carried.ts'
import type { Git } from './git-dir.ts'
import type { NewFile } from './git-push.ts'
import { objectKey } from './layout.ts'
import type { Manifest } from './manifest.ts'
import { type Reference, referencedByManifest, referencedByRun } from './references.ts'
import type { RunEnd, RunStart } from './run-records.ts'

/** Records that name further objects are small. */
const MAX_RECORD_BYTES = 8 << 20

/**
 * The objects of this folder that the record names, and those that a manifest or `run.json` among them names: anything
 * that looks like a digest and is an object here, so that a new kind of pin cannot be forgotten.
 */
export async function objectsOfRecord(local: Backend, record: Buffer): Promise<ObjectsOfRecord> {
  const seen = new Set<Digest>()
  const carried: Digest[] = []
  const tooLarge: Reference[] = []
  const pending = digestsIn(record)
  for (const reference of pending) {
    const digest = reference.sha256
    if (seen.has(digest)) continue
    seen.add(digest)
    const stat = await local.stat(objectKey(digest))
    if (stat?.kind !== 'file') continue
    if (stat.size > MAX_CARRIED_BYTES) {
      tooLarge.push(reference)
      continue
    }
    carried.push(digest)
    if (stat.size <= MAX_RECORD_BYTES) pending.push(...(await namedBy(local, digest)))
  }
  return { carried, tooLarge }
}

export interface ObjectsOfRecord {
  readonly carried: readonly Digest[]
  /** They stay in this folder. */
  readonly tooLarge: readonly Reference[]
}

const digestsIn = (record: Buffer): Reference[] =>
  (record.toString('latin1').match(/(?<=")[0-9a-f]{64}(?=")/g) ?? []).map((sha256) => ({ sha256, what: 'object' }))

async function namedBy(local: Backend, digest: Digest): Promise<readonly Reference[]> {
  const bytes = await local.get(objectKey(digest))
  if (bytes?.at(0) !== 0x7b) return []
  try {
    const record = JSON.parse(bytes.toString('utf8')) as Manifest & RunStart & Pick<RunEnd, 'late'>
    if (Array.isArray(record.files) && typeof record.model === 'string') return referencedByManifest(record)
    // The patch, the list of packages and the list of its data; what else a run kept or produced stays where it ran:
    // people who read the branch are not meant to get the data.
    const run = { ...record, ...record.late }
    if (run.git === undefined && run.python === undefined && run.late === undefined) return []
    return referencedByRun({ ...run, data: (run.data ?? []).map(({ snapshot: _, ...each }) => each) }, undefined)
  } catch {
    return []
  }
}

/** Those that the branch does not have at `base`, to be put into a commit. */
export async function newObjects(
  git: Git,
  local: Backend,
  base: string,
  wanted: readonly Digest[],
): Promise<NewFile[]> {
  if (wanted.length === 0) return []
  const asked = wanted.map((digest) => `${base}:${objectKey(digest)}\n`).join('')
  const { stdout } = await git(['cat-file', '--batch-check'], { input: [Buffer.from(asked)] })
  const answers = stdout.toString('latin1').split('\n')
  const files: NewFile[] = []
  for (const [n, digest] of wanted.entries()) {
    if (!(answers[n] ?? '').endsWith(' missing')) continue
    files.push(await fileOf(local, objectKey(digest)))
  }
  return files
}

/** A file of the folder, for a commit. */
export async function fileOf(local: Backend, key: string): Promise<NewFile> {
  const size = (await local.stat(key))?.size ?? 0
  return { key, size, bytes: () => chunksOf(local, key) }
}

async function* chunksOf(local: Backend, key: string): AsyncIterable<Uint8Array> {
  // A chunk is valid until the next is asked for, and git may take it later.
  for await (const chunk of (await local.read(key)) ?? []) yield Buffer.from(chunk)
}
