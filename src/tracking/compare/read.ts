/** Reads from the store what a comparison needs: the facts of each run, its series, the files of folders that differ. */
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import type { Store } from '../../store/store.ts'
import { notesOf } from '../records/annotations.ts'
import { readSeries } from '../records/series.ts'
import { type CompareInput, type CompareOptions, compareRuns, type RunComparison } from './compare.ts'
import { type FolderFiles, parseManifest } from './data.ts'
import type { RunFacts } from './facts.ts'
import { readFacts } from './read-facts.ts'
import type { NamedRun } from './which-runs.ts'

/** Points of each series: what a wide chart can show. */
const POINTS = 200

export interface ReadComparison {
  readonly comparison: RunComparison
  /** In the order of the runs, for the diff of their code. */
  readonly facts: readonly RunFacts[]
}

/** Reads one run after the other: a metric stream may be large. Throws as `readFacts` does. */
export async function readComparison(
  ctx: Context,
  store: Store,
  named: readonly NamedRun[],
  options: Pick<CompareOptions, 'directions'> = {},
): Promise<ReadComparison> {
  const inputs: CompareInput[] = []
  for (const { run, version } of named) {
    const facts = await readFacts(ctx, store, run)
    const series = await readSeries(store, run, { points: POINTS })
    inputs.push({ facts, version, series, notes: notesOf(await store.runs.annotations(run)) })
  }
  const facts = inputs.map((input) => input.facts)
  const folders = await readFolders(store, facts)
  return { comparison: compareRuns(inputs, { ...options, folders }), facts }
}

/** Only of folders that changed: a list of 70,000 files takes its time. */
async function readFolders(store: Store, runs: readonly RunFacts[]): Promise<Map<Digest, FolderFiles | string>> {
  const all = runs.flatMap(({ data }) => data).filter(({ kind }) => kind === 'directory')
  const found = new Map<Digest, FolderFiles | string>()
  for (const { name, sha256, manifest } of all) {
    const changed = all.some((other) => other.name === name && other.sha256 !== sha256)
    if (!changed || manifest === undefined || found.has(sha256)) continue
    found.set(sha256, await readFolder(store, manifest.sha256))
  }
  return found
}

const readFolder = (store: Store, digest: Digest): Promise<FolderFiles | string> =>
  store.objects.read(digest).then(
    (bytes) => parseManifest(bytes) ?? 'the list of its files is in a form that is not known',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
