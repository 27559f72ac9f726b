/**
 * `mlops audit export`: everything that happened to the models of a store as lines, so that an auditor can follow every
 * chain from the file alone (docs/audit.md is the format). Reading only; a damaged log is refused before the first line.
 * Comparing a store with such a file later is in `audit-compare.ts`, putting the lines into one in `audit-file.ts`.
 */
import { createHash } from 'node:crypto'
import { type Digest, sha256 } from '../core/digest.ts'
import { evidenceOf } from './audit-evidence.ts'
import type { Backend } from './backend.ts'
import { logDamaged } from './chain.ts'
import { modelNotFound } from './commit-problems.ts'
import { type Files, nodeFiles } from './files.ts'
import { checksLog, modelLog, numbered, numberOf, ROOT_LOG } from './layout.ts'
import { LocalBackend, storeOpenedForReading } from './local-backend.ts'
import { inspectRoot, readRegistry } from './open.ts'
import { openSealed, sealProblem } from './sealed.ts'

export const AUDIT_FORMAT = 'mlops-audit'

/** How far a log has come, and which part of it is in the file. */
export interface AuditLog {
  /** `log`, `models/churn-model/log`, `models/churn-model/checks/log` */
  readonly log: string
  /** The newest event. */
  readonly seq: number
  readonly sha256: Digest
  /** The first event in the file; null: none is. */
  readonly from: number | null
  /** What that one must name as the event before it; of the first of all: the digest of registry.json. */
  readonly prev: Digest | null
}

export interface AuditHeader {
  readonly kind: 'header'
  readonly format: typeof AUDIT_FORMAT
  readonly v: 1
  /** The random id of the store, and the digest of its registry.json. */
  readonly store: string
  readonly registry: Digest
  readonly time: string
  readonly tool: string
  readonly models: readonly string[]
  readonly since: string | null
  /** Of all logs of the store, also those whose events are not in the file: what an anchor is. */
  readonly logs: readonly AuditLog[]
}

export interface AuditRequest {
  /** All when empty. */
  readonly models: readonly string[]
  /** Milliseconds since 1970: of each log the first event from then on, and all after it. */
  readonly since?: number
  readonly time: string
  readonly tool: string
  readonly files?: Files
  readonly signal?: AbortSignal
}

export interface AuditCounts {
  readonly event: number
  readonly object: number
  readonly check: number
  readonly claim: number
  /** Objects that events refer to and that are lost or damaged: each has a line that says so. */
  readonly missing: number
}

/** What an export was, once its last line was made. */
export interface AuditSummary {
  readonly header: AuditHeader
  readonly lines: number
  readonly counts: AuditCounts
  /** Of all lines before the last one. */
  readonly sha256: Digest
}

/**
 * The lines, one by one, each with its newline.
 * @returns (as the value of the generator) what was exported
 * @throws notFound `MODEL_NOT_FOUND`, failed `LOG_DAMAGED`, both before the first line; as `openStore`
 */
export async function* auditLines(root: string, request: AuditRequest): AsyncGenerator<Buffer, AuditSummary> {
  const files = request.files ?? nodeFiles
  await inspectRoot(files, root)
  const registry = readRegistry(files, root)
  const backend = new LocalBackend(root, { files, refusal: storeOpenedForReading(root) })
  const all = await modelsWithLog(backend)
  const unknown = request.models.find((model) => !all.includes(model))
  if (unknown !== undefined) throw modelNotFound(unknown, all)
  const models = request.models.length === 0 ? all : all.filter((model) => request.models.includes(model))
  const wanted = [ROOT_LOG, ...models.flatMap((model) => [modelLog(model), checksLog(model)])]
  const logs: AuditLog[] = []
  for (const log of [ROOT_LOG, ...all.flatMap((model) => [modelLog(model), checksLog(model)])]) {
    const found = await survey(backend, log, registry.digest, wanted.includes(log) ? request : undefined)
    if (found !== undefined) logs.push(found)
  }
  const { since, time, tool } = request
  const header: AuditHeader = {
    kind: 'header',
    format: AUDIT_FORMAT,
    v: 1,
    store: registry.id,
    registry: registry.digest,
    time,
    tool,
    models,
    since: since === undefined ? null : new Date(since).toISOString(),
    logs,
  }
  const hash = createHash('sha256')
  const counts = { event: 0, object: 0, check: 0, claim: 0, missing: 0 }
  let lines = 0
  for await (const [kind, line] of body(backend, header, request)) {
    request.signal?.throwIfAborted()
    if (kind !== 'header') counts[kind] += 1
    lines += 1
    hash.update(line)
    yield line
  }
  const digest = hash.digest('hex')
  yield Buffer.from(`${JSON.stringify({ kind: 'trailer', lines, counts, sha256: digest })}\n`)
  return { header, lines: lines + 1, counts, sha256: digest }
}

