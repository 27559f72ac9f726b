/**
 * Checks of a model: write-once records under the digest of what was compared with what. A chain beside them says
 * which there are and when each was made, so that `verify` misses a lost one and a check that is made again is the
 * newest again, though its record stands already. What a check contains is the business of `src/drift/`.
 */
import type { Json } from '../core/canonical-json.ts'
import { type Digest, isDigest, sha256 } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { assertName } from '../core/names.ts'
import type { Backend, Put } from './backend.ts'
import { appendLink, type Head, nextLink, nextPuts, readChain, unreadable } from './chain.ts'
import { checkKey, checksFolder, checksLog, numbered, numberOf } from './layout.ts'
import { type JsonObject, openSealed, seal, sealProblem } from './sealed.ts'
import type { CheckRecord, Checks } from './store.ts'

export function checksOf(backend: Backend, registry: Digest): Checks {
  return {
    put: (model, key, record) => put(backend, registry, model, key, record),
    get: (model, key) => get(backend, model, key),
    list: (model) => list(backend, model),
    newest: (model, matches) => newest(backend, model, matches),
  }
}

async function put(backend: Backend, registry: Digest, model: string, key: Digest, record: Json): Promise<boolean> {
  assertPlace(model, key)
  const place = checkKey(model, key)
  const bytes = seal({ model, key, record })
  if (await putWithEntry(backend, registry, { key: place, bytes }, entryOf(model, key, bytes, record))) return true
  const written = await backend.putIfAbsent(place, bytes)
  if (!written) await backend.settle(place)
  // The check is stored, whatever becomes of its entry.
  const stored = written ? bytes : ((await backend.get(place)) ?? bytes)
  await enlist(backend, registry, entryOf(model, key, stored, record)).catch(() => {})
  return written
}

const entryOf = (model: string, key: Digest, stored: Buffer, record: Json): Entry => ({
  ...{ type: 'check', model, key, sha256: sha256(stored), size: stored.length },
  time: timeOf(record),
})

/** Both at once, where each put is a push. @returns false when it is to be done one after the other */
async function putWithEntry(backend: Backend, registry: Digest, check: Put, entry: Entry): Promise<boolean> {
  if (backend.putTogether === undefined) return false
  const folder = checksLog(entry.model)
  while ((await backend.stat(check.key)) === undefined) {
    const links = await readChain(backend, folder, { seq: 0, digest: registry }).catch(() => undefined)
    if (links === undefined) return false
    const checks = new Set([...links.map(({ record }) => record.key), entry.key]).size
    const head = links.at(-1) ?? { seq: 0, digest: registry }
    if (await backend.putTogether([check, ...nextPuts(folder, head, [{ ...entry, checks }])])) return true
  }
  return false
}

interface Entry extends JsonObject {
  readonly model: string
  readonly key: Digest
  /** When the check was made; the record holds the time of the first. */
  readonly time: string
}

/** Enters a check that was made; also one whose writer died before it came to that. The same again is no news. */
async function enlist(backend: Backend, registry: Digest, entry: Entry): Promise<void> {
  const folder = checksLog(entry.model)
  const genesis: Head = { seq: 0, digest: registry }
  for (;;) {
    const links = await readChain(backend, folder, genesis)
    if (links.some(({ record }) => record.key === entry.key && record.time === entry.time)) return
    const keys = new Set([...links.map(({ record }) => record.key), entry.key])
    const head = links.at(-1) ?? genesis
    // `checks`: how many different ones the chain names by now, so that a reader sees at its end whether it names all.
    if (await appendLink(backend, folder, head, nextLink(head, { ...entry, checks: keys.size }))) return
  }
}

async function get(backend: Backend, model: string, key: Digest): Promise<Json | undefined> {
  assertPlace(model, key)
  const bytes = await backend.get(checkKey(model, key))
  if (bytes === undefined) return undefined
  const record = readCheck(bytes, model, key)
  if (typeof record === 'string') throw recordDamaged(backend, checkKey(model, key), record)
  return record.record
}

