/**
 * From the word a user typed to the files it means: one file, every data file below a folder, or what a pattern
 * matches. What is in the files is not looked at.
 */
import type { Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { failed, notFound, systemCode, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { redactText } from '../core/redact.ts'

export interface Located {
  /** Absolute. */
  readonly path: string
  /** For people; of a part: its path below the folder or below the pattern's fixed beginning, with `/`. */
  readonly label: string
  readonly size: number
  readonly mtimeMs: number
}

export interface Place {
  /** Several files of one name, even when there is only one in the folder today. */
  readonly isMany: boolean
  /** Sorted by label. */
  readonly files: readonly Located[]
  readonly notes: readonly string[]
}

/** More are a sign of a pattern that means too much. */
const MAX_FILES = 100_000
const DATA_ENDING = /\.(?:csv|tsv|parquet|pq|jsonl|ndjson|json)(?:\.(?:gz|zst))?$/i
const WILDCARD = /[*?[]/

/** @throws notFound `DATA_NOT_FOUND`; usage `DATA_REMOTE`, `DATA_NOT_A_FILE`; failed `DATA_EMPTY`, `DATA_UNREADABLE` */
export async function locate(word: string, cwd: string): Promise<Place> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(word)) {
    throw usage({
      code: 'DATA_REMOTE',
      message: `${redactText(word)} is not a local file; only local files and postgres:// can be read.`,
      hint: 'Download it first',
    })
  }
  const path = resolve(cwd, word)
  const facts = await stat(path).catch((error: unknown) => {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw failed({ code: 'DATA_UNREADABLE', message: `${word} cannot be opened (${code}).`, cause: error })
  })
  // A file whose name holds a wildcard is that file.
  if (facts === undefined && WILDCARD.test(word)) return matching(word, cwd)
  if (facts === undefined) {
    const close = await neighbour(word, path)
    const hint = close === undefined ? `Looked for ${path}` : `Did you mean ${close}? Looked for ${path}`
    throw notFound({ code: 'DATA_NOT_FOUND', message: `There is no file ${word}.`, hint })
  }
  if (facts.isDirectory()) return below(word, path)
  return { isMany: false, files: [regular(word, word, path, facts)], notes: [] }
}

/** What lies in the same folder under nearly the same name, as the user would write it. */
async function neighbour(word: string, path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => [])
  const close = nearest(basename(path), names)
  return close === undefined ? undefined : join(dirname(word), close)
}

async function below(word: string, folder: string): Promise<Place> {
  const all = await filesBelow(folder, word)
  const files = all.filter(({ label }) => DATA_ENDING.test(label))
  if (files.length > 0) return many(word, files)
  throw notFound({
    code: 'DATA_NOT_FOUND',
    message: `There is no data file in the folder ${word}: no name ends in .csv, .tsv, .parquet, .jsonl or .json (.gz, .zst).`,
    hint: all.length > 0 ? `Name the files: '${word.replace(/\/+$/, '')}/*'` : 'Check the program that writes them',
  })
}

async function matching(pattern: string, cwd: string): Promise<Place> {
  const segments = pattern.split('/')
  const wild = segments.findIndex((segment) => WILDCARD.test(segment))
  const base = resolve(cwd, segments.slice(0, wild).join('/') || (pattern.startsWith('/') ? '/' : '.'))
  const found: Located[] = []
  await descend(base, '', segments.slice(wild), found, pattern)
  const unique = [...new Map(found.map((file) => [file.path, file])).values()]
  if (unique.length > 0) return many(pattern, unique)
  throw notFound({
    code: 'DATA_NOT_FOUND',
    message: `No file matches ${pattern}.`,
    hint: `Looked in ${base}; * and ? stay within one folder, ** crosses folders`,
  })
}

