/**
 * The notebook that a command executes, by the words of the command: `jupyter nbconvert --execute`, `jupyter execute`,
 * `jupyter run`, `papermill`, `ipython nb.ipynb`, behind `python -m`, `uv run`, `sh -c` or anything else. Kept is what
 * it wrote, with its outputs, or else what was executed. A notebook that a person runs is kept by the Python client.
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { ArtifactLine } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { storeFile } from './artifacts.ts'
import { type Before, isWritten } from './written.ts'

export interface Notebooks {
  /** Named on the command line; relative to the run's folder, or absolute. */
  readonly named: readonly string[]
  /** Where the executed ones may be written; `named` among them. */
  readonly candidates: readonly string[]
}

/** Of one notebook with its outputs. Bytes. */
const MAX_BYTES = 64 << 20
const MAX_NOTEBOOKS = 20
/** Forms that nbconvert writes besides notebooks. */
const FORMS = ['html', 'slides.html', 'md', 'pdf', 'tex', 'rst', 'asciidoc', 'txt', 'py']

/** Undefined for a command that executes none. */
export function findNotebooks(command: readonly string[]): Notebooks | undefined {
  // A shell gets its command line as one word.
  const words = command.flatMap((word) => (/\s/.test(word) ? (word.match(/[^\s'";&|]+/g) ?? []) : [word]))
  if (!executesNotebooks(words)) return undefined
  const options = optionsOf(words)
  const named = [
    ...new Set([...words, ...options.output].filter((word) => /[^/]\.ipynb$/i.test(word) && !/^-|:\/\//.test(word))),
  ].slice(0, MAX_NOTEBOOKS)
  if (named.length === 0) return undefined
  const candidates = named.flatMap((path) => {
    const stem = basename(path).replace(/\.ipynb$/i, '')
    const names = [
      stem,
      ...options.output.map((name) => name.replaceAll('{notebook_name}', stem).replace(/\.ipynb$/i, '')),
    ]
    // --output is relative to the notebook for some programs, to where one stands for others.
    const folders = [dirname(path), '.', ...options.folders]
    return folders.flatMap((folder) =>
      names.flatMap((name) => ['ipynb', 'nbconvert.ipynb', ...FORMS].map((form) => join(folder, `${name}.${form}`))),
    )
  })
  return { named, candidates: [...new Set([...named.map((path) => join(path)), ...candidates])] }
}

function executesNotebooks(words: readonly string[]): boolean {
  const programs = new Set(
    words.map((word) =>
      basename(word)
        .toLowerCase()
        .replace(/\.exe$/, ''),
    ),
  )
  const isJupyter = programs.has('jupyter')
  const converts = programs.has('jupyter-nbconvert') || programs.has('nbconvert')
  if (converts && words.some((word) => /^--(?:execute|ExecutePreprocessor\.enabled=True)$/.test(word))) return true
  if (isJupyter && (programs.has('execute') || programs.has('run'))) return true
  return ['jupyter-execute', 'jupyter-run', 'papermill', 'ipython', 'ipython3', 'runipy', 'nbclient'].some((name) =>
    programs.has(name),
  )
}

function optionsOf(words: readonly string[]): { readonly output: string[]; readonly folders: string[] } {
  const valuesOf = (name: string): string[] =>
    words.flatMap((word, at) => {
      if (word.startsWith(`${name}=`)) return [word.slice(name.length + 1)]
      const next = words[at + 1]
      return word === name && next !== undefined ? [next] : []
    })
  return { output: valuesOf('--output'), folders: valuesOf('--output-dir') }
}

/**
 * @param taken paths of artifacts that are stored already
 * @param notes gets a sentence for a notebook that was not kept
 */
export async function storeNotebooks(
  ctx: Context,
  store: Store,
  place: { readonly root: string; readonly cwd: string },
  { named, candidates }: Notebooks,
  before: Before,
  taken: ReadonlySet<string>,
  notes: string[],
): Promise<ArtifactLine[]> {
  const written: string[] = []
  for (const path of candidates) if (await isWritten(path, place.cwd, before)) written.push(path)
  const isNotebook = (path: string): boolean => /\.ipynb$/i.test(path)
  const kept = written.some(isNotebook) ? written : [...written, ...named]
  const lines: ArtifactLine[] = []
  for (const path of kept) {
    const facts = await stat(resolve(place.cwd, path)).catch(() => undefined)
    if (facts?.isFile() !== true || taken.has(inside(place.cwd, path))) continue
    if (facts.size > MAX_BYTES) {
      notes.push(`notebook ${path} was not kept: it has more than ${MAX_BYTES >> 20} MiB`)
      continue
    }
    const line = await storeFile(ctx, store, place, path, notes)
    if (line !== undefined && !lines.some((each) => each.path === line.path)) lines.push(line)
  }
  return lines
}

const inside = (cwd: string, path: string): string => relative(cwd, resolve(cwd, path)).split(sep).join('/')
