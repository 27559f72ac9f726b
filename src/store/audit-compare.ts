/**
 * A store against an audit export of it that was kept elsewhere: every event that the file has or names must still be in
 * its place, byte for byte. What shows only this way is a log whose tail was cut off, or a whole history written anew.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Digest, isDigest, sha256 } from '../core/digest.ts'
import { failed, notFound, systemCode } from '../core/errors.ts'
import { AUDIT_FORMAT, type AuditHeader } from './audit.ts'
import { pinnedBy } from './audit-evidence.ts'
import type { Backend } from './backend.ts'
import { nodeFiles } from './files.ts'
import { numbered, numberOf, REGISTRY, ROOT_LOG } from './layout.ts'
import { LocalBackend, storeOpenedForReading } from './local-backend.ts'
import { parseRegistry } from './registry.ts'
import type { JsonObject } from './sealed.ts'

export interface Audit {
  readonly file: string
  readonly header: AuditHeader
  /** Digest of each event that the file has, or names as the newest of its log: log -> seq -> digest. */
  readonly events: ReadonlyMap<string, ReadonlyMap<number, Digest>>
  /** Digest of each alert and step of a retraining that the file has, by its place in the store. */
  readonly claims: ReadonlyMap<string, Digest>
}

/** The first place of a log where the store is not what it was. */
export interface Difference {
  /** Relative to the store. */
  readonly file: string
  readonly problem: 'missing' | 'changed'
  /** One sentence, without a period. */
  readonly why: string
  /** `history of churn-model from event 7` */
  readonly affects: string
}

/**
 * Reads an export and follows what it says of itself: its lines, its digests, its chains.
 * @param path absolute
 * @throws notFound `FILE_NOT_FOUND`; failed `FILE_UNREADABLE`, `AUDIT_DAMAGED`
 */
export async function readAudit(path: string): Promise<Audit> {
  try {
    return await parseAudit(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined || (error as Error).name === 'MlopsError') throw error
    const detail = { message: `${path} cannot be read (${code}).`, hint: 'Check the path: ls -l', cause: error }
    throw code === 'ENOENT'
      ? notFound({ ...detail, code: 'FILE_NOT_FOUND', message: `There is no file ${path}.` })
      : failed({ ...detail, code: 'FILE_UNREADABLE' })
  }
}

async function parseAudit(path: string): Promise<Audit> {
  const hash = createHash('sha256')
  const events = new Map<string, Map<number, Digest>>()
  const claims = new Map<string, Digest>()
  const evidence: Evidence = { pinned: new Set(), held: new Set() }
  const counts: Record<string, number> = {}
  let header: AuditHeader | undefined
  let trailer: Row | undefined
  let count = 0
  let digestBefore = ''
  for await (const line of linesOf(path)) {
    count += 1
    if (trailer !== undefined) throw damaged(path, count, 'it goes on after its last line')
    const row = parsed(line)
    if (row === undefined) throw damaged(path, count, 'it is no JSON object')
    if (count === 1) header = headerIn(row)
    if (header === undefined) throw notAnExport(path)
    if (row.kind === 'event') takeEvent(path, count, line, row, header, events)
    else if (row.kind === 'object' || row.kind === 'claim') checkRecord(path, count, line, row)
    takeEvidence(row, evidence)
    if (row.kind === 'claim' && typeof row.file === 'string' && CLAIM.test(row.file)) {
      claims.set(row.file, row.sha256 as Digest)
    }
    if (row.kind === 'trailer') {
      trailer = row
      digestBefore = hash.copy().digest('hex')
    } else if (count > 1) counts[String(row.kind)] = (counts[String(row.kind)] ?? 0) + 1
    hash.update(line)
  }
  if (header === undefined) throw notAnExport(path)
  if (trailer === undefined) throw damaged(path, count, 'its end is missing')
  if (trailer.sha256 !== digestBefore || trailer.lines !== count - 1 || !countsFit(trailer, counts)) {
    throw damaged(path, count, 'its lines are not those that were written')
  }
  const { pinned, held } = evidence
  const lost = [...pinned].find((digest) => !held.has(digest))
  if (lost !== undefined) throw damaged(path, count, `an event names ${lost.slice(0, 12)}…, and no line has it`)
  for (const { log, seq, sha256: digest, from } of header.logs) {
    const known = events.get(log) ?? new Map<number, Digest>()
    const isWanted = header.since === null && (log === ROOT_LOG || header.models.includes(log.split('/')[1] ?? ''))
    if ((isWanted && from !== 1) || (from !== null && !known.has(seq))) {
      throw damaged(path, 1, `it lacks events of ${log}, which it says it has`)
    }
    if ((known.get(seq) ?? digest) !== digest) throw damaged(path, 1, `its last event of ${log} is another one`)
    events.set(log, known.set(seq, digest))
  }
  return { file: path, header, events, claims }
}

type Row = Readonly<Record<string, unknown>>

/** What events name by digest, and what has a line of its own. */
interface Evidence {
  readonly pinned: Set<string>
  readonly held: Set<string>
}

function takeEvidence(row: Row, { pinned, held }: Evidence): void {
  if (typeof row.sha256 === 'string' && ['object', 'check', 'missing'].includes(String(row.kind))) held.add(row.sha256)
  if (row.kind !== 'event') return
  const record = row.record as JsonObject
  if (String(row.log).endsWith('/checks/log')) pinned.add(String(record.sha256))
  else for (const [digest] of pinnedBy(record, '')) pinned.add(digest)
}

const countsFit = (trailer: Row, found: Readonly<Record<string, number>>): boolean =>
  Object.entries({ event: 0, object: 0, check: 0, claim: 0, missing: 0, ...found }).every(
    ([kind, count]) => (trailer.counts as Row | undefined)?.[kind] === count,
  )

