/** A program by its name, as the shell would find it. Reads only. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, resolve } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** @returns an absolute path; undefined when there is none */
export async function findOnPath(word: string, env: Env, cwd: string): Promise<string | undefined> {
  if (word.includes('/') || isAbsolute(word))
    return (await isExecutable(resolve(cwd, word))) ? resolve(cwd, word) : undefined
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const full = resolve(cwd, folder === '' ? '.' : folder, word)
    if (await isExecutable(full)) return full
  }
  return undefined
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
