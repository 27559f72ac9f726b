/** Verifying runs: each file against the pins of `end.json`, and the records against what events pinned of them. */
import { createHash } from 'node:crypto'
import { type Digest, sha256 } from '../core/digest.ts'
import type { Check } from '../core/shape.ts'
import { isUlid } from '../core/ulid.ts'
import { readSharing } from './git-sharing.ts'
import { annotationsFolder, objectKey, runFolder, TRASHED_RUNS } from './layout.ts'
import {
  type Reference,
  referencedByDataManifest,
  referencedByEvidence,
  referencedByIntent,
  referencedByRun,
} from './references.ts'
import type { Annotation, Intent, RunEnd, RunEvidence, RunStart } from './run-records.ts'
import { isEvidence, isIntent, isRunEnd, isRunStart } from './run-shapes.ts'
import { filesOfRun } from './run-writer.ts'
import { openSealed, sealProblem } from './sealed.ts'
import { verifyClaimFolder } from './verify-chains.ts'
import type { Findings } from './verify-findings.ts'
import type { PinnedRun } from './verify-models.ts'

export async function verifyRuns(findings: Findings, pinned: ReadonlyMap<string, PinnedRun>): Promise<void> {
  const present = new Set<string>()
  const lists = new Map<Digest, string>()
  for (const { name, kind } of await findings.backend.list('runs')) {
    if (kind !== 'folder' || !isUlid(name)) {
      findings.warn(`runs/${name}`, 'it is not a run')
      continue
    }
    present.add(name)
    findings.counts.runs += 1
    const kept = await verifyRun(findings, name, pinned.get(name))
    // Many runs learn from the same data.
    for (const list of kept) if (!lists.has(list)) lists.set(list, name)
  }
  for (const [list, run] of lists) {
    const bytes = await findings.backend.get(objectKey(list))
    const files = bytes === undefined ? [] : referencedByDataManifest(bytes)
    for (const { sha256: digest, what } of files) findings.want(digest, `run ${run}: ${what}`)
  }
  // Runs stay where they ran; what a version relies on of them travels as objects.
  const shared = readSharing(findings.backend.root) !== undefined
  for (const [id, { version }] of pinned) {
    const isTrashed = (await findings.backend.stat(`${TRASHED_RUNS}/${id}`)) !== undefined
    if (!present.has(id) && !shared && !isTrashed)
      findings.warn(runFolder(id), `the run behind ${version} is gone; its records are kept as objects`)
  }
}

/** @returns the lists of files of the data that it has a snapshot of */
async function verifyRun(findings: Findings, id: string, pin: PinnedRun | undefined): Promise<Digest[]> {
  const affects = [`run ${id}${pin === undefined ? '' : `, behind ${pin.version}`}`]
  const folder = runFolder(id)
  const begun = await verifyRecord<RunStart>(findings, `${folder}/run.json`, affects, pin?.run)
  const start = begun && wellFormed(findings, `${folder}/run.json`, affects, isRunStart, begun)
  if (start !== undefined && start.id !== id) {
    findings.damage(`${folder}/run.json`, 'misplaced', `it is the record of run ${String(start.id)}`, affects)
  }
  const end = await verifyEnd(findings, id, affects, pin?.end)
  for (const { sha256: digest, what } of referencedByRun(start, end)) findings.want(digest, `run ${id}: ${what}`)
  for (const { path, sha256: digest, size } of end?.artifacts ?? [])
    findings.want(digest, `run ${id}: artifact ${path}`, size)
  await verifyFiles(findings, id, affects, end)
  await verifyAnnotations(findings, id, affects)
  await warnUnknown(findings, folder)
  const data = end?.late?.data ?? start?.data ?? []
  return data.flatMap(({ manifest, snapshot }) => (snapshot && manifest !== undefined ? [manifest.sha256] : []))
}

async function verifyEnd(
  findings: Findings,
  id: string,
  affects: readonly string[],
  pin: Digest | undefined,
): Promise<RunEnd | undefined> {
  const file = `${runFolder(id)}/end.json`
  const record = await verifyRecord<RunEnd>(findings, file, affects, pin)
  const isEnd = typeof record?.files === 'object' && record.files !== null
  if (record !== undefined && !isEnd) findings.damage(file, 'misplaced', 'it is another record', affects)
  const end = isEnd ? wellFormed(findings, file, affects, isRunEnd, record) : undefined
  const witnessFile = `${runFolder(id)}/ended`
  const bytes = await findings.regular(file, findings.backend.get(file))
  const witness = await findings.regular(witnessFile, findings.backend.get(witnessFile))
  if (witness === undefined) {
    // The heartbeat is taken away after "ended" was written, so its writer was not killed in between.
    const gone = bytes !== undefined && (await findings.backend.stat(`${runFolder(id)}/alive`)) === undefined
    if (gone) findings.damage(witnessFile, 'missing', 'the run has ended, and its heartbeat was taken away', affects)
    return end
  }
  findings.count(witnessFile, witness.length)
  const named = witness.toString('latin1')
  if (!/^[0-9a-f]{64}\n$/.test(named)) findings.damage(witnessFile, 'changed', 'it is no digest', affects)
  else if (bytes === undefined) findings.damage(file, 'missing', 'the file "ended" says that there was one', affects)
  else if (`${sha256(bytes)}\n` !== named && !findings.isDamaged(file)) {
    findings.damage(witnessFile, 'changed', 'it does not name the bytes of end.json', affects)
  }
  return end
}

