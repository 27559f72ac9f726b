/**
 * What becomes of each file: pure, from what is generated now, what was generated before, and what stands there. A file
 * that nobody edited is replaced, an edited one merged, a deleted one stays deleted; what cannot be decided is a conflict.
 */
import { MARKERS, markerLines, mergeThreeWays, mergeTwoWays } from './merge.ts'
import { pathProblem } from './paths.ts'
import type { DiskFile, FileChange, GeneratedFile, Remembered, Scaffold, ScaffoldPlan } from './types.ts'

/** @throws RangeError for a generator that names a path twice or one outside of the folder: a mistake of ours */
export function planScaffold(
  folder: string,
  scaffold: Scaffold,
  before: Remembered,
  standing: ReadonlyMap<string, DiskFile>,
): ScaffoldPlan {
  const paths = new Set<string>()
  for (const { path } of scaffold.files) {
    const problem = paths.has(path.toLowerCase()) ? 'it comes twice' : pathProblem(path)
    if (problem !== undefined)
      throw new RangeError(`${scaffold.kind}: ${JSON.stringify(path)} is no path to generate: ${problem}`)
    paths.add(path.toLowerCase())
  }
  const changes = [
    ...scaffold.files.map((file) => changeOf(file, before, standing.get(file.path))),
    ...goneFiles(scaffold, before, standing),
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    kind: scaffold.kind,
    folder,
    changes,
    scaffold,
    upToDate: changes.every(({ action }) => IDLE.has(action)),
    interrupted: before.pending,
  }
}

const IDLE: ReadonlySet<FileChange['action']> = new Set(['unchanged', 'yours', 'deleted', 'left'])

function changeOf(file: GeneratedFile, before: Remembered, disk: DiskFile | undefined): FileChange {
  const { path, content } = file
  const known = before.answers?.files[path]
  if (file.care === 'yours') {
    return known === undefined && disk === undefined ? created(file) : { path, action: 'yours' }
  }
  if (disk === undefined) return known === undefined ? created(file) : { path, action: 'deleted' }
  if (disk.kind === 'other') {
    return { path, action: 'conflict', why: `it is ${disk.why}`, content: null, mode: 0, before: null, lines: [] }
  }
  if (disk.text === content) return { path, action: 'unchanged' }
  const base = before.base.get(path)
  if (base === undefined) {
    const why =
      known === undefined
        ? 'it stands there and was not generated'
        : 'what it was generated as is lost, so your edits cannot be told from it'
    return conflicting(file, disk, why, mergeTwoWays(disk.text, content))
  }
  if (hasMarkers(disk.text)) {
    const why = 'it still has the conflict markers of an earlier update'
    return { path, action: 'conflict', why, content: null, mode: 0, before: null, lines: markerLines(disk.text) }
  }
  if (content === base) return { path, action: 'unchanged' }
  if (disk.text === base) return { path, action: 'replace', ...written(file, disk, content) }
  const merged = mergeThreeWays(disk.text, base, content)
  if (merged.conflicts.length > 0) {
    return conflicting(file, disk, 'you and the template changed the same lines', merged)
  }
  if (merged.text === disk.text) return { path, action: 'unchanged' }
  return { path, action: 'merge', ...written(file, disk, merged.text) }
}

const hasMarkers = (text: string): boolean => {
  const lines = text.split('\n')
  return lines.includes(MARKERS.yours) && lines.includes(MARKERS.generated)
}

const created = (file: GeneratedFile): FileChange => ({
  path: file.path,
  action: 'create',
  content: file.content,
  mode: file.executable === true ? 0o755 : 0o644,
  before: null,
})

/** Permissions and line ends stay as a person has them. */
function written(file: GeneratedFile, disk: DiskFile & { readonly kind: 'file' }, text: string) {
  return {
    content: disk.crlf ? text.replaceAll('\n', '\r\n') : text,
    mode: disk.mode | (file.executable === true ? 0o111 : 0),
    before: disk.digest,
  }
}

const conflicting = (
  file: GeneratedFile,
  disk: DiskFile & { readonly kind: 'file' },
  why: string,
  merged: { readonly text: string; readonly conflicts: readonly number[] },
): FileChange => ({
  path: file.path,
  action: 'conflict',
  why,
  ...written(file, disk, merged.text),
  lines: merged.conflicts,
})

/** Files whose template is gone. */
function goneFiles(scaffold: Scaffold, before: Remembered, standing: ReadonlyMap<string, DiskFile>): FileChange[] {
  const current = new Set(scaffold.files.map(({ path }) => path))
  return Object.entries(before.answers?.files ?? {}).flatMap(([path, { care }]): FileChange[] => {
    const disk = standing.get(path)
    if (current.has(path) || disk === undefined) return []
    const isUntouched = care !== 'yours' && disk.kind === 'file' && disk.text === before.base.get(path)
    return isUntouched ? [{ path, action: 'remove', before: disk.digest }] : [{ path, action: 'left' }]
  })
}
