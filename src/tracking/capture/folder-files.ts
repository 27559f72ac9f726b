/** Which files a folder of data has. What is in them is `folder-hash.ts`. */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { systemCode } from '../../core/errors.ts'
import { inOrder, type ListedFile } from './data-manifest.ts'

export interface FoundFile extends ListedFile {
  /** Absolute. */
  readonly full: string | Buffer
}

export interface FolderFiles {
  /** In order. Regular files, and links that lead to one: a script reads through them, and DVC may make all of them. */
  readonly files: readonly FoundFile[]
  /** Links that are not followed: to a folder, where they could lead in circles, or to nothing. */
  readonly links: readonly string[]
  /** Pipes, sockets and devices: they hold nothing that could be read again. */
  readonly others: readonly string[]
}

/**
 * @param folder absolute
 * @param exclude absolute folders that are no data: the store
 * @throws system errors for a folder that cannot be read
 */
export async function filesOf(
  folder: string,
  exclude: readonly string[],
  signal?: AbortSignal,
  progress?: (files: number) => void,
): Promise<FolderFiles> {
  const files: FoundFile[] = []
  const [links, others]: [string[], string[]] = [[], []]
  const folders: { readonly full: string | Buffer; readonly inside: ListedFile }[] = [
    { full: folder, inside: { path: '' } },
  ]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    signal?.throwIfAborted()
    const { inside } = next
    for (const entry of await entriesOf(next.full)) {
      const name = below(inside, entry.name)
      const full =
        typeof next.full === 'string' && typeof entry.name === 'string'
          ? `${next.full}${sep}${entry.name}`
          : Buffer.concat([Buffer.from(next.full), Buffer.from(sep), Buffer.from(entry.name)])
      if (entry.isDirectory()) {
        if (!exclude.includes(full.toString())) folders.push({ full, inside: name })
      } else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(full)))) files.push({ ...name, full })
      else if (entry.isSymbolicLink()) links.push(name.path)
      else others.push(name.path)
    }
    progress?.(files.length)
  }
  return { files: inOrder(files), links: links.sort(), others: others.sort() }
}

/** Names as text, or all of them as bytes in a folder where one is no UTF-8. Empty for a folder that just went away. */
async function entriesOf(folder: string | Buffer): Promise<Dirent<string | Buffer>[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    if (!entries.some(({ name }) => name.includes('\ufffd'))) return entries
    return await readdir(folder, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function below({ path, raw }: ListedFile, name: string | Buffer): ListedFile {
  const text = name.toString()
  const whole = path === '' ? text : `${path}/${text}`
  const isOdd = raw !== undefined || (typeof name !== 'string' && !Buffer.from(text, 'utf8').equals(name))
  if (!isOdd) return { path: whole }
  const before = path === '' ? [] : [raw ?? Buffer.from(path, 'utf8'), Buffer.from('/')]
  return { path: whole, raw: Buffer.concat([...before, Buffer.from(name)]) }
}

const isFile = async (path: string | Buffer): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true