async function verifyFiles(
  findings: Findings,
  id: string,
  affects: readonly string[],
  end: RunEnd | undefined,
): Promise<void> {
  const folder = runFolder(id)
  const present = new Set(await filesOfRun(findings.backend, id))
  for (const path of present) {
    const file = `${folder}/${path}`
    if (/^(intents|evidence|clients)\/.*\.json$/.test(path)) await verifyInnerRecord(findings, file, affects)
    const pin = end?.files[path]
    const found = await hash(findings, file, path !== 'run.json')
    if (end !== undefined && pin === undefined)
      findings.warn(file, 'it is not pinned by end.json: it was written after the end')
    else if (pin !== undefined && (found.sha256 !== pin.sha256 || found.size !== pin.size)) {
      const how =
        found.size < pin.size ? `it has ${found.size} bytes and had ${pin.size}` : 'its bytes are not those pinned'
      findings.damage(file, 'changed', `${how} by end.json`, affects)
    }
  }
  for (const path of Object.keys(end?.files ?? {})) {
    if (!present.has(path)) findings.damage(`${folder}/${path}`, 'missing', 'end.json pins it', affects)
  }
  // The one who begins a run writes run.json first and the heartbeat after it.
  const begun = (await findings.backend.stat(`${folder}/alive`)) !== undefined
  if (begun && !present.has('run.json')) findings.damage(`${folder}/run.json`, 'missing', 'the run has begun', affects)
}

/** They may come at any time, so no end pins them: each is checked against its own seal and its place. */
async function verifyAnnotations(findings: Findings, id: string, affects: readonly string[]): Promise<void> {
  for (const { name } of await findings.backend.list(annotationsFolder(id))) {
    const file = `${annotationsFolder(id)}/${name}`
    const record = await verifyRecord<Annotation>(findings, file, affects)
    if (record !== undefined && (`${record.id}.json` !== name || record.run !== id))
      findings.damage(file, 'misplaced', 'it says something of another run, or under another name', affects)
  }
}

/** What was sealed with members that no writer of ours writes. @returns undefined then: nothing can be read from it */
function wellFormed<T extends object>(
  findings: Findings,
  file: string,
  affects: readonly string[],
  check: Check,
  record: T,
): T | undefined {
  const problem = check(record, '')
  if (problem !== undefined) findings.damage(file, 'changed', problem, affects)
  return problem === undefined ? record : undefined
}

/** A write-once record of the run; undefined when it is absent or damaged. */
async function verifyRecord<T>(
  findings: Findings,
  file: string,
  affects: readonly string[],
  pin?: Digest,
): Promise<T | undefined> {
  const bytes = await findings.get(file)
  if (bytes === undefined) {
    if (pin !== undefined) findings.damage(file, 'missing', 'an event pinned it', affects)
    return undefined
  }
  const problem = sealProblem(bytes)
  if (problem !== undefined) findings.damage(file, 'changed', problem, affects)
  else if (pin !== undefined && sha256(bytes) !== pin) {
    findings.damage(file, 'inconsistent', 'its bytes are not those that an event pinned', affects)
  }
  return problem === undefined ? (openSealed(bytes) as T) : undefined
}

async function verifyInnerRecord(findings: Findings, file: string, affects: readonly string[]): Promise<void> {
  const bytes = await findings.regular(file, findings.backend.get(file))
  const problem = bytes && sealProblem(bytes)
  if (problem !== undefined) return findings.damage(file, 'changed', problem, affects)
  const record = bytes && openSealed(bytes)
  if (record === undefined) return
  if (file.includes('/clients/')) {
    if (!file.endsWith(`/${String(record.writer)}.json`))
      findings.damage(file, 'misplaced', 'it is not the record of that client', affects)
    return
  }
  const isWish = file.includes('/intents/')
  const kinds = isWish ? ['register', 'baseline'] : ['test', 'examples']
  if (!kinds.includes(String(record.kind))) {
    return findings.damage(file, 'misplaced', isWish ? 'it is no wish' : 'it is no evidence', affects)
  }
  if (wellFormed(findings, file, affects, isWish ? isIntent : isEvidence, record) === undefined) return
  const wanted: readonly Reference[] = isWish
    ? referencedByIntent(record as unknown as Intent)
    : referencedByEvidence(record as unknown as RunEvidence)
  for (const { sha256: digest, what } of wanted) findings.want(digest, `${affects.join()}: ${what}`)
}

async function hash(findings: Findings, file: string, count: boolean): Promise<{ sha256: Digest; size: number }> {
  const digest = createHash('sha256')
  let size = 0
  for await (const chunk of (await findings.backend.read(file)) ?? []) {
    digest.update(chunk)
    size += chunk.length
  }
  if (count) findings.count(file, size)
  return { sha256: digest.digest('hex'), size }
}

const KNOWN = ['run.json', 'end.json', 'ended', 'alive', 'output.log']
const KNOWN_FOLDERS = ['params', 'metrics', 'tags', 'artifacts', 'intents', 'evidence', 'clients', 'annotations']

async function warnUnknown(findings: Findings, folder: string): Promise<void> {
  for (const { name, kind } of await findings.backend.list(folder)) {
    if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, `${folder}/${name}`)
    else if (kind === 'link' || kind === 'other') {
      findings.warn(`${folder}/${name}`, 'it is no regular file and is not read')
    } else if (!(kind === 'folder' ? KNOWN_FOLDERS : KNOWN).includes(name)) {
      findings.warn(`${folder}/${name}`, 'it is not part of a run')
    } else if (kind === 'folder') {
      for (const inner of await findings.backend.list(`${folder}/${name}`))
        if (inner.kind !== 'file') findings.warn(`${folder}/${name}/${inner.name}`, 'it is no file and is not read')
    }
  }
}
