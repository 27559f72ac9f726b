/** Which objects a record refers to. Used before and after a commit, and by `verify`. Pure. */
import { type Digest, isDigest } from '../core/digest.ts'
import type { EventDraft, ModelEvent } from './events.ts'
import type { Manifest } from './manifest.ts'
import type { EnvironmentRecord, Intent, RunEnd, RunEvidence, RunStart } from './run-records.ts'

export interface Reference {
  readonly sha256: Digest
  /** What it is, as it reads in a sentence: `file model.joblib`. */
  readonly what: string
}

export function referencedByEvent(event: EventDraft | ModelEvent): Reference[] {
  switch (event.type) {
    case 'register': {
      const { manifest, run, imported } = event.body
      const pins = run === undefined ? [] : [ref(run.run.sha256, `run.json of run ${run.id}`)]
      if (run?.end !== undefined) pins.push(ref(run.end.sha256, `end.json of run ${run.id}`))
      if (imported !== undefined) {
        pins.push(ref(imported.origin.sha256, 'origin of the import'))
        pins.push(...imported.kept.map(({ sha256 }) => ref(sha256, 'provenance of the import')))
      }
      return [ref(manifest, 'manifest'), ...pins]
    }
    case 'promote': {
      const { manifest, champion } = event.body.gate.bound
      return [ref(manifest, 'manifest'), ...(champion === undefined ? [] : [ref(champion, "champion's manifest")])]
    }
    case 'rollout': {
      const { gate } = event.body
      return gate === undefined ? [] : [ref(gate.bound.manifest, 'manifest')]
    }
    case 'baseline':
      return [ref(event.body.profile.sha256, 'baseline profile')]
    default:
      return []
  }
}

/** Data digests are not among them: the data itself is not kept in the store. */
export function referencedByManifest(manifest: Manifest): Reference[] {
  const references = manifest.files.map(({ path, sha256 }) => ref(sha256, `file ${path}`))
  const { baseline } = manifest
  if (baseline !== undefined) references.push(ref(baseline.profile, 'baseline profile'))
  if (baseline?.segments !== undefined) references.push(ref(baseline.segments.sha256, 'baseline segments'))
  if (manifest.testPredictions !== undefined) references.push(ref(manifest.testPredictions.sha256, 'test predictions'))
  if (manifest.examples !== undefined) references.push(ref(manifest.examples.sha256, 'examples'))
  return references
}

/** What these objects refer to in turn is `referencedByDataManifest` and `referencedByEnvironment`. */
export function referencedByRun(begun: RunStart | undefined, end: RunEnd | undefined): Reference[] {
  const references: Reference[] = []
  const start = begun === undefined ? undefined : { ...begun, ...end?.late }
  if (start?.git?.patch !== undefined) references.push(ref(start.git.patch.sha256, 'uncommitted changes'))
  for (const { path, patch } of start?.git?.submodules ?? []) {
    if (patch !== undefined) references.push(ref(patch.sha256, `uncommitted changes of the submodule ${path}`))
  }
  for (const { name, sha256, kind, manifest, snapshot } of start?.data ?? []) {
    if (manifest !== undefined) references.push(ref(manifest.sha256, `list of the files of data ${name}`))
    if (snapshot && kind === 'file') references.push(ref(sha256, `snapshot of data ${name}`))
  }
  if (start?.python?.environment !== undefined)
    references.push(ref(start.python.environment.sha256, 'package environment'))
  if (start?.python?.lock !== undefined) references.push(ref(start.python.lock.sha256, 'package lock'))
  for (const { path, sha256 } of end?.artifacts ?? []) references.push(ref(sha256, `artifact ${path}`))
  return references
}

/**
 * @param manifest the bytes of the list of a folder's files: `path\0sha256\n` for each, sorted
 * @returns the files themselves; they are in the store where the data has a snapshot
 */
export function referencedByDataManifest(manifest: Buffer): Reference[] {
  return manifest
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const at = line.lastIndexOf('\0')
      const digest = line.slice(at + 1)
      return at < 0 || !isDigest(digest) ? [] : [ref(digest, `snapshot of ${line.slice(0, at)}`)]
    })
}

export const referencedByEnvironment = ({ locks }: EnvironmentRecord): Reference[] =>
  locks.map(({ path, sha256 }) => ref(sha256, `lock file ${path}`))

export const referencedByIntent = (intent: Intent): Reference[] =>
  intent.kind === 'baseline' ? [ref(intent.data.sha256, 'baseline data')] : []

export const referencedByEvidence = ({ kind, data }: RunEvidence): Reference[] => [
  ref(data.sha256, kind === 'test' ? 'test predictions' : 'examples'),
]

/** A check's reference profile, unless it was counted from data for that check alone. */
export function referencedByCheck(record: unknown): Reference[] {
  const reference = (record as { reference?: { profile?: unknown; kept?: unknown } | null } | null)?.reference
  const isObject = isDigest(reference?.profile) && reference?.kept !== false
  return isObject ? [ref(reference.profile as Digest, 'reference profile')] : []
}

const ref = (sha256: Digest, what: string): Reference => ({ sha256, what })
