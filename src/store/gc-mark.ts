/**
 * Marking: every object that anything in the store refers to. Records are read as text (`gc-scan.ts`), all of them:
 * what is left out is named here, everything else, known or not, counts. Reads only.
 */
import { createHash } from 'node:crypto'
import type { Digest } from '../core/digest.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import { linkInside } from './failures.ts'
import { DigestScanner, HEAD_BYTES, maySpeakOfObjects } from './gc-scan.ts'
import { CACHE, objectKey, PURGED, QUARANTINE, RESERVE, TMP, TRASHED_OBJECTS, TRASHED_RUNS } from './layout.ts'
import type { LocalBackend } from './local-backend.ts'
import { sealProblem } from './sealed.ts'

export interface Marking {
  readonly backend: LocalBackend
  /** The objects there are, in their places and aside: only these can be referred to. */
  readonly isObject: (digest: Digest) => boolean
  /** Objects that are needed whatever the records say: those of a shared branch. */
  readonly roots: Iterable<Digest>
  readonly step: (what: string) => void
}

/** Holds no records: objects themselves, hints of one machine, files on their way in, data that refers to nothing. */
const LEFT_OUT = new Set(['objects', TMP, QUARANTINE, CACHE, RESERVE, 'predictions', '.git', '.gitattributes'])
/** Of a run: what its command printed, and its numbers. Too long to be read, and no records. */
const NO_RECORDS = /^(?:trash\/)?runs\/[^/]+\/(?:output\.log|metrics)$/

/**
 * @returns every object that a record, or an object that is referred to, speaks of
 * @throws failed `STORE_DAMAGED` for a record whose bytes are not what was written: what it refers to cannot be known
 */
export async function mark(marking: Marking): Promise<Set<Digest>> {
  const reached = new Set<Digest>()
  const pending: Digest[] = []
  const reach = (digest: Digest): void => {
    if (reached.has(digest) || !marking.isObject(digest)) return
    reached.add(digest)
    pending.push(digest)
  }
  for (const digest of marking.roots) reach(digest)
  for (const { name, kind } of await marking.backend.list('')) {
    if (!LEFT_OUT.has(name) && name !== 'runs' && name !== 'trash') await markEntry(marking, name, kind, reach)
  }
  await markRuns(marking, reach)
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    await markObject(marking, digest, reach)
  }
  return reached
}

/** A run may go into the trash, or out of it, meanwhile: both are looked at until no look shows another one. */
async function markRuns(marking: Marking, reach: (digest: Digest) => void): Promise<void> {
  const seen = new Set<string>()
  for (let before = -1; before !== seen.size; ) {
    before = seen.size
    for (const folder of ['runs', TRASHED_RUNS, 'runs']) {
      for (const { name, kind } of await marking.backend.list(folder)) {
        // What is no folder is looked at each time: it may be anything.
        if (kind === 'folder' && seen.has(name)) continue
        if (await markEntry(marking, `${folder}/${name}`, kind, reach)) seen.add(name)
      }
    }
  }
  for (const { name, kind } of await marking.backend.list('trash')) {
    const key = `trash/${name}`
    if (![TRASHED_OBJECTS, TRASHED_RUNS, PURGED].includes(key)) await markEntry(marking, key, kind, reach)
  }
}

/** @returns false when it went away while it was looked at */
async function markEntry(
  marking: Marking,
  key: string,
  kind: string,
  reach: (digest: Digest) => void,
): Promise<boolean> {
  const { backend, step } = marking
  if (NO_RECORDS.test(key)) return true
  // What lies behind it is read by those who follow it, and not by us.
  if (kind === 'link') throw linkInside(backend.root, backend.path(key))
  if (kind === 'folder') {
    for (const entry of await backend.list(key)) await markEntry(marking, `${key}/${entry.name}`, entry.kind, reach)
    return backend.stat(key).then((found) => found !== undefined)
  }
  if (kind !== 'file') return true
  step(key)
  return key.endsWith('.json') ? markRecord(backend, key, reach) : markFile(backend, key, reach)
}

async function markRecord(backend: LocalBackend, key: string, reach: (digest: Digest) => void): Promise<boolean> {
  const bytes = await backend.get(key)
  if (bytes === undefined) return false
  new DigestScanner(reach).take(bytes)
  const problem = isSealed(key) ? sealProblem(bytes) : undefined
  if (problem !== undefined) throw unreadable(backend, key, problem)
  return true
}

/** Hints have no seal, and may be torn. */
const isSealed = (key: string): boolean =>
  /^(?:log|(?:trash\/)?runs)\//.test(key) || /^models\/[^/]+\/(?:log|checks|alerts|jobs)\//.test(key)

async function markFile(backend: LocalBackend, key: string, reach: (digest: Digest) => void): Promise<boolean> {
  const chunks = await backend.read(key)
  if (chunks === undefined) return false
  const scanner = new DigestScanner(reach)
  for await (const chunk of chunks) scanner.take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  return true
}

/** Most objects are files of models and data, which speak of nothing: their beginning tells. */
async function markObject(marking: Marking, digest: Digest, reach: (digest: Digest) => void): Promise<void> {
  const { backend, step } = marking
  const key = objectKey(digest)
  step(key)
  const chunks = await backend.read(key)
  if (chunks === undefined) return
  const scanner = new DigestScanner(reach)
  const hash = createHash('sha256')
  // In how many pieces a file is read is not for this to know.
  let head = Buffer.alloc(0)
  let isDecided = false
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (!isDecided) head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)])
    if (!isDecided && head.length >= HEAD_BYTES) {
      if (!maySpeakOfObjects(head)) return
      isDecided = true
    }
    hash.update(bytes)
    scanner.take(bytes)
  }
  if (!isDecided && !maySpeakOfObjects(head)) return
  if (hash.digest('hex') !== digest) throw unreadable(backend, key, 'its bytes do not have the sha256 of its name')
}

const unreadable = (backend: LocalBackend, key: string, why: string): MlopsError =>
  failed({
    code: 'STORE_DAMAGED',
    message: `${backend.path(key)} is damaged: ${why}. What it referred to cannot be known, so nothing is removed.`,
    hint: 'See all damage: mlops store verify. Restore the file from a copy of the store; a run that is lost anyway: mlops run delete, then mlops run purge',
    details: { file: backend.path(key) },
  })
