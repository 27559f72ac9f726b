/**
 * Where a path really leads. What is stored is stored for ever, so a symbolic link must not smuggle in a file that
 * nobody meant: one found in a folder may lead to a file of that folder, one named directly to a file of the project.
 */
import { lstat, realpath } from 'node:fs/promises'
import { dirname, sep } from 'node:path'

export interface Landing {
  /** Without any link in it. */
  readonly real: string
  /** The path itself is a link, not only a folder on its way. */
  readonly isLink: boolean
  /** It leads out of where it may lead. */
  readonly leaves: boolean
}

/**
 * @param full absolute path of something that exists
 * @param folders absolute; a path inside of one must lead into one. A path that was named outright and lies in none of
 *   them may lead anywhere in its own folder.
 * @throws system errors, such as ENOENT
 */
export async function landing(full: string, folders: readonly string[]): Promise<Landing> {
  const isLink = (await lstat(full)).isSymbolicLink()
  const homes = folders.some((folder) => isIn(folder, full)) ? folders : [...folders, dirname(full)]
  const [real, ...allowed] = await Promise.all([full, ...homes].map((path) => realpath(path)))
  const leaves = real === undefined || !allowed.some((folder) => isIn(folder, real))
  return { real: real ?? full, isLink, leaves }
}

const isIn = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
