/**
 * The files a version will consist of, before anything is copied: found on disk, or taken from a run's artifacts.
 * Copying and scanning them is in `bundle.ts`.
 */
import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Digest } from '../../core/digest.ts'
import { failed, notFound, systemCode, usage } from '../../core/errors.ts'
import type { RunArtifact } from '../../store/run-records.ts'
import { isPattern, matchFiles } from '../../tracking/capture/glob.ts'
import { landing } from '../../tracking/capture/links.ts'

/** One file of a version to be. `stored`: its bytes are an object already. */
export type Candidate =
  | { readonly path: string; readonly from: string; readonly stored?: undefined }
  | { readonly path: string; readonly stored: { readonly sha256: Digest; readonly size: number } }

/** More are a sign of a folder that means too much. */
const MOST_FILES = 10_000
/** Never part of a model, and entered by accident only. */
const SKIPPED = new Set(['.git', '__pycache__', 'node_modules'])

export interface Place {
  /** Absolute folder the user stands in, to which paths are relative. */
  readonly cwd: string
  /** Absolute folder of the project, which no link may leave. */
  readonly root: string
  /** Absolute path of the store, which is never part of a version. */
  readonly store: string
  /** Told of each link whose content is stored in its place. */
  readonly warn: (message: string) => void
}

/**
 * Regular files behind the paths a user named; a folder means every file below it. A link is stored as the file it
 * leads to, if that lies in the same folder (for one in a folder), or in the project (for one named directly).
 * @throws notFound `ARTIFACT_NOT_FOUND`; usage `ARTIFACT_INVALID`, `ARTIFACT_LINK_LEAVES`, `ARTIFACT_NAME_TWICE`
 */
export async function filesOnDisk(paths: readonly string[], place: Place): Promise<Candidate[]> {
  const { cwd, store } = place
  const found: Candidate[] = []
  for (const path of paths) {
    if (path === '') throw invalid('""', 'it is empty')
    const full = resolve(cwd, path)
    const facts = await lookAt(full)
    if (facts === undefined && isPattern(path)) {
      const matches = await matchFiles(path, cwd)
      if (matches.length === 0) throw missing(path, cwd)
      for (const match of matches) {
        const from = await safeOrigin(resolve(cwd, match), match, place)
        found.push({ path: ownPath(cwd, resolve(cwd, match)), from })
      }
    } else if (facts === undefined) {
      throw missing(path, cwd)
    } else if (facts.isDirectory()) {
      const before = found.length
      await safeOrigin(full, path, place)
      await takeFolder({ folder: full, name: ownPath(cwd, full), store, given: full, warn: place.warn }, found)
      if (found.length === before) throw invalid(path, 'there is no file in the folder')
    } else {
      if (!facts.isFile()) throw invalid(path, `it is ${kindOf(facts)}, not a file`)
      found.push({ path: ownPath(cwd, full), from: await safeOrigin(full, path, place) })
    }
    if (found.length > MOST_FILES) throw invalid(path, `it means more than ${MOST_FILES} files`)
  }
  return distinct(found)
}

/**
 * The file to read for a path that was named directly.
 * @throws usage `ARTIFACT_LINK_LEAVES` when a link on the way leads out of the project
 */
export async function safeOrigin(full: string, path: string, place: Omit<Place, 'store'>): Promise<string> {
  const { real, isLink, leaves } = await landing(full, [place.root, place.cwd])
  if (leaves) throw linkLeaves(path, real, 'the project')
  if (isLink) place.warn(`${path} is a link; the content of ${real} is stored`)
  return real
}

/** Follows a link that the user named; undefined when there is nothing. */
async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' && (await lstat(path).catch(() => undefined))?.isSymbolicLink()) {
      throw invalid(path, 'it is a link that points to nothing')
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, code, error)
  }
}

interface Folder {
  readonly folder: string
  /** The path by which the version knows it. */
  readonly name: string
  readonly store: string
  /** The folder the user named, at or above `folder`. */
  readonly given: string
  readonly warn: (message: string) => void
}

async function takeFolder(request: Folder, found: Candidate[]): Promise<void> {
  const { folder, name, store } = request
  if (folder === store) return
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    throw unreadable(folder, systemCode(error), error)
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const from = join(folder, entry.name)
    const path = name === '' ? entry.name : `${name}/${entry.name}`
    if (SKIPPED.has(entry.name)) continue
    if (entry.isDirectory()) await takeFolder({ ...request, folder: from, name: path }, found)
    else await takeEntry(from, path, request, found)
    if (found.length > MOST_FILES) return
  }
}

