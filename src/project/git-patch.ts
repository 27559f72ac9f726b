/**
 * What no commit holds yet, as one patch that `git apply` takes: changed files, and new ones that are source. Never in
 * it: data, secrets by file name, large files; values that look like secrets are redacted. The text of the patch is
 * `git-hunks.ts`, which names are source `git-source-names.ts`.
 */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { WRITTEN_BY_RUNS } from '../core/recorded-changes.ts'
import { bytewise, headerOf, newFile, type Part, withoutSecrets } from './git-hunks.ts'
import type { Git } from './git-run.ts'
import { isNewSource, mayBeInPatch } from './git-source-names.ts'

export interface GitPatch {
  readonly bytes: Buffer
  readonly files: readonly string[]
}

export interface PatchRequest {
  /** Absolute. */
  readonly top: string
  /** Relative to `top`. */
  readonly changed: readonly string[]
  readonly untracked: readonly string[]
  readonly hasCommit: boolean
  /** Of paths relative to `top` that the patch leaves out: those that runs wrote. Not asked when there are none. */
  readonly outputs?: OutputsAmong
}

export type OutputsAmong = (paths: readonly string[]) => Promise<ReadonlySet<string>>

const noOutputs: OutputsAmong = async () => new Set()

/** Of the whole patch. Bytes. */
const MAX_PATCH = 4 * 1024 * 1024
const MAX_UNTRACKED = 500
/** Paths of one question: a command line has its limits. */
const PATHS_AT_ONCE = 400

/** @param notes gets a line for whatever is left out; undefined when nothing is left to be in it */
export async function dirtyPatch(
  git: Git,
  { top, changed, untracked, hasCommit, outputs = noOutputs }: PatchRequest,
  notes: string[],
): Promise<GitPatch | undefined> {
  const tracked = changed.filter((path) => mayBeInPatch(path) && isText(path))
  // Taken out of the index and still there: to git a file that is gone, and a new one.
  const [isNew, isTracked] = [new Set(untracked), new Set(tracked)]
  const sources = untracked.filter((path) => (isNewSource(path) || isTracked.has(path)) && isText(path))
  const omitted = [...changed, ...untracked].filter((path) => !tracked.includes(path) && !sources.includes(path))
  const written = omitted.length === 0 ? new Set<string>() : await outputs(omitted)
  const [ofRuns, others] = [omitted.filter((path) => written.has(path)), omitted.filter((path) => !written.has(path))]
  if (ofRuns.length > 0) notes.push(WRITTEN_BY_RUNS + some(ofRuns))
  if (others.length > 0) notes.push(`not in the patch (data, secrets or unknown kinds): ${some(others)}`)

  const parts: Buffer[] = []
  const files = new Set<string>()
  let [size, redacted] = [0, 0]
  const take = (path: string, part: Part | undefined): void => {
    if (part === undefined || size + part.text.length > MAX_PATCH) {
      notes.push(`too large or not text, not in the patch: ${path}`)
      return
    }
    parts.push(Buffer.from(part.text, 'latin1'))
    size += part.text.length
    redacted += part.redacted
    files.add(path)
  }
  if (hasCommit) {
    const small: string[] = []
    for (const path of tracked) {
      if (isNew.has(path) && (await newFile(top, path)) === undefined) continue
      if (await isLarge(join(top, path))) notes.push(`too large for the patch: ${path}`)
      else small.push(path)
    }
    for (let at = 0; at < small.length; at += PATHS_AT_ONCE) {
      await takeChanges(git, top, small.slice(at, at + PATHS_AT_ONCE), take, notes)
    }
  }
  const added = hasCommit ? sources : [...tracked, ...sources]
  if (added.length > MAX_UNTRACKED) notes.push(`only the first ${MAX_UNTRACKED} of ${added.length} new files are in it`)
  for (const path of added.slice(0, MAX_UNTRACKED)) take(path, await newFile(top, path))
  if (parts.length === 0) return undefined
  if (redacted > 0) notes.push(`${redacted} ${redacted === 1 ? 'value' : 'values'} that look like secrets redacted`)
  return { bytes: Buffer.concat(parts), files: [...files] }
}

async function takeChanges(
  git: Git,
  top: string,
  paths: readonly string[],
  take: (path: string, part: Part | undefined) => void,
  notes: string[],
): Promise<void> {
  const byHeader = new Map(paths.map((path) => [headerOf(path), path]))
  const ask = async (some: readonly string[], context: number) => {
    const { bytes, cut } = await git.bytes(diffArguments(top, some, context), 4 * MAX_PATCH)
    // A line of content begins with +, - or a space, so this splits at the headers of files alone. What was cut off is
    // beyond the largest patch, so no torn part gets in.
    const parts = bytewise(bytes)
      .replace(/(?<=^|\n)\* Unmerged path .*\n/g, '')
      .split(/(?<=\n)(?=diff --git )/)
    return { parts, cut }
  }
  const { parts, cut } = await ask(paths, 3)
  if (cut) notes.push('the changes are too large for the patch; those of the last files are missing')
  const seen = new Set<string>()
  const closely = new Set<string>()
  for (const part of parts) {
    const path = byHeader.get(part.slice(0, part.indexOf('\n') + 1))
    if (path === undefined) continue
    seen.add(path)
    if (/\nBinary files .* differ\n/.test(part)) take(path, undefined)
    else {
      const clean = withoutSecrets(part)
      if (clean === undefined) closely.add(path)
      else take(path, clean)
    }
  }
  // What stands around a change is in the commit anyway, but needs not be in the store: the less of it, the better.
  for (const path of closely) {
    const one = (await ask([path], 1)).parts.filter((part) => byHeader.get(part.slice(0, part.indexOf('\n') + 1)))
    const clean = one.map(withoutSecrets)
    if (clean.some((part) => part === undefined)) {
      notes.push(`not in the patch, as it takes away what looks like a secret, or stands beside it: ${path}`)
    } else for (const part of clean) take(path, part)
  }
  const lost = cut ? [] : paths.filter((path) => !seen.has(path))
  // Staged and taken back again, for example: then there is nothing to say of it.
  for (const path of lost) {
    if ((await lstat(join(top, path)).catch(() => undefined)) !== undefined) notes.push(`not in the patch: ${path}`)
  }
}

async function isLarge(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined)
  return facts !== undefined && facts.size > MAX_PATCH
}

/** A name that is no UTF-8 cannot be asked for. */
const isText = (path: string): boolean => !path.includes('\ufffd')

const some = (paths: readonly string[]): string =>
  paths.length <= 5 ? paths.join(', ') : `${paths.slice(0, 5).join(', ')} and ${paths.length - 5} more`

/** Whatever the user's configuration says of diffs for people, this one is for `git apply`. */
const diffArguments = (top: string, paths: readonly string[], context: number): string[] => [
  '--literal-pathspecs',
  'diff',
  'HEAD',
  `-U${context}`,
  '-O/dev/null',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-renames',
  '--no-relative',
  '--full-index',
  '--ignore-submodules=all',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--',
  ...paths.map((path) => join(top, path)),
]
