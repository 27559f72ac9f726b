/**
 * Files and folders by their content, hashed anew: what is about to be used is never taken from a cache. The digest of a
 * folder is the one of declared data (`capture/data-manifest.ts`). Reads only.
 */
import { lstat, readdir, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { type Digest, sha256, sha256File } from '../../core/digest.ts'
import { inOrder, type ListedFile, writeManifest } from '../capture/data-manifest.ts'

export interface Content {
  readonly kind: 'file' | 'directory'
  readonly sha256: Digest
  readonly size: number
  /** Of a directory. */
  readonly files: readonly (ListedFile & { readonly sha256: Digest })[]
}

/** @returns undefined for what is not there, cannot be read, or is neither file nor folder. Links are followed at the top alone. */
export async function contentOf(path: string, signal?: AbortSignal): Promise<Content | undefined> {
  try {
    const facts = await stat(path)
    if (facts.isFile()) return { kind: 'file', ...(await sha256File(path)), files: [] }
    if (!facts.isDirectory()) return undefined
    const files: (ListedFile & { sha256: Digest })[] = []
    let size = 0
    for (const name of await regularFiles(path)) {
      signal?.throwIfAborted()
      const file = await sha256File(join(path, name))
      files.push({ path: name, sha256: file.sha256 })
      size += file.size
    }
    const listed = inOrder(files)
    return { kind: 'directory', sha256: sha256(writeManifest(listed)), size, files: listed }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

export const folderDigest = (files: readonly { readonly path: string; readonly sha256: Digest }[]): Digest =>
  sha256(writeManifest(inOrder([...files])))

/** A file whose size is another one needs no hashing. */
export async function hasContent(
  path: string,
  wanted: { readonly kind: 'file' | 'directory'; readonly sha256: Digest; readonly size: number },
  signal?: AbortSignal,
): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined || (facts.isFile() ? 'file' : 'directory') !== wanted.kind) return false
  if (facts.isFile() && facts.size !== wanted.size) return false
  return (await contentOf(path, signal))?.sha256 === wanted.sha256
}

/** Below `folder`, `/`-separated; links are not followed. */
async function regularFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.split(sep).join('/'))
}

export const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined
