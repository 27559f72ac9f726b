/** Verifying the trash: what can come back must be whole. What is on its way out for good is not looked at. */
import { createHash } from 'node:crypto'
import { isUlid } from '../core/ulid.ts'
import { TRASHED_RUNS } from './layout.ts'
import { referencedByRun } from './references.ts'
import type { RunEnd, RunStart } from './run-records.ts'
import { openSealed, sealProblem } from './sealed.ts'
import { verifyClaimFolder } from './verify-chains.ts'
import type { Findings } from './verify-findings.ts'
import type { PinnedRun } from './verify-models.ts'

/** Before the objects are looked at: a run in the trash needs its own. */
export async function verifyTrash(findings: Findings, pinned: ReadonlyMap<string, PinnedRun>): Promise<void> {
  for (const { name, kind } of await findings.backend.list(TRASHED_RUNS)) {
    const key = `${TRASHED_RUNS}/${name}`
    if (kind === 'folder' && isUlid(name)) await verifyRun(findings, name, pinned.get(name))
    else if (kind === 'folder' && name.endsWith('.claim')) await verifyClaimFolder(findings, key)
    else if (kind === 'file' && isUlid(name.slice(0, 26)) && name.endsWith('.json'))
      await record(findings, key, [`why run ${name.slice(0, 26)} was deleted`])
    else findings.warn(key, 'it is not part of the trash')
  }
}

async function verifyRun(findings: Findings, id: string, pin: PinnedRun | undefined): Promise<void> {
  const folder = `${TRASHED_RUNS}/${id}`
  const affects = [`run ${id} in the trash`]
  if (pin !== undefined)
    findings.warn(folder, `the run behind ${pin.version} is in the trash: take it out with mlops run restore ${id}`)
  const start = (await record(findings, `${folder}/run.json`, affects)) as RunStart | undefined
  const end = (await record(findings, `${folder}/end.json`, affects)) as RunEnd | undefined
  for (const { sha256: digest, what } of referencedByRun(start, end))
    findings.want(digest, `${affects.join()}: ${what}`)
}

async function record(findings: Findings, file: string, affects: readonly string[]): Promise<unknown> {
  const bytes = await findings.get(file)
  if (bytes === undefined) return undefined
  const problem = sealProblem(bytes)
  if (problem === undefined) return openSealed(bytes)
  findings.damage(file, 'changed', problem, affects)
  return undefined
}

/** @returns whether an object that is not in its place is aside, and whole: then it is read from there */
export async function isAside(findings: Findings, digest: string, key: string): Promise<boolean> {
  const chunks = await findings.backend.read(key)
  if (chunks === undefined) return false
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex') === digest
}
