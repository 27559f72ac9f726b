/**
 * What a run was given to learn from: each `--data NAME=PATH`, as it is typed, and its digest. Paths are checked before
 * the command starts; hashing runs beside it and never delays it.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { notFound, systemCode, usage } from '../../core/errors.ts'
import { nameProblem } from '../../core/names.ts'
import type { DeclaredData } from '../../store/run-records.ts'
import { hashFile } from './file-hash.ts'
import { hashFolder } from './folder-hash.ts'

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

/**
 * Digest, size, rows and columns, without a store: nothing is remembered and nothing kept. What a run records of its
 * data is `data-record.ts`. Rejects with the system error when the data goes away meanwhile.
 */
export async function hashDeclaredData(source: DataSource, cwd: string, signal?: AbortSignal): Promise<DeclaredData> {
  const full = resolve(cwd, source.path)
  const facts = await stat(full)
  if (!facts.isDirectory()) return { ...source, kind: 'file', ...(await hashFile(full, { signal })).facts }
  const { sha256, size, files } = await hashFolder(full, { signal })
  return { ...source, kind: 'directory', sha256, size, files: files.length }
}
