/** Which files a command wrote: a look at them before and a look after. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { matchFiles } from './glob.ts'

/** Of each file that matched, what changes when it is written again. */
export type Before = ReadonlyMap<string, string>

export async function lookBefore(patterns: readonly string[], cwd: string): Promise<Before> {
  const seen = new Map<string, string>()
  for (const pattern of new Set(patterns)) {
    for (const path of await matchFiles(pattern, cwd)) seen.set(path, await mark(resolve(cwd, path)))
  }
  return seen
}

/** As `lookBefore`, for paths that are no patterns. */
export async function lookAtPaths(paths: readonly string[], cwd: string): Promise<Before> {
  const seen = new Map<string, string>()
  for (const path of paths) seen.set(path, await mark(resolve(cwd, path)))
  return seen
}

/** There is a file, and it is not as it was. @param before looked at this path too */
export async function isWritten(path: string, cwd: string, before: Before): Promise<boolean> {
  const now = await mark(resolve(cwd, path))
  return now !== '' && before.get(path) !== now
}

/** Files matching `pattern` that are new or were written since, and those that were not. */
export async function lookAfter(
  pattern: string,
  cwd: string,
  before: Before,
): Promise<{ written: string[]; untouched: string[] }> {
  const written: string[] = []
  const untouched: string[] = []
  for (const path of await matchFiles(pattern, cwd)) {
    if (before.get(path) === (await mark(resolve(cwd, path)))) untouched.push(path)
    else written.push(path)
  }
  return { written, untouched }
}

/** ctime too: a copy that keeps the modification time is still a new file. */
async function mark(path: string): Promise<string> {
  const facts = await stat(path, { bigint: true }).catch(() => undefined)
  return facts === undefined ? '' : `${facts.mtimeNs} ${facts.ctimeNs} ${facts.size} ${facts.ino}`
}