/** A link to a file of the same folder is stored as that file; a link to a folder could lead back here. */
async function takeEntry(from: string, path: string, { given, warn }: Folder, found: Candidate[]): Promise<void> {
  const facts = await lookAt(from)
  if (facts === undefined) throw invalid(from, 'it vanished meanwhile')
  const { real, isLink, leaves } = await landing(from, [given])
  if (leaves) throw linkLeaves(from, real, given)
  if (facts.isDirectory()) throw invalid(from, 'it is a link to a folder; links inside of a folder must point to files')
  if (!facts.isFile()) throw invalid(from, `it is ${kindOf(facts)}, not a file`)
  if (isLink) warn(`${path} is a link; the content of ${real} is stored`)
  found.push({ path, from: real })
}

/**
 * The artifacts of a run that `patterns` name, or all of them without patterns.
 * @throws usage `ARTIFACT_NAME_TWICE`
 */
export function artifactsOfRun(
  artifacts: readonly RunArtifact[],
  patterns: readonly string[] | undefined,
): Candidate[] {
  const wanted =
    patterns === undefined ? artifacts : artifacts.filter(({ path }) => patterns.some((each) => matches(each, path)))
  return distinct(wanted.map(({ path, sha256, size }) => ({ path: plainPath(path), stored: { sha256, size } })))
}

/** `*` and `?` stay within one folder, `**` crosses folders, a folder means every file below it. */
function matches(pattern: string, path: string): boolean {
  const source = pattern
    .split(sep)
    .join('/')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (wild) =>
      wild === '*' ? '[^/]*' : wild === '?' ? '[^/]' : wild === '**' ? '.*' : '(?:.*/)?',
    )
  return pattern === '.' || new RegExp(`^${source}(?:/.*)?$`, 's').test(path)
}

/** The path a version knows the file by: relative to where the user stands, or its name alone when it lies elsewhere. */
function ownPath(cwd: string, full: string): string {
  const inside = relative(cwd, full)
  if (inside === '') return ''
  const outside = isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)
  return plainPath(outside ? basename(full) : inside.split(sep).join('/'))
}

/** @throws usage `ARTIFACT_INVALID` for what no other program could write to a disk or a terminal */
function plainPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..')
  const plain = parts.join('/')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (plain === '' || /[\u0000-\u001f\u007f]/.test(plain)) throw invalid(path, 'its name has control characters')
  if (plain.includes('\ufffd') || !plain.isWellFormed()) throw invalid(path, 'its name is not valid Unicode')
  if (Buffer.byteLength(plain) > 1024) throw invalid(path, 'its path has more than 1024 bytes')
  return plain
}

/** One candidate per path, sorted. Two files of one name would overwrite each other wherever the version is put. */
function distinct(candidates: readonly Candidate[]): Candidate[] {
  const byPath = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const key = candidate.path.normalize('NFC').toLowerCase()
    const other = byPath.get(key)
    if (other === undefined) byPath.set(key, candidate)
    else if (other.path !== candidate.path || originOf(other) !== originOf(candidate)) throw twice(other, candidate)
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

const originOf = (candidate: Candidate): string => ('from' in candidate ? candidate.from : candidate.stored.sha256)

const twice = (one: Candidate, other: Candidate) =>
  usage({
    code: 'ARTIFACT_NAME_TWICE',
    message: `Two files would both be ${JSON.stringify(other.path)} in the version: ${originOf(one)} and ${originOf(other)}.`,
    hint: 'Rename one, or stand in a folder above both, so that their paths differ',
    details: { path: other.path, files: [originOf(one), originOf(other)] },
  })

function kindOf(facts: Stats): string {
  if (facts.isFIFO()) return 'a pipe'
  if (facts.isSocket()) return 'a socket'
  return facts.isCharacterDevice() || facts.isBlockDevice() ? 'a device' : 'something special'
}

const linkLeaves = (path: string, target: string, where: string) =>
  usage({
    code: 'ARTIFACT_LINK_LEAVES',
    message: `${path} leads out of ${where}, to ${target}; nothing was registered.`,
    hint: 'If that very file is meant, name it by its own path; otherwise remove the link',
    details: { path, target },
  })

const invalid = (path: string, why: string) =>
  usage({
    code: 'ARTIFACT_INVALID',
    message: `${path} cannot be registered: ${why}.`,
    hint: 'Name the model file that your training wrote, or a folder that holds nothing but its files',
    details: { path },
  })

const missing = (path: string, cwd: string) =>
  notFound({
    code: 'ARTIFACT_NOT_FOUND',
    message: `There is no file ${path} in ${cwd}.`,
    hint: 'Check the path; it is relative to where you stand',
    details: { path },
  })

const unreadable = (path: string, code: string | undefined, cause: unknown) =>
  failed({
    code: 'ARTIFACT_UNREADABLE',
    message: `${path} cannot be read (${code ?? 'unknown error'}).`,
    hint: `Check its permissions: ls -ld ${path}`,
    cause,
  })
