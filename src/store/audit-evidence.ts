/**
 * What the events of a model rely on, as lines of an audit export: manifests and run records, which the events pin;
 * checks, in short, which their own log pins; alerts and jobs, which nothing pins but their own seal.
 */
import { type Digest, sha256 } from '../core/digest.ts'
import { type AuditLine, type AuditLog, wrapped } from './audit.ts'
import type { Backend } from './backend.ts'
import { CLAIM_KINDS } from './claims.ts'
import { checkKey, modelFolder, numbered, numberOf, objectKey } from './layout.ts'
import { type JsonObject, openSealed, sealProblem } from './sealed.ts'

interface LogsOfModel {
  readonly events: AuditLog | undefined
  readonly checks: AuditLog | undefined
}

/** @param since milliseconds since 1970 */
export async function* evidenceOf(
  backend: Backend,
  model: string,
  { events, checks }: LogsOfModel,
  since: number | undefined,
): AsyncGenerator<AuditLine> {
  yield* objects(backend, model, events)
  yield* checkLines(backend, model, checks)
  for (const kind of CLAIM_KINDS) yield* claims(backend, `${modelFolder(model)}/${kind}`, since)
}

/** Each once, after the events: manifest, run.json and end.json of every version registered in them. */
async function* objects(backend: Backend, model: string, log: AuditLog | undefined): AsyncGenerator<AuditLine> {
  const done = new Set<Digest>()
  for await (const event of recordsOf(backend, log)) {
    for (const [digest, what] of pinnedBy(event, model)) {
      if (done.has(digest)) continue
      done.add(digest)
      const bytes = await backend.get(objectKey(digest))
      const why = bytes === undefined ? 'it is gone' : sha256(bytes) === digest ? undefined : 'its bytes were changed'
      if (bytes === undefined || why !== undefined) yield lost({ sha256: digest, what, why })
      else yield ['object', lineOf({ kind: 'object', sha256: digest, what }, bytes)]
    }
  }
}

/** Objects that an event names by digest, with what each is. */
export function* pinnedBy(event: JsonObject, model: string): Generator<readonly [Digest, string]> {
  if (event.type !== 'register') return
  const body = event.body as {
    readonly version: number
    readonly manifest: Digest
    readonly run?: { readonly id: string; readonly run: { sha256: Digest }; readonly end?: { sha256: Digest } }
  }
  const { version, manifest, run } = body
  yield [manifest, `manifest of ${model}@${version}`]
  if (run === undefined) return
  yield [run.run.sha256, `run.json of run ${run.id}`]
  if (run.end !== undefined) yield [run.end.sha256, `end.json of run ${run.id}`]
}

/** One line of JSON as it is; anything else, which another program may have written, in base64. */
function lineOf(facts: Readonly<Record<string, unknown>>, bytes: Buffer): Buffer {
  const isLine = bytes.at(-1) === 10 && bytes.indexOf(10) === bytes.length - 1 && isJson(bytes)
  return isLine
    ? wrapped(facts, bytes)
    : Buffer.from(`${JSON.stringify({ ...facts, base64: bytes.toString('base64') })}\n`)
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'))
    return true
  } catch {
    return false
  }
}

/** Not whole: one holds the histograms of every column. Its digest is that of its file, which the log of checks pins. */
async function* checkLines(backend: Backend, model: string, log: AuditLog | undefined): AsyncGenerator<AuditLine> {
  const done = new Set<unknown>()
  for await (const { key, sha256: digest } of recordsOf(backend, log)) {
    if (typeof key !== 'string' || done.has(key)) continue
    done.add(key)
    const file = checkKey(model, key)
    const bytes = await backend.get(file)
    const why = bytes === undefined ? 'it is gone' : sha256(bytes) === digest ? undefined : 'its bytes were changed'
    if (bytes === undefined || why !== undefined) yield lost({ sha256: digest, what: file, why })
    else yield ['check', Buffer.from(`${JSON.stringify({ kind: 'check', file, sha256: digest, ...inShort(bytes) })}\n`)]
  }
}

function inShort(bytes: Buffer): Record<string, unknown> {
  const { record } = openSealed(bytes) ?? {}
  const { version, verdict, summary, time, window, current, reference } = (record ?? {}) as Record<string, unknown>
  const { name } = (reference ?? {}) as Record<string, unknown>
  const { source, rows } = (current ?? {}) as Record<string, unknown>
  return { version, time, verdict, summary, window, against: name, data: source, rows }
}

/** Alerts and jobs: who was told what, which retraining ran. */
async function* claims(backend: Backend, folder: string, since: number | undefined): AsyncGenerator<AuditLine> {
  for (const { name, kind } of await backend.list(folder)) {
    const path = `${folder}/${name}`
    if (kind === 'folder') yield* claims(backend, path, since)
    else if (numberOf(name) !== undefined) {
      const bytes = await backend.get(path)
      if (bytes === undefined || sealProblem(bytes) !== undefined) {
        yield lost({ sha256: null, what: path, why: 'its bytes were changed' })
      } else if (isSince(bytes, since))
        yield ['claim', wrapped({ kind: 'claim', file: path, sha256: sha256(bytes) }, bytes)]
    }
  }
}

function isSince(bytes: Buffer, since: number | undefined): boolean {
  const { time } = (openSealed(bytes)?.record ?? {}) as { readonly time?: unknown }
  return since === undefined || typeof time !== 'string' || Date.parse(time) >= since
}

async function* recordsOf(backend: Backend, log: AuditLog | undefined): AsyncGenerator<JsonObject> {
  if (log === undefined || log.from === null) return
  for (let seq = log.from; seq <= log.seq; seq++) {
    const bytes = await backend.get(`${log.log}/${numbered(seq)}`)
    const record = bytes && openSealed(bytes)
    if (record !== undefined) yield record
  }
}

const lost = (facts: Readonly<Record<string, unknown>>): AuditLine => [
  'missing',
  Buffer.from(`${JSON.stringify({ kind: 'missing', ...facts })}\n`),
]