/** Sorted, without the files that hold nothing: programs that write in parallel leave empty parts. */
function many(word: string, files: readonly Located[]): Place {
  const sorted = files.toSorted((a, b) => (a.label < b.label ? -1 : 1))
  const full = sorted.filter(({ size }) => size > 0)
  if (full.length === 0) throw empty(word)
  const left = sorted.filter(({ size }) => size === 0).map(({ label }) => label)
  const notes =
    left.length === 0 ? [] : [`${listed(left)} of ${word} ${left.length === 1 ? 'is' : 'are'} empty and left out`]
  if (full.some(({ label }) => /(?:^|\/)[^/=]+=[^/]*\//.test(label))) {
    notes.push(`The folders of ${word} that are named KEY=VALUE make no column: only what the files hold is counted`)
  }
  return { isMany: true, files: full, notes }
}

/** Names of a few, and how many more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${(names.length - 3).toLocaleString('en-US')} more` : shown
}

/** `.hidden`, `_SUCCESS`, `_temporary/`: what programs put beside data. */
const isMarker = (name: string): boolean => /^[._]/.test(name)

async function filesBelow(folder: string, word: string): Promise<Located[]> {
  const found: Located[] = []
  const entered = new Set<string>()
  const enter = async (path: string, label: string): Promise<void> => {
    const real = await realpath(path)
    if (entered.has(real)) return
    entered.add(real)
    for (const name of (await namesIn(path, word)).filter((each) => !isMarker(each))) {
      const facts = await stat(join(path, name)).catch(() => undefined)
      if (facts?.isDirectory()) await enter(join(path, name), `${label}${name}/`)
      else if (facts?.isFile()) add(found, join(path, name), `${label}${name}`, facts, word)
    }
  }
  await enter(folder, '')
  return found
}

async function descend(
  folder: string,
  label: string,
  segments: readonly string[],
  found: Located[],
  pattern: string,
): Promise<void> {
  const [segment, ...rest] = segments
  if (segment === undefined) return
  if (segment === '') return descend(folder, label, rest, found, pattern)
  if (segment === '**') await descend(folder, label, rest.length === 0 ? ['*'] : rest, found, pattern)
  const test = segment === '**' ? /^(?![._])/ : segmentPattern(segment, pattern)
  for (const name of (await namesIn(folder, pattern)).filter((each) => test.test(each))) {
    const path = join(folder, name)
    const facts = await stat(path).catch(() => undefined)
    if (facts?.isDirectory()) {
      const next = segment === '**' ? segments : rest
      if (next.length > 0) await descend(path, `${label}${name}/`, next, found, pattern)
      else {
        for (const file of await filesBelow(path, pattern)) {
          if (DATA_ENDING.test(file.label)) found.push({ ...file, label: `${label}${name}/${file.label}` })
        }
      }
    } else if (facts?.isFile() && rest.length === 0 && segment !== '**') {
      add(found, path, `${label}${name}`, facts, pattern)
    }
  }
}

/** `*`, `?` and `[a-z]` of one folder's names; hidden files only when the pattern begins like them. */
function segmentPattern(segment: string, pattern: string): RegExp {
  const hidden = /^[._]/.test(segment) ? '' : '(?![._])'
  const source = segment.replaceAll(/\[!?[^\]]+\]|[.+^${}()|\\\]*?[]/g, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    if (part.length > 1) return part.replace('[!', '[^').replaceAll('\\', '\\\\')
    return `\\${part}`
  })
  try {
    return new RegExp(`^${hidden}${source}$`, 's')
  } catch {
    throw usage({ code: 'DATA_PATTERN', message: `${pattern} is not a pattern: ${segment} has a range that is none.` })
  }
}

async function namesIn(folder: string, word: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `A folder of ${word} cannot be listed (${code}): ${folder}`,
      cause: error,
    })
  }
}

function add(found: Located[], path: string, label: string, { size, mtimeMs }: Stats, word: string): void {
  found.push({ path, label, size, mtimeMs })
  if (found.length > MAX_FILES) {
    throw usage({
      code: 'DATA_TOO_MANY_FILES',
      message: `${word} means more than ${MAX_FILES.toLocaleString('en-US')} files.`,
      hint: 'Name fewer of them',
    })
  }
}

function regular(word: string, label: string, path: string, facts: Stats): Located {
  if (!facts.isFile()) {
    throw usage({
      code: 'DATA_NOT_A_FILE',
      message: `${word} is not a regular file.`,
      hint: `Pipe it in: cat ${word} | mlops … -`,
    })
  }
  if (facts.size === 0) throw empty(word)
  return { path, label, size: facts.size, mtimeMs: facts.mtimeMs }
}

const empty = (word: string) =>
  failed({
    code: 'DATA_EMPTY',
    message: `${word} is empty: it does not even have a header.`,
    hint: 'Check the program that writes it',
  })

/** @throws failed `DATA_CHANGED` when a file is not the one that was hashed any more */
export async function assertSame(files: readonly Located[]): Promise<void> {
  for (const { path, label, size, mtimeMs } of files) {
    const after = await stat(path).catch(() => undefined)
    if (after?.size === size && after.mtimeMs === mtimeMs) continue
    throw failed({
      code: 'DATA_CHANGED',
      message: `${label} changed while it was being read.`,
      hint: 'Wait until it is written, then run the command again',
    })
  }
}
