/**
 * What a run was given to learn from: digest, size, rows and columns of each `--data NAME=PATH`.
 * Paths are checked before the command starts; hashing runs beside it and never delays it.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { sha256File } from '../../core/digest.ts'
import { notFound, systemCode, usage } from '../../core/errors.ts'
import { nameProblem } from '../../core/names.ts'
import type { DeclaredData } from '../../store/run-records.ts'
import { parquetShape } from './parquet-footer.ts'
import { createCsvCounter, createJsonLinesCounter, type RowCounter } from './row-counter.ts'

export interface DataSource {
  readonly name: string
  /** As the user wrote it. */
  readonly path: string
}

/** `train=data/train.csv`. @throws usage `DATA_INVALID` */
export function parseDataFlag(text: string): DataSource {
  const at = text.indexOf('=')
  const name = text.slice(0, Math.max(at, 0))
  const path = text.slice(at + 1)
  const problem = at < 0 ? 'there is no "="' : (nameProblem(name) ?? (path === '' ? 'the path is empty' : undefined))
  if (problem === undefined) return { name, path }
  throw usage({
    code: 'DATA_INVALID',
    message: `--data ${JSON.stringify(text)} is not NAME=PATH: ${problem}.`,
    hint: 'Write for example --data train=data/train.csv',
  })
}

/**
 * Looks that each path is a readable file or folder and each name is used once.
 * @throws usage `DATA_INVALID` for a name used twice; notFound `DATA_NOT_FOUND`
 */
export async function checkDataSources(sources: readonly DataSource[], cwd: string): Promise<void> {
  const names = new Set<string>()
  for (const { name, path } of sources) {
    if (names.has(name)) {
      throw usage({
        code: 'DATA_INVALID',
        message: `--data names ${name} twice.`,
        hint: `Give each its own name, for example --data ${name}=… --data ${name}2=…`,
      })
    }
    names.add(name)
    try {
      const facts = await stat(resolve(cwd, path))
      if (facts.isFile() || facts.isDirectory()) continue
    } catch (error) {
      const code = systemCode(error)
      if (code === undefined) throw error
      throw notFound({
        code: 'DATA_NOT_FOUND',
        message:
          code === 'ENOENT'
            ? `--data ${name}=${path}: there is no such file or folder in ${cwd}. The command was not started.`
            : `--data ${name}=${path} cannot be read (${code}). The command was not started.`,
        hint: 'Check the path; it is relative to where you stand.',
        cause: error,
      })
    }
    throw usage({
      code: 'DATA_INVALID',
      message: `--data ${name}=${path} is neither a file nor a folder. The command was not started.`,
      hint: 'Declare a file or folder whose bytes stay the same when they are read twice.',
    })
  }
}

/** Digest, size, rows and columns. Rejects with the system error when the data goes away meanwhile. */
export async function hashDeclaredData(source: DataSource, cwd: string, signal?: AbortSignal): Promise<DeclaredData> {
  const full = resolve(cwd, source.path)
  const facts = await stat(full)
  return facts.isDirectory()
    ? { ...source, kind: 'directory', ...(await hashFolder(full, signal)) }
    : { ...source, kind: 'file', ...(await hashFile(full, signal)) }
}

async function hashFile(path: string, signal?: AbortSignal) {
  const counter = counterFor(path)
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) })) {
    const bytes = chunk as Buffer
    hash.update(bytes)
    counter?.feed(bytes)
    size += bytes.length
  }
  const shape = counter?.end() ?? (/\.(?:parquet|pq)$/i.test(path) ? await parquetShape(path) : undefined)
  return { sha256: hash.digest('hex'), size, ...shape }
}

function counterFor(path: string): RowCounter | undefined {
  if (/\.csv$/i.test(path)) return createCsvCounter(',')
  if (/\.tsv$/i.test(path)) return createCsvCounter('\t')
  return /\.(?:jsonl|ndjson)$/i.test(path) ? createJsonLinesCounter() : undefined
}

/** The digest of the sorted `path\0sha256\n` lines of the regular files below; links are not followed. */
async function hashFolder(folder: string, signal?: AbortSignal): Promise<{ sha256: string; size: number }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.split(sep).join('/'))
    .sort()
  const lines = createHash('sha256')
  let size = 0
  for (const path of paths) {
    signal?.throwIfAborted()
    const file = await sha256File(join(folder, path))
    lines.update(`${path}\0${file.sha256}\n`)
    size += file.size
  }
  return { sha256: lines.digest('hex'), size }
}
