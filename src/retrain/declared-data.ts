/**
 * Whether the data that a job declares can be learned from: looked at before hours of training, not at the registration
 * after them. Reads only; what follows from it is decided in `preflight.ts`.
 */
import { open, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { isMlopsError, systemCode } from '../core/errors.ts'
import { namedData } from '../data/input.ts'

export interface DeclaredFile {
  readonly name: string
  /** As the policy, or the run, names it: relative to the project. */
  readonly path: string
}

export interface DataProblem extends DeclaredFile {
  /** Half a sentence: `there is no such file or folder`. */
  readonly problem: string
}

/** The first of these that a job declares is profiled when its version is registered. */
export const BASELINE_NAMES: readonly string[] = ['train', 'training', 'baseline']

/** What is packed would have to be unpacked as a whole to look into it. */
const TABLE = /\.(?:csv|tsv|parquet|pq|jsonl|ndjson)$/i
const PACKED = /\.(?:gz|zst)$/i

/** @param root what a path is relative to. @returns one for each that cannot be used, all at once */
export async function problemsOf(
  ctx: Pick<Context, 'signal'>,
  root: string,
  data: readonly DeclaredFile[],
): Promise<readonly DataProblem[]> {
  const baseline = data.find(({ name }) => BASELINE_NAMES.includes(name))
  const found: DataProblem[] = []
  for (const each of data) {
    const problem = (await unreadable(resolve(root, each.path))) ?? (await unusable(ctx, root, each, each === baseline))
    if (problem !== undefined) found.push({ ...each, problem })
  }
  return found
}

async function unreadable(path: string): Promise<string | undefined> {
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) return (await holdsSomething(path)) ? undefined : 'the folder holds no data'
    if (!facts.isFile()) return 'it is neither a file nor a folder'
    const file = await open(path)
    await file.close()
    return facts.size === 0 ? 'it is empty' : undefined
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file or folder' : `it cannot be read (${code})`
  }
}

async function holdsSomething(folder: string): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && (await stat(join(entry.parentPath, entry.name))).size > 0) return true
  }
  return false
}

/** A header without rows; for the baseline also what is no table, because then the version could not be registered. */
async function unusable(
  { signal }: Pick<Context, 'signal'>,
  root: string,
  { path }: DeclaredFile,
  isBaseline: boolean,
): Promise<string | undefined> {
  if (PACKED.test(path) || !(isBaseline || TABLE.test(path))) return undefined
  try {
    const options = { cwd: root, ...(signal === undefined ? {} : { signal }) }
    return await namedData(path).open(options, async ({ duck, relation }) => {
      const rows = await duck.rows(`SELECT 1 FROM ${relation} LIMIT 1`)
      return rows.length === 0 ? 'it has a header but no rows' : undefined
    })
  } catch (error) {
    if (!isMlopsError(error) || error.exit === 'interrupted') throw error
    return isBaseline ? `it cannot be profiled: ${error.message.replace(/\.$/, '')}` : undefined
  }
}
