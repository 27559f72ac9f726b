/** Declared data of several runs: by name which differ, and of folders which files. Pure; manifests come in as bytes' digests. */
import type { Digest } from '../../core/digest.ts'
import type { DeclaredData } from '../../store/run-records.ts'
import { namesOf, type Row, rowOfCells } from './rows.ts'

export interface DataCell {
  readonly path: string
  readonly kind: 'file' | 'directory'
  readonly sha256: Digest
  readonly size: number
  readonly rows: number | null
  readonly columns: number | null
  readonly files: number | null
  /** The entry of DVC that stands for it. */
  readonly dvc: { readonly file: string; readonly md5: string; readonly matches: boolean } | null
}

export interface DataRow extends Row<DataCell> {
  /** In the order of the runs: which files of the folder changed since the first run; null where that is no question. */
  readonly changes: readonly (FolderChange | null)[]
}

export type FolderChange =
  | {
      readonly known: true
      readonly added: number
      readonly removed: number
      readonly changed: number
      readonly same: number
      /** The first of them, in order of their paths. */
      readonly named: readonly { readonly path: string; readonly kind: 'added' | 'removed' | 'changed' }[]
    }
  | { readonly known: false; readonly why: string }

/** Digest of each file by its path. */
export type FolderFiles = ReadonlyMap<string, string>

/** The files behind the digest of a folder, or why they are not known. */
export type Folders = ReadonlyMap<Digest, FolderFiles | string>

const NAMED = 20

export function dataRows(runs: readonly (readonly DeclaredData[])[], folders: Folders = new Map()): DataRow[] {
  return namesOf(runs.map((data) => data.map(({ name }) => name))).map((name) => {
    const cells = runs.map((data) => {
      const found = data.find((each) => each.name === name)
      return found === undefined ? null : cellOf(found)
    })
    const [first = null] = cells
    const changes = cells.map((cell, at) => (at === 0 ? null : folderChange(first, cell, folders)))
    return { ...rowOfCells(name, cells, ({ sha256 }) => sha256), changes }
  })
}

const cellOf = (data: DeclaredData): DataCell => ({
  path: data.path,
  kind: data.kind,
  sha256: data.sha256,
  size: data.size,
  rows: data.rows ?? null,
  columns: data.columns ?? null,
  files: data.files ?? null,
  dvc: data.dvc === undefined ? null : { file: data.dvc.file, md5: data.dvc.md5, matches: data.dvc.matches },
})

function folderChange(from: DataCell | null, to: DataCell | null, folders: Folders): FolderChange | null {
  if (from?.kind !== 'directory' || to?.kind !== 'directory' || from.sha256 === to.sha256) return null
  const [before, after] = [folders.get(from.sha256), folders.get(to.sha256)]
  for (const side of [before, after]) {
    if (side === undefined || typeof side === 'string') {
      return { known: false, why: side ?? 'the list of its files was not recorded' }
    }
  }
  return changesOf(before as FolderFiles, after as FolderFiles)
}

function changesOf(before: FolderFiles, after: FolderFiles): FolderChange {
  const tally = { added: 0, removed: 0, changed: 0, same: 0 }
  const found: { path: string; kind: 'added' | 'removed' | 'changed' }[] = []
  const note = (path: string, kind: 'added' | 'removed' | 'changed'): void => {
    tally[kind] += 1
    found.push({ path, kind })
  }
  for (const [path, digest] of before) {
    const now = after.get(path)
    if (now === undefined) note(path, 'removed')
    else if (now === digest) tally.same += 1
    else note(path, 'changed')
  }
  for (const path of after.keys()) if (!before.has(path)) note(path, 'added')
  const named = found.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, NAMED)
  return { known: true, ...tally, named }
}

/** The lines `path\0sha256\n` of which a folder's digest is. A path may hold a newline. @returns undefined for other bytes */
export function parseManifest(bytes: Buffer): FolderFiles | undefined {
  const files = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at)
    if (end < 0 || bytes[end + 65] !== 0x0a) return undefined
    files.set(bytes.toString('utf8', at, end), bytes.toString('latin1', end + 1, end + 65))
    at = end + 66
  }
  return files
}
