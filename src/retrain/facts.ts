/** Collects what a plan is decided from besides the trigger: the champion, its data, an attempt that did not end. Reads only. */

import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { isMlopsError } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import { importedFrom, type ModelState, type VersionState } from '../store/fold.ts'
import type { Manifest } from '../store/manifest.ts'
import type { RunEnd, RunStart } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import type { OpenJob } from './job-records.ts'
import type { Champion } from './trigger.ts'

export async function championOf(store: Store, state: ModelState): Promise<Champion | null> {
  const version = championVersion(state)
  if (version === undefined) return null
  const manifest = await store.models.manifest(version.manifest)
  const trained = manifest.data.filter(({ name }) => name !== 'test').map(({ sha256 }) => sha256)
  const own = manifest.baseline
  return {
    version: version.version,
    manifest: version.manifest,
    registered: version.registered.time,
    dataHashes: [...trained, ...(own === undefined ? [] : [own.data.sha256])],
    baselines: [
      ...(own === undefined ? [] : [own.profile]),
      ...(state.baseline ? [state.baseline.profile.sha256] : []),
    ],
  }
}

function championVersion(state: ModelState): VersionState | undefined {
  const entry = state.stages.production
  return entry === undefined ? undefined : state.versions[entry.version - 1]
}

/** What the version in production, else the newest, is known by: for the preflight. Null while there is none. */
export async function knownVersion(
  store: Store,
  state: ModelState,
): Promise<{ readonly version: number; readonly manifest: Manifest } | null> {
  const version = championVersion(state) ?? state.versions.at(-1)
  if (version === undefined) return null
  return { version: version.version, manifest: await store.models.manifest(version.manifest) }
}

/** What became of the last run that an attempt started; null where it started none. */
export type RunState = 'finished' | 'failed' | 'killed'

export async function runStateOf(store: Store, open: OpenJob): Promise<RunState | null> {
  const run = open.trainings.at(-1)?.run
  if (run === undefined) return null
  if (open.trained === run) return 'finished'
  try {
    const { end } = await store.runs.read(run)
    if (end === undefined) return 'killed'
    return end.status === 'finished' ? 'finished' : end.status === 'interrupted' ? 'killed' : 'failed'
  } catch (error) {
    // Killed before the run was written down.
    if (isMlopsError(error) && error.code === 'RUN_NOT_FOUND') return 'killed'
    throw error
  }
}

/**
 * The data that the run behind the version in production declared, as far as the files are still there: what a job
 * that names no data is given, so that its version has a baseline too. Paths relative to the project.
 */
export async function declaredDataOf(
  project: Project,
  store: Store,
  state: ModelState,
): Promise<Readonly<Record<string, string>>> {
  const champion = championVersion(state)
  const run = champion?.run
  if (champion === undefined || run === undefined || importedFrom(champion) !== undefined) return {}
  const start = await store.objects.readJson<RunStart>(run.run.sha256)
  const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
  const declared: Record<string, string> = {}
  for (const { name, path } of end?.late?.data ?? start.data) {
    const fromProject = isAbsolute(path) ? path : join(start.cwd, path)
    if (existsSync(resolve(project.root, fromProject))) declared[name] = fromProject
  }
  return declared
}