function takeEvent(
  path: string,
  count: number,
  line: Buffer,
  row: Row,
  { logs }: AuditHeader,
  events: Map<string, Map<number, Digest>>,
): void {
  const digest = checkRecord(path, count, line, row)
  const { log, seq, record } = row as { log: string; seq: number; record: { seq?: unknown; prev?: unknown } }
  const place = logs.find((each) => each.log === log)
  if (place === undefined) throw damaged(path, count, 'its log is not in the header')
  const known = events.get(log) ?? new Map<number, Digest>()
  const before = seq === place.from ? place.prev : known.get(seq - 1)
  if (record.seq !== seq || record.prev !== before)
    throw damaged(path, count, 'it does not follow from the event before')
  events.set(log, known.set(seq, digest))
}

/** The bytes of the record as they stand in the line, with the newline that they have in the store. */
function checkRecord(path: string, count: number, line: Buffer, row: Row): Digest {
  const at = line.indexOf('"record":')
  const bytes =
    at < 0 ? Buffer.from(String(row.base64 ?? ''), 'base64') : Buffer.concat([line.subarray(at + 9, -2), NEWLINE])
  const digest = sha256(bytes)
  if (digest !== row.sha256) throw damaged(path, count, 'its record is not the one that was exported')
  return digest
}

/** Each with its newline. By bytes: other separators of lines may stand inside of a record. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    let bytes = chunk as Buffer
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      yield Buffer.concat([...rest, bytes.subarray(0, end + 1)])
      rest = []
      bytes = bytes.subarray(end + 1)
    }
    if (bytes.length > 0) rest.push(bytes)
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}

/** What a log may be called: an export that was not made by us must not lead us anywhere else. */
const LOG = /^(?:log|models\/[a-z0-9][a-z0-9._-]{0,63}\/(?:checks\/)?log)$/
const CLAIM = /^models\/[a-z0-9][a-z0-9._-]{0,63}\/(?:alerts|jobs)(?:\/[a-z0-9][a-z0-9._-]{0,127})+$/
const NEWLINE = Buffer.from('\n')

function headerIn(row: Row): AuditHeader | undefined {
  const header = row as unknown as AuditHeader
  const isOne = row.kind === 'header' && row.format === AUDIT_FORMAT && row.v === 1 && Array.isArray(row.logs)
  return isOne && header.logs.every(({ log, seq, sha256: digest }) => LOG.test(log) && seq > 0 && isDigest(digest))
    ? header
    : undefined
}

function parsed(line: Buffer): Row | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : undefined
  } catch {
    return undefined
  }
}

/** @param root of the store; it is read without being opened, as it may be damaged */
export async function differences(root: string, audit: Audit): Promise<Difference[]> {
  const backend = new LocalBackend(root, { files: nodeFiles, refusal: storeOpenedForReading(root) })
  const { header, events } = audit
  const written = `the export of ${header.time}`
  const registry = await backend.get(REGISTRY)
  const found: Difference[] = []
  if (registry === undefined || sha256(registry) !== header.registry) {
    const parsedRegistry = registry && parseRegistry(registry)
    const isOther = typeof parsedRegistry === 'object' && parsedRegistry.id !== header.store
    const why = isOther ? `this is another store than that of ${written}` : `it is not the one of ${written}`
    found.push({ file: REGISTRY, problem: 'changed', why, affects: 'the whole store' })
    if (isOther) return found
  }
  for (const [log, digests] of events) {
    const difference = await firstDifference(backend, log, digests, written)
    if (difference !== undefined) found.push(difference)
  }
  for (const [file, digest] of audit.claims) {
    const bytes = await backend.get(file)
    if (bytes !== undefined && sha256(bytes) === digest) continue
    const [, model, kind] = file.split('/')
    found.push({
      file,
      problem: bytes === undefined ? 'missing' : 'changed',
      why: bytes === undefined ? `${written} has it` : `it is not the one that ${written} has`,
      affects: `${kind} of ${model}`,
    })
  }
  return found
}

async function firstDifference(
  backend: Backend,
  log: string,
  digests: ReadonlyMap<number, Digest>,
  written: string,
): Promise<Difference | undefined> {
  const model = /^models\/([^/]+)\//.exec(log)?.[1]
  const what = log.endsWith('/checks/log')
    ? `checks of ${model}`
    : model === undefined
      ? 'list of models'
      : `history of ${model}`
  for (const [seq, digest] of [...digests].sort(([a], [b]) => a - b)) {
    const file = `${log}/${numbered(seq)}`
    const bytes = await backend.get(file)
    if (bytes !== undefined && sha256(bytes) === digest) continue
    const last = (await backend.list(log)).reduce((max, { name }) => Math.max(max, numberOf(name) ?? 0), 0)
    const affects = `${what} from event ${seq}`
    if (bytes !== undefined) {
      return {
        file,
        problem: 'changed',
        why: `it is not the event that ${written} has: history was written anew`,
        affects,
      }
    }
    const why =
      last < seq
        ? `${written} has ${seq} events of it, and the log ends with ${last}: its tail is gone`
        : `${written} has it`
    return { file, problem: 'missing', why, affects }
  }
  return undefined
}

const notAnExport = (path: string): Error =>
  failed({
    code: 'AUDIT_DAMAGED',
    message: `${path} is no audit export: its first line is no header of one.`,
    hint: 'Make one: mlops audit export --output FILE',
  })

const damaged = (path: string, line: number, why: string): Error =>
  failed({
    code: 'AUDIT_DAMAGED',
    message: `${path} was changed or cut short (line ${line}): ${why}. It proves nothing.`,
    hint: 'Use another copy of the export',
    details: { file: path, line },
  })
