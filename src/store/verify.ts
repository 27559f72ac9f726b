/**
 * `verifyStore`: reads every file of a store and says which are not what they were, and what that affects. It trusts
 * nothing, stops at nothing and writes nothing; one file per kind of thing does the work (`verify-*.ts`).
 */
import { type Digest, sha256 } from '../core/digest.ts'
import { type Audit, differences } from './audit-compare.ts'
import { explained } from './failures.ts'
import { type Files, nodeFiles } from './files.ts'
import {
  CACHE,
  FOLDERS,
  hasAttributes,
  numbered,
  REGISTRY,
  RESERVE,
  RESERVE_BYTES,
  ROOT_LOG,
  STORE_FORMAT,
} from './layout.ts'
import { LocalBackend, storeOpenedForReading } from './local-backend.ts'
import { inspectRoot } from './open.ts'
import { parseRegistry } from './registry.ts'
import { isReserveWhole } from './reserve.ts'
import { openSealed } from './sealed.ts'
import { verifyClaimFolder } from './verify-chains.ts'
import { Findings, type VerifyReport } from './verify-findings.ts'
import { verifyModels, warnUnknownInModels } from './verify-models.ts'
import { verifyObjects } from './verify-objects.ts'
import { verifyRecords } from './verify-records.ts'
import { verifyRuns } from './verify-runs.ts'
import { verifyTrash } from './verify-trash.ts'

export type { Damage, Problem, VerifyReport, VerifyWarning } from './verify-findings.ts'

export interface VerifyOptions {
  readonly files?: Files
  /** `step` is the file being read, `fraction` of the bytes of all objects. */
  readonly progress?: (step: string, fraction?: number) => void
  readonly signal?: AbortSignal
  /** An export that was kept elsewhere: what it has must still be in its place. */
  readonly against?: Audit
}

/**
 * @param root absolute path
 * @throws as `openStore` when there is no store at all; everything that is wrong inside one is in the report
 */
export async function verifyStore(root: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const files = options.files ?? nodeFiles
  await inspectRoot(files, root)
  const backend = new LocalBackend(root, { files, refusal: storeOpenedForReading(root) })
  return explained(root, 'read the store', async () => {
    const findings = new Findings(backend, await stepper(backend, options))
    const genesis = await verifyRegistry(findings)
    const pinned = await verifyModels(findings, genesis)
    await warnUnknownInModels(findings)
    await verifyRecords(findings, genesis)
    await verifyRuns(findings, pinned)
    await verifyTrash(findings, pinned)
    await verifyObjects(findings)
    await verifyTop(findings)
    if (options.against === undefined) return findings.report(root)
    return verifyAgainst(findings, root, options.against)
  })
}

async function verifyAgainst(findings: Findings, root: string, audit: Audit): Promise<VerifyReport> {
  for (const { file, problem, why, affects } of await differences(root, audit)) {
    findings.damage(file, problem, why, [affects])
  }
  const events = [...audit.events.values()].reduce((sum, { size }) => sum + size, 0)
  const { file, header } = audit
  return { ...findings.report(root), against: { file, time: header.time, tool: header.tool, events } }
}

/** Progress by bytes: sizes are cheap to add up beforehand, and one large object would look like a hang otherwise. */
async function stepper(backend: LocalBackend, options: VerifyOptions): Promise<(what: string, bytes: number) => void> {
  const { progress, signal } = options
  let done = 0
  const total = progress === undefined ? 0 : await objectBytes(backend)
  return (what, bytes) => {
    signal?.throwIfAborted()
    if (what.startsWith('objects/')) done += bytes
    progress?.(what, total === 0 ? undefined : Math.min(1, done / total))
  }
}

async function objectBytes(backend: LocalBackend): Promise<number> {
  let total = 0
  for (const { name } of await backend.list('objects/sha256')) {
    for (const inner of await backend.list(`objects/sha256/${name}`)) {
      total += (await backend.stat(`objects/sha256/${name}/${inner.name}`))?.size ?? 0
    }
  }
  return total
}

/** @returns what the first events must name, or undefined when that cannot be known */
async function verifyRegistry(findings: Findings): Promise<Digest | undefined> {
  const bytes = await findings.get(REGISTRY)
  if (bytes === undefined) {
    findings.damage(REGISTRY, 'missing', 'every store has one', ['the whole store: no command opens it'])
    return undefined
  }
  const registry = parseRegistry(bytes)
  if (typeof registry === 'string') {
    findings.damage(REGISTRY, 'changed', registry, ['the whole store: no command opens it'])
    return undefined
  }
  if (registry.format > STORE_FORMAT) {
    findings.warn(
      REGISTRY,
      `the store was written by a newer mlops: it has format ${registry.format}, this one knows ${STORE_FORMAT} and may miss damage, or take for damage what it does not know`,
    )
    return undefined
  }
  await blameRegistry(findings, sha256(bytes))
  return registry.digest
}

/** A registry of another store, whole in itself, makes every first event disagree with it: then it is the culprit. */
async function blameRegistry(findings: Findings, digest: Digest): Promise<void> {
  const first = await findings.backend.get(`${ROOT_LOG}/${numbered(1)}`)
  const prev = first && openSealed(first)?.prev
  if (prev === undefined || prev === digest) return
  findings.damage(REGISTRY, 'inconsistent', 'the first events name another registry.json', ['the whole store'])
}

const TOP = new Set<string>([...FOLDERS, REGISTRY, RESERVE, CACHE, 'predictions', '.git', '.gitattributes'])

async function verifyTop(findings: Findings): Promise<void> {
  for (const { name, kind } of await findings.backend.list('')) {
    if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, name)
    else if (!TOP.has(name)) findings.warn(name, 'it is not part of a store')
    else if (kind === 'link') findings.warn(name, 'it is a symbolic link: its target can be lost without the store')
  }
  for (const { name } of await findings.backend.list('objects')) {
    if (name !== 'sha256') findings.warn(`objects/${name}`, 'it is not part of a store')
  }
  await verifyReserve(findings)
  await verifyAttributes(findings)
}

async function verifyReserve(findings: Findings): Promise<void> {
  const bytes = await findings.backend.get(RESERVE)
  if (bytes === undefined) {
    const why = 'the room for a full disk has been used; the next register, promote or rollback makes it again'
    findings.warn(RESERVE, `${why}, and so does: mlops init`)
  } else if (bytes.length !== RESERVE_BYTES || !isReserveWhole(bytes)) {
    findings.warn(RESERVE, 'its bytes were changed; nothing is lost with them: delete it, and it is made again')
  }
}

/** Without it git may rewrite line ends in files that are chained by their bytes. */
async function verifyAttributes(findings: Findings): Promise<void> {
  if ((await findings.backend.stat('.git')) === undefined) return
  const bytes = await findings.get('.gitattributes')
  const affects = ['what git does to the store: set right by writing the line "* -text"']
  if (bytes === undefined)
    findings.damage('.gitattributes', 'missing', 'it keeps git from rewriting line ends', affects)
  else if (!hasAttributes(bytes)) {
    findings.damage('.gitattributes', 'changed', 'it lacks the line "* -text"', affects)
  }
}
