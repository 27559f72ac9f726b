/**
 * A numbered, hash-chained log of write-once files: `<folder>/0000000001.json`, `…2.json`, … The log of a model, the
 * root log and the log of checks are all chains. What their events mean is not known here.
 *
 * Invariant: if event n is there, events 1 … n-1 are there, each naming the bytes before it by digest.
 */
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Digest, sha256 } from '../core/digest.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import type { Backend, Put } from './backend.ts'
import { quoted } from './failures.ts'
import { numbered, numberOf } from './layout.ts'
import { type JsonObject, openSealed, seal, sealProblem } from './sealed.ts'

/** Of a store whose format is newer than ours it is not known what its first events name; no digest is this. */
export const ANY_DIGEST: Digest = 'any'

export interface Link {
  readonly seq: number
  /** sha256 of this event's bytes: the `prev` of the next. */
  readonly digest: Digest
  readonly record: JsonObject
}

/** What stands before the next event: the newest one's number and digest, or 0 and the digest of `registry.json`. */
export interface Head {
  readonly seq: number
  readonly digest: Digest
}

/**
 * The events after `since`, in order.
 * @throws failed `LOG_DAMAGED` naming the file
 */
export async function readChain(backend: Backend, folder: string, since: Head): Promise<Link[]> {
  const names = await backend.list(folder)
  const last = names.reduce((max, { name }) => Math.max(max, numberOf(name) ?? 0), 0)
  const keys: string[] = []
  // By number, not by listing: a listing made while others write may show 8 and not yet 7.
  for (let seq = since.seq + 1; seq <= last; seq++) keys.push(`${folder}/${numbered(seq)}`)
  const files = await backend.getMany(keys)
  const links: Link[] = []
  let before = since
  for (const [index, key] of keys.entries()) {
    const bytes = files[index]
    if (bytes === undefined) throw logDamaged(backend, key, 'it is missing although later events exist')
    const link = readLink(bytes, before, index === keys.length - 1)
    if (typeof link === 'string') throw blame(backend, [keys[index - 1], files[index - 1]], key, link)
    links.push(link)
    before = link
  }
  return links
}

/** A changed event shows in the one after it; its own seal tells that it is the culprit. */
function blame(
  backend: Backend,
  [keyBefore, bytesBefore]: readonly [string | undefined, Buffer | undefined],
  key: string,
  why: string,
): MlopsError {
  const problem = bytesBefore && sealProblem(bytesBefore)
  if (keyBefore === undefined || problem === undefined) return logDamaged(backend, key, why)
  return logDamaged(backend, keyBefore, problem)
}

/**
 * @param newest nothing else vouches for the newest event, so its own seal is checked
 * @returns the event, or what is wrong with its file
 */
function readLink(bytes: Buffer, before: Head, newest: boolean): Link | string {
  const record = openSealed(bytes)
  if (record === undefined) return sealProblem(bytes) ?? 'it is not an event'
  const seq = before.seq + 1
  if (record.seq !== seq) return `it says that it is event ${String(record.seq)}, not ${seq}`
  if (before.digest !== ANY_DIGEST && record.prev !== before.digest) {
    return seq === 1
      ? 'it belongs to another store, or registry.json was changed: its "prev" is not the digest of registry.json'
      : `its "prev" is not the digest of ${numbered(seq - 1)}: one of the two was changed`
  }
  const problem = newest ? sealProblem(bytes) : undefined
  return problem ?? { seq, digest: sha256(bytes), record }
}

/** The bytes of the event that would follow `head`. */
export const nextLink = (head: Head, record: JsonObject): Buffer =>
  seal({ ...record, seq: head.seq + 1, prev: head.digest })

/** The next links of a chain, and where each belongs. */
export function nextPuts(folder: string, head: Head, records: readonly JsonObject[]): Put[] {
  let at = head
  return records.map((record) => {
    const bytes = nextLink(at, record)
    at = { seq: at.seq + 1, digest: sha256(bytes) }
    return { key: `${folder}/${numbered(at.seq)}`, bytes }
  })
}

/** @returns false when somebody took the place first */
export async function appendLink(backend: Backend, folder: string, head: Head, bytes: Buffer): Promise<boolean> {
  const key = `${folder}/${numbered(head.seq + 1)}`
  // Among many writers most attempts are lost; a look is cheaper than writing what cannot be published.
  if ((await backend.stat(key)) !== undefined) return taken(backend, key)
  await settleBefore(backend, folder, head.seq)
  if (!(await backend.putIfAbsent(key, bytes))) return taken(backend, key)
  durableHeads(backend).set(folder, head.seq + 1)
  return true
}

/**
 * Whoever loses a place reads the log again and takes the next one. Where a folder does not list what is in it (a
 * network disk with an old listing, for some seconds or for ever) that would go round in circles.
 * @throws failed `LOG_HIDDEN`
 */
async function taken(backend: Backend, key: string): Promise<false> {
  const last = losses.get(backend)
  const count = last?.key === key ? last.count + 1 : 1
  losses.set(backend, { key, count })
  if (count > LOSSES_AT_ONE_PLACE) {
    throw failed({
      code: 'LOG_HIDDEN',
      message: `${backend.path(key)} exists, but its folder does not list it, so it is not known what comes next.`,
      hint: `Run the command again in a minute; if that does not help, check the disk: ls ${quoted(dirname(backend.path(key)))}`,
      details: { file: backend.path(key) },
    })
  }
  if (count > LOSSES_AT_ONE_PLACE / 2) await setTimeout(PAUSE)
  return false
}

const losses = new WeakMap<Backend, { readonly key: string; readonly count: number }>()
/** More than one process has tasks that write into one log at once. */
const LOSSES_AT_ONE_PLACE = 200
/** Milliseconds. */
const PAUSE = 20

/**
 * The event before ours may be another writer's who has not come to make it durable yet. Were ours durable and that
 * one not, a power cut would leave a hole.
 */
async function settleBefore(backend: Backend, folder: string, seq: number): Promise<void> {
  if (seq <= (durableHeads(backend).get(folder) ?? 0)) return
  await backend.settle(`${folder}/${numbered(seq)}`)
  durableHeads(backend).set(folder, seq)
}

/** Up to which event each chain is durable for certain, as far as this process has seen to it. */
function durableHeads(backend: Backend): Map<string, number> {
  const known = durable.get(backend) ?? new Map<string, number>()
  durable.set(backend, known)
  return known
}

const durable = new WeakMap<Backend, Map<string, number>>()

export const logDamaged = (backend: Backend, key: string, why: string): MlopsError =>
  unreadable(backend, key) ??
  failed({
    code: 'LOG_DAMAGED',
    message: `${backend.path(key)} is damaged: ${why}.`,
    hint: 'See all damage: mlops store verify. Restore the file from a copy of the store; nothing was changed',
    details: { file: backend.path(key) },
  })

/** In a store of a newer format what we cannot read is no damage. */
export const unreadable = (backend: Backend, key: string): MlopsError | undefined =>
  backend.newer === undefined
    ? undefined
    : failed({
        code: 'STORE_TOO_NEW',
        message: `${backend.path(key)} cannot be read: it was written by a newer mlops (the store has format ${backend.newer}).`,
        hint: 'Update: npm install -g mlops@latest',
        details: { file: backend.path(key), format: backend.newer },
      })
