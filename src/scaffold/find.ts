/** Which scaffolds a project has: folders with a `.mlops-scaffold`, near the project's root. */
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { MEMORY } from './paths.ts'
import { SCAFFOLD_KINDS, type ScaffoldKind } from './types.ts'

const DEEPEST = 3
const SKIPPED = new Set(['node_modules', 'site-packages', '__pycache__', 'venv', 'dist', 'build'])

export interface Found {
  readonly kind: ScaffoldKind
  /** Absolute. */
  readonly folder: string
}

/** Sorted by folder and kind. Links are not followed, folders with a dot not entered. */
export async function findScaffolds(root: string): Promise<Found[]> {
  const found: Found[] = []
  const look = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    if (folders.includes(MEMORY)) {
      const kinds: string[] = await readdir(join(folder, MEMORY)).catch(() => [])
      found.push(...SCAFFOLD_KINDS.filter((kind) => kinds.includes(kind)).map((kind) => ({ kind, folder })))
    }
    if (depth === DEEPEST) return
    const next = folders.filter((name) => !name.startsWith('.') && !SKIPPED.has(name))
    await Promise.all(next.map((name) => look(join(folder, name), depth + 1)))
  }
  await look(root, 0)
  return found.sort((a, b) => order(root, a) - order(root, b) || (keyOf(root, a) < keyOf(root, b) ? -1 : 1))
}

const keyOf = (root: string, { folder, kind }: Found): string => `${relative(root, folder)}/${kind}`
const order = (root: string, { folder }: Found): number => relative(root, folder).split(sep).length
