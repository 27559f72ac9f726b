/**
 * Which files of a folder runs wrote: those that mlops reads after a run, that it stores as artifacts, that runs before
 * stored. Asked only for files that no patch holds, so that they are not taken for code that is missing.
 */
import { realpath } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Project } from '../../project/config.ts'
import type { OutputsAmong } from '../../project/git-patch.ts'
import type { Store } from '../../store/store.ts'
import { METRIC_FILES } from '../values/value-files.ts'
import { matchFiles } from './glob.ts'

/** Runs that are asked what they stored: a file that lies there is one of the last. */
const MOST_RUNS = 50

export interface OutputsRequest {
  readonly cwd: string
  /** Of the artifacts of this run, relative to `cwd`. */
  readonly artifacts: readonly string[]
}

/** @returns a question that takes absolute paths without links */
export function outputsOfRuns(project: Project, store: Store, { cwd, artifacts }: OutputsRequest): OutputsAmong {
  return async (paths) => {
    const found = new Set(paths.filter((path) => (METRIC_FILES as readonly string[]).includes(basename(path))))
    const isDone = (): boolean => found.size === paths.length
    const add = async (folder: string, names: readonly string[]): Promise<void> => {
      const real = await realpath(folder).catch(() => folder)
      for (const name of names) {
        const path = resolve(real, name)
        if (paths.includes(path)) found.add(path)
      }
    }
    for (const pattern of artifacts) if (!isDone()) await add(cwd, await matchFiles(pattern, cwd))
    if (isDone()) return found
    for (const id of (await store.runs.list()).slice(0, MOST_RUNS)) {
      const folder = await store.runs.read(id).catch(() => undefined)
      const stored = folder?.end?.artifacts ?? []
      if (folder !== undefined && stored.length > 0) {
        const at = resolve(project.root, folder.start.cwd)
        await add(
          at,
          stored.map(({ path }) => path),
        )
      }
      if (isDone()) break
    }
    return found
  }
}
