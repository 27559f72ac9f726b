/**
 * Everything the store knows about one version, read from immutable objects alone: the manifest and the pinned
 * records of its run. Works offline, and after the folder of the run is gone. Nothing here decides or writes.
 */

import type { Actor } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { MlopsError } from '../../core/errors.ts'
import type { ImportedFrom } from '../../store/events.ts'
import { importedFrom, type ModelState, type VersionState } from '../../store/fold.ts'
import type { DataFact, Manifest } from '../../store/manifest.ts'
import type { DeclaredData, GitFacts, PythonFacts, RunEnd, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import type { VersionFacts } from '../gate/gate.ts'

/** The run behind a version, from its two pinned records. */
export interface RunDetail {
  readonly id: string
  readonly status: RunEnd['status'] | 'running'
  readonly command: readonly string[]
  /** Relative to the project. */
  readonly cwd: string
  /** The allowlisted variables of its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly started: string
  readonly ended: string | null
  /** Seconds. */
  readonly duration: number | null
  readonly actor: Actor
  readonly host: string
  readonly source: RunStart['source']
  readonly seed: number | null
}

export interface VersionDetail {
  readonly model: string
  readonly version: number
  /** Digest of the manifest: what the version is. */
  readonly manifest: Digest
  readonly registered: { readonly time: string; readonly by: Actor; readonly tool: string; readonly seq: number }
  readonly message: string | null
  readonly tags: readonly string[]
  /** The stages that point to it now. */
  readonly stages: readonly string[]
  readonly files: Manifest['files']
  readonly metrics: Manifest['metrics']
  readonly params: Manifest['params']
  /** Declared data, with the path it was declared under where the run recorded one. */
  readonly data: readonly (DataFact & { readonly path?: string })[]
  readonly baseline: NonNullable<Manifest['baseline']> | null
  readonly target: string | null
  readonly prediction: string | null
  readonly evaluate: string | null
  /** The answers on the test set, an object. */
  readonly testPredictions: NonNullable<Manifest['testPredictions']> | null
  readonly examples: NonNullable<Manifest['examples']> | null
  /** How many held-out rows stand in the training data too; null when that is not known. */
  readonly overlap: NonNullable<Manifest['overlap']> | null
  /** Where it was registered before, if it came out of an archive; what that archive said. */
  readonly imported: ImportedFrom | null
  readonly run: RunDetail | null
  readonly code: GitFacts | null
  readonly python: PythonFacts | null
  /** What could not be read and why: a damaged record hides nothing silently. */
  readonly problems: readonly string[]
}

/** @throws failed `OBJECT_DAMAGED`, notFound `OBJECT_MISSING` for the manifest; lost run records are only reported */
export async function loadVersion(store: Store, state: ModelState, version: VersionState): Promise<VersionDetail> {
  const manifest = await store.models.manifest(version.manifest)
  const problems: string[] = []
  const records = await loadRun(store, version, problems)
  const { registered } = version
  return {
    model: state.model,
    version: version.version,
    manifest: version.manifest,
    registered: { time: registered.time, by: registered.actor, tool: registered.tool, seq: registered.seq },
    message: version.message ?? null,
    tags: version.tags,
    stages: stagesOf(state, version.version),
    files: manifest.files,
    metrics: manifest.metrics,
    params: manifest.params,
    data: manifest.data.map((fact) => withPath(fact, records?.data ?? [])),
    baseline: manifest.baseline ?? null,
    target: manifest.target ?? null,
    prediction: manifest.prediction ?? null,
    evaluate: manifest.evaluate ?? null,
    testPredictions: manifest.testPredictions ?? null,
    examples: manifest.examples ?? null,
    overlap: manifest.overlap ?? null,
    imported: importedFrom(version) ?? null,
    run: records?.detail ?? null,
    code: records?.git ?? null,
    python: records?.python ?? null,
    problems,
  }
}

/** What the gate needs: the manifest and the run's pin. */
export async function versionFacts(store: Store, model: string, version: VersionState): Promise<VersionFacts> {
  const manifest = await store.models.manifest(version.manifest)
  return {
    model,
    version: version.version,
    digest: version.manifest,
    manifest,
    run: version.run,
    isImported: importedFrom(version) !== undefined,
  }
}

/** The stages that point to a version, in order of their names. */
export const stagesOf = (state: ModelState, version: number): string[] =>
  Object.keys(state.stages)
    .filter((stage) => state.stages[stage]?.version === version)
    .sort()

interface RunFacts {
  readonly detail: RunDetail
  readonly git: GitFacts | undefined
  readonly python: PythonFacts | undefined
  readonly data: readonly DeclaredData[]
}

async function loadRun(store: Store, version: VersionState, problems: string[]): Promise<RunFacts | undefined> {
  const pin = version.run
  if (pin === undefined) return undefined
  const start = await readRecord<RunStart>(store, pin.run.sha256, `run.json of run ${pin.id}`, problems)
  const end = pin.end && (await readRecord<RunEnd>(store, pin.end.sha256, `end.json of run ${pin.id}`, problems))
  if (start === undefined) return undefined
  return {
    detail: {
      id: pin.id,
      status: end?.status ?? 'running',
      command: start.command,
      cwd: start.cwd,
      // A record that another writer made may have none.
      env: start.env ?? {},
      started: start.started,
      ended: end?.ended ?? null,
      duration: end?.duration ?? null,
      actor: start.actor,
      host: start.host.name,
      source: start.source,
      seed: start.seed ?? null,
    },
    // Hashing and git go on while the command runs; what came late stands in end.json.
    git: end?.late?.git ?? start.git,
    python: end?.late?.python ?? start.python,
    data: end?.late?.data ?? start.data,
  }
}

/** A pinned record; a damaged or lost one becomes a line in `problems`. */
async function readRecord<T>(store: Store, digest: Digest, name: string, problems: string[]): Promise<T | undefined> {
  try {
    return await store.objects.readJson<T>(digest)
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    problems.push(`${name}: ${error.message}`)
    return undefined
  }
}

function withPath(fact: DataFact, declared: readonly DeclaredData[]): DataFact & { readonly path?: string } {
  const source = declared.find(({ sha256 }) => sha256 === fact.sha256)
  return source === undefined ? fact : { ...fact, path: source.path }
}
