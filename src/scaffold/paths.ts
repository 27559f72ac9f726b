/** Where a scaffold may write: below its folder, through no link, over nothing but files. And where its memory is. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { failed, systemCode, usage } from '../core/errors.ts'
import type { ScaffoldKind } from './types.ts'

/** The folder, committed with the files, that remembers what was generated. */
export const MEMORY = '.mlops-scaffold'

export const memoryFolder = (folder: string, kind: ScaffoldKind): string => join(folder, MEMORY, kind)

/** @returns why a path of a scaffold is not allowed, or undefined. Paths come from generators and from answers.json. */
export function pathProblem(path: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (path === '' || /[\\\u0000-\u001f:]/.test(path)) return 'it is no plain path'
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'it leads out of the folder'
    if (part.toLowerCase() === '.git' || part.toLowerCase() === MEMORY) return `it lies in ${part}`
  }
  return undefined
}

/**
 * Nothing on the way from the folder to `path` may be a link: it would lead writing elsewhere.
 * @returns what is wrong, or undefined; what does not exist yet is fine
 */
export async function wayProblem(folder: string, path: string): Promise<string | undefined> {
  let here = folder
  const parts = path.split('/')
  for (const [index, part] of parts.entries()) {
    here = join(here, part)
    const found = await lstatOrNothing(here)
    if (found === undefined) return undefined
    const name = parts.slice(0, index + 1).join('/')
    if (found.isSymbolicLink())
      return index === parts.length - 1 ? 'a symbolic link' : `behind the symbolic link ${name}`
    if (index < parts.length - 1 && !found.isDirectory()) return `below ${name}, which is no folder`
  }
  return undefined
}

/** @throws usage `SCAFFOLD_FOLDER` when the folder, or its memory, is a link or no folder at all */
export async function assertFolder(folder: string): Promise<void> {
  for (const [path, name] of [
    [folder, folder],
    [join(folder, MEMORY), `${MEMORY} in ${folder}`],
  ] as const) {
    const found = await lstatOrNothing(path)
    if (found === undefined || found.isDirectory()) continue
    throw usage({
      code: 'SCAFFOLD_FOLDER',
      message: found.isSymbolicLink()
        ? `${name} is a symbolic link, and files are not written through one.`
        : `${name} is no folder.`,
      hint: 'Name the folder itself: --dir FOLDER',
    })
  }
}

export async function lstatOrNothing(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, code ?? String(error))
  }
}

export const unreadable = (path: string, why: string) =>
  failed({ code: 'SCAFFOLD_UNREADABLE', message: `${path} cannot be read (${why}).`, hint: 'Check its permissions' })
