/**
 * Checks of a model: write-once records under the digest of what was compared with what. A chain beside them says
 * which there are, so that `verify` misses a lost one. What a check contains is the business of `src/drift/`.
 */
import type { Json } from '../core/canonical-json.ts'
import { type Digest, isDigest, sha256 } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { assertName } from '../core/names.ts'
import type { Backend } from './backend.ts'
import { appendLink, type Head, nextLink, readChain, unreadable } from './chain.ts'
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
  const written = await backend.putIfAbsent(place, bytes)
  if (!written) await backend.settle(place)
  // The list only helps `verify`: the check is stored, whatever becomes of its entry.
  const stored = written ? bytes : ((await backend.get(place)) ?? bytes)
  await enlist(backend, registry, model, key, stored).catch(() => {})
  return written
}

/** Enters the check into the chain unless it is there; also for one whose writer died before it came to that. */
async function enlist(backend: Backend, registry: Digest, model: string, key: Digest, bytes: Buffer): Promise<void> {
  let head: Head = { seq: 0, digest: registry }
  for (;;) {
    const links = await readChain(backend, checksLog(model), head)
    if (links.some(({ record }) => record.key === key)) return
    head = links.at(-1) ?? head
    const entry: JsonObject = { type: 'check', model, key, sha256: sha256(bytes), size: bytes.length }
    if (await appendLink(backend, checksLog(model), head, nextLink(head, entry))) return
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
  const files = await backend.getMany(keys.map((key) => checkKey(model, key)))
  const records: CheckRecord[] = []
  for (const [index, key] of keys.entries()) {
    const bytes = files[index]
    const record = bytes && openSealed(bytes)
    if (record === undefined) throw recordDamaged(backend, checkKey(model, key), 'it is no whole JSON object')
    records.push({ key, record: record.record as Json })
  }
  return records.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))
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
  const listed = (await backend.list(checksLog(model))).flatMap(({ name }) => numberOf(name) ?? [])
  const searchAll = async (): Promise<CheckRecord | undefined> => (await list(backend, model)).find(matches)
  if (stored.length !== listed.length) return searchAll()
  for (const number of listed.reverse()) {
    const entry = await backend.get(`${checksLog(model)}/${numbered(number)}`)
    const key = entry && openSealed(entry)?.key
    if (typeof key !== 'string' || !isDigest(key)) return searchAll()
    const record = await get(backend, model, key)
    if (record === undefined) return searchAll()
    if (matches({ key, record })) return { key, record }
  }
  return undefined
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

function timeOf({ record }: CheckRecord): string {
  const time = (record as { time?: unknown } | null)?.time
  return typeof time === 'string' ? time : ''
}

function assertPlace(model: string, key: Digest): void {
  assertName('model', model)
  if (!isDigest(key)) throw new RangeError(`${key} is no key of a check`)
}