export type AuditLine = readonly [kind: keyof AuditCounts | 'header', line: Buffer]

async function* body(backend: Backend, header: AuditHeader, request: AuditRequest): AsyncGenerator<AuditLine> {
  yield ['header', Buffer.from(`${JSON.stringify(header)}\n`)]
  const logOf = (log: string): AuditLog | undefined => header.logs.find((each) => each.log === log)
  yield* events(backend, logOf(ROOT_LOG))
  for (const model of header.models) {
    yield* events(backend, logOf(modelLog(model)))
    yield* events(backend, logOf(checksLog(model)))
    const logs = { events: logOf(modelLog(model)), checks: logOf(checksLog(model)) }
    yield* evidenceOf(backend, model, logs, request.since)
  }
}

/** In order; every byte of each as it is in the store. */
async function* events(backend: Backend, found: AuditLog | undefined): AsyncGenerator<AuditLine> {
  if (found === undefined || found.from === null) return
  for (let seq = found.from; seq <= found.seq; seq++) {
    const bytes = await eventBytes(backend, found.log, seq)
    yield ['event', wrapped({ kind: 'event', log: found.log, seq, sha256: sha256(bytes) }, bytes)]
  }
}

/** `record` stands last and is byte for byte what is in the store, without its newline. */
export function wrapped(facts: Readonly<Record<string, unknown>>, bytes: Buffer): Buffer {
  const start = Buffer.from(`${JSON.stringify(facts).slice(0, -1)},"record":`)
  return Buffer.concat([start, bytes.subarray(0, bytes.length - 1), Buffer.from('}\n')])
}

/** Follows a whole log once, so that nothing is exported of one that does not hold together. */
async function survey(
  backend: Backend,
  log: string,
  registry: Digest,
  request: AuditRequest | undefined,
): Promise<AuditLog | undefined> {
  const last = (await backend.list(log)).reduce((max, { name }) => Math.max(max, numberOf(name) ?? 0), 0)
  if (last === 0) return undefined
  let before = registry
  let from: number | null = null
  let prev: Digest | null = null
  for (let seq = 1; seq <= last; seq++) {
    request?.signal?.throwIfAborted()
    const bytes = await eventBytes(backend, log, seq)
    const record = openSealed(bytes)
    const problem = sealProblem(bytes)
    if (record === undefined || problem !== undefined) throw damaged(backend, log, seq, problem ?? 'it is no event')
    if (record.seq !== seq || record.prev !== before) {
      throw damaged(backend, log, seq, 'it does not follow from the one before it: one of the two was changed')
    }
    if (from === null && request !== undefined && isSince(record.time, request.since)) {
      from = seq
      prev = before
    }
    before = sha256(bytes)
  }
  return { log, seq: last, sha256: before, from, prev }
}

/** Heads in the root log bear no time: they go with what is around them. */
const isSince = (time: unknown, since: number | undefined): boolean =>
  since === undefined || (typeof time === 'string' && Date.parse(time) >= since)

async function eventBytes(backend: Backend, log: string, seq: number): Promise<Buffer> {
  const bytes = await backend.get(`${log}/${numbered(seq)}`)
  if (bytes === undefined) throw damaged(backend, log, seq, 'it is missing although later events exist')
  return bytes
}

const damaged = (backend: Backend, log: string, seq: number, why: string): Error =>
  logDamaged(backend, `${log}/${numbered(seq)}`, why)

async function modelsWithLog(backend: Backend): Promise<string[]> {
  const names: string[] = []
  for (const { name, kind } of await backend.list('models')) {
    if (kind === 'folder' && (await backend.list(modelLog(name))).length > 0) names.push(name)
  }
  return names
}