async function list(backend: Backend, model: string): Promise<CheckRecord[]> {
  assertName('model', model)
  const keys = (await backend.list(checksFolder(model)))
    .filter(({ kind }) => kind === 'file')
    .map(({ name }) => name.slice(0, 64))
    .filter(isDigest)
  const [files, made] = [
    await backend.getMany(keys.map((key) => checkKey(model, key))),
    await timesMade(backend, model),
  ]
  const records: CheckRecord[] = []
  for (const [index, key] of keys.entries()) {
    const bytes = files[index]
    const sealed = bytes && openSealed(bytes)
    if (sealed === undefined) throw recordDamaged(backend, checkKey(model, key), 'it is no whole JSON object')
    const record = sealed.record as Json
    const [first, last] = [timeOf(record), made.get(key) ?? '']
    records.push({ key, record, time: last > first ? last : first })
  }
  return records.sort((a, b) => (a.time < b.time ? 1 : -1))
}

/** When each check was made last, as the chain says; what cannot be read of it says nothing. */
async function timesMade(backend: Backend, model: string): Promise<Map<string, string>> {
  const names = (await backend.list(checksLog(model))).flatMap(({ name }) => numberOf(name) ?? [])
  const times = new Map<string, string>()
  for (const bytes of await backend.getMany(names.map((number) => `${checksLog(model)}/${numbered(number)}`))) {
    const entry = bytes && openSealed(bytes)
    if (entry !== undefined && typeof entry.time === 'string') times.set(String(entry.key), entry.time)
  }
  return times
}

/**
 * From the end of the chain of checks, so that a thousand old ones cost a look into their folder. Where the chain does
 * not name them all (a writer was killed before that) or cannot be relied on, all are read.
 */
async function newest(
  backend: Backend,
  model: string,
  matches: (check: CheckRecord) => boolean,
): Promise<CheckRecord | undefined> {
  assertName('model', model)
  const stored = (await backend.list(checksFolder(model))).filter(
    ({ name, kind }) => kind === 'file' && isDigest(name.slice(0, 64)),
  )
  const listed = (await backend.list(checksLog(model)))
    .flatMap(({ name }) => numberOf(name) ?? [])
    .sort((a, b) => b - a)
  const searchAll = async (): Promise<CheckRecord | undefined> => (await list(backend, model)).find(matches)
  const seen = new Set<string>()
  for (const number of listed) {
    const bytes = await backend.get(`${checksLog(model)}/${numbered(number)}`)
    const entry = bytes && openSealed(bytes)
    const key = entry?.key
    if (typeof key !== 'string' || !isDigest(key)) return searchAll()
    if (seen.size === 0 && entry?.checks !== stored.length) return searchAll()
    if (seen.has(key)) continue
    seen.add(key)
    const record = await get(backend, model, key)
    if (record === undefined) return searchAll()
    const check = { key, record, time: typeof entry?.time === 'string' ? entry.time : timeOf(record) }
    if (matches(check)) return check
  }
  return listed.length === 0 && stored.length > 0 ? searchAll() : undefined
}

/** @returns the check, or what is wrong with its file */
export function readCheck(bytes: Buffer, model: string, key: Digest): { readonly record: Json } | string {
  const problem = sealProblem(bytes)
  if (problem !== undefined) return problem
  const sealed = openSealed(bytes)
  if (sealed?.model !== model || sealed.key !== key) return 'it is the record of another check'
  return { record: sealed.record as Json }
}

export const recordDamaged = (backend: Backend, key: string, why: string): Error =>
  unreadable(backend, key) ??
  failed({
    code: 'RECORD_DAMAGED',
    message: `${backend.path(key)} is damaged: ${why}.`,
    hint: 'See all damage: mlops store verify',
    details: { file: backend.path(key) },
  })

function timeOf(record: Json): string {
  const time = (record as { time?: unknown } | null)?.time
  return typeof time === 'string' ? time : ''
}

function assertPlace(model: string, key: Digest): void {
  assertName('model', model)
  if (!isDigest(key)) throw new RangeError(`${key} is no key of a check`)
}
