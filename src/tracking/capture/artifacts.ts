/** Stores the files a run produced as objects: those named by `--artifact`, and the model's `artifact:` pattern. */
import { stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Project } from '../../project/config.ts'
import type { ArtifactLine } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { landing } from './links.ts'
import { type Before, lookAfter } from './written.ts'

/** `relative` may point out of the run's folder; what is recorded never does. */
interface Wanted {
  /** Relative to the run's cwd, or absolute. */
  readonly pattern: string
  /** Asked for by name, so that missing it is worth a word. */
  readonly explicit: boolean
}

/**
 * @param models whose patterns count; all of mlops.yaml when the run names no model, since the bytes cost little and
 *   cannot be had later
 */
export function wantedArtifacts(
  project: Project,
  cwd: string,
  explicit: readonly string[],
  model: string | undefined,
): Wanted[] {
  const configured = model === undefined ? Object.keys(project.config.models) : [model]
  const patterns = configured
    .map((name) => (Object.hasOwn(project.config.models, name) ? project.config.models[name]?.artifact : undefined))
    .filter((pattern) => pattern !== undefined)
    .map((pattern) => relative(cwd, resolve(project.root, pattern)) || '.')
  return [
    ...explicit.map((pattern) => ({ pattern, explicit: true })),
    ...[...new Set(patterns)].map((pattern) => ({ pattern: pattern.split(sep).join('/'), explicit: false })),
  ]
}

/**
 * Copies what was written during the run into the store. An old file is not this run's product, whoever names it.
 * @param root of the project, which no link may leave
 * @param notes gets a sentence for each file that was asked for and not recorded
 */
export async function storeArtifacts(
  ctx: Context,
  store: Store,
  { root, cwd }: { readonly root: string; readonly cwd: string },
  wanted: readonly Wanted[],
  before: Before,
  notes: string[],
): Promise<ArtifactLine[]> {
  const lines = new Map<string, ArtifactLine>()
  for (const { pattern, explicit } of wanted) {
    const { written, untouched } = await lookAfter(pattern, cwd, before)
    if (explicit && written.length === 0 && untouched.length === 0) {
      notes.push(`artifact ${pattern} was not recorded: there is no such file`)
    }
    if (explicit && untouched.length > 0) {
      notes.push(`artifact ${untouched.slice(0, 3).join(', ')} was not recorded: it was not written during this run`)
    }
    for (const path of written) {
      const recorded = recordedPath(cwd, path)
      if (lines.has(recorded)) continue
      const line = await storeFile(ctx, store, { root, cwd }, path, notes, pattern)
      if (line !== undefined) lines.set(recorded, line)
    }
  }
  return [...lines.values()]
}

/** @param pattern that named it. Undefined, with a note, for what cannot be stored, or must not be. */
export async function storeFile(
  ctx: Context,
  store: Store,
  { root, cwd }: { readonly root: string; readonly cwd: string },
  path: string,
  notes: string[],
  pattern = path,
): Promise<ArtifactLine | undefined> {
  const recorded = recordedPath(cwd, path)
  ctx.progress?.(`storing ${recorded}`)
  try {
    const { real, isLink, leaves } = await landing(resolve(cwd, path), await homesOf(pattern, { root, cwd }))
    if (leaves) {
      notes.push(`artifact ${path} was not recorded: it leads to ${real}, out of ${await placeOf(pattern, cwd)}`)
      return undefined
    }
    if (isLink) notes.push(`artifact ${path} is a link; the content of ${real} is stored`)
    const { sha256, size } = await store.objects.putFile(real)
    return { t: ctx.now().toISOString(), path: recorded, sha256, size }
  } catch (error) {
    notes.push(`artifact ${path} was not recorded: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true

/** Where links may lead: within the folder that was named, otherwise within the project. */
async function homesOf(pattern: string, { root, cwd }: { readonly root: string; readonly cwd: string }) {
  const named = resolve(cwd, pattern)
  return (await isFolder(named)) ? [named] : [root, cwd]
}

const placeOf = async (pattern: string, cwd: string): Promise<string> =>
  (await isFolder(resolve(cwd, pattern))) ? `the folder ${pattern}` : 'the project'

/** Relative and without `..`: a file outside of the run's folder keeps the part of its path that is its own. */
function recordedPath(cwd: string, path: string): string {
  const inside = relative(cwd, resolve(cwd, path)).split(sep).join('/')
  const plain = isAbsolute(inside) ? inside.replace(/^(?:[A-Za-z]:)?\/+/, '') : inside.replace(/^(?:\.\.\/)+/, '')
  return plain.toWellFormed()
}
