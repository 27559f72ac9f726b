/**
 * What belongs into the archive of a version besides its manifest: the objects that make it up, and those that tell
 * where it comes from. The same answer when it is written and when it is read. Pure.
 */
import type { Digest } from '../core/digest.ts'
import type { Pin, RegisterBody } from '../store/events.ts'
import type { Manifest } from '../store/manifest.ts'
import type { RunEnd, RunStart } from '../store/run-records.ts'

export interface Part {
  readonly sha256: Digest
  /** Undefined when no record says it. */
  readonly size: number | undefined
  /** As it reads in a sentence: `file model.joblib`. */
  readonly what: string
}

/** Without any of these there is no archive. */
export function partsOf(manifest: Manifest, { run, imported }: RegisterBody): Part[] {
  const { baseline, testPredictions, examples } = manifest
  const parts = manifest.files.map(({ path, sha256, size }) => part(`file ${path}`, { sha256, size }))
  if (baseline !== undefined) parts.push({ sha256: baseline.profile, size: undefined, what: 'baseline profile' })
  if (baseline?.segments !== undefined) parts.push(part('baseline segments', baseline.segments))
  if (testPredictions !== undefined) parts.push(part('test predictions', testPredictions))
  if (examples !== undefined) parts.push(part('examples', examples))
  if (run !== undefined) parts.push(part(`run.json of run ${run.id}`, run.run))
  if (run?.end !== undefined) parts.push(part(`end.json of run ${run.id}`, run.end))
  if (imported !== undefined) {
    parts.push(part('origin of the earlier import', imported.origin))
    parts.push(...imported.kept.map((pin) => part('provenance of the earlier import', pin)))
  }
  return parts
}

/** What the records of the run mention. It is in the archive if the store still had it whole. */
export function mentionedBy(start: RunStart | undefined, end: RunEnd | undefined): Part[] {
  const parts: Part[] = []
  for (const { git, python } of [start ?? {}, end?.late ?? {}]) {
    if (git?.patch !== undefined) parts.push(part('uncommitted changes', git.patch))
    if (python?.lock !== undefined) parts.push({ sha256: python.lock.sha256, size: undefined, what: 'package lock' })
  }
  return parts
}

const part = (what: string, { sha256, size }: Pin): Part => ({ sha256, size, what })
