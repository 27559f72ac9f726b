/**
 * One place to run the command in: the recorded code in a worktree, with its data, laid out so that every relative path
 * leads where it led, and none out of the workshop.
 */
import { mkdir } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { Project } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import { isIn } from './find-data.ts'
import { staysIn } from './outside-links.ts'
import { runFolder } from './repository.ts'
import { restoreData } from './restore-data.ts'
import type { Facts } from './types.ts'
import { climbs, type Workshop, worktreePath } from './workshop.ts'
import { makeWorktree } from './worktree.ts'

export interface Tree {
  /** The user's repository and the worktree of it. */
  readonly top: string
  readonly mirror: string
  /** Folder of the run, in the user's checkout and in the mirrored tree. */
  readonly from: string
  readonly cwd: string
  /** The project in the mirrored tree. */
  readonly root: string
}

/** @param number of the tree: 2 for the second run of `--twice` */
export function layOut(project: Project, facts: Facts, workshop: Workshop, number: 1 | 2): Tree {
  const top = facts.code.top ?? project.root
  const from = runFolder(project, facts.original.start)
  const outside = facts.original.start.data
    .filter(({ path }) => !isAbsolute(path))
    .map(({ path }) => resolve(from, path))
  const up = Math.max(0, ...[project.root, from, ...outside].map((path) => climbs(top, path)))
  const mirror = worktreePath(workshop, basename(top), up, number)
  const mapped = (path: string): string => resolve(mirror, relative(top, path))
  return { top, mirror, from, cwd: mapped(from), root: mapped(project.root) }
}

export async function makeCode(ctx: Context, store: Store, facts: Facts, tree: Tree, scratch: string): Promise<void> {
  const git = facts.original.start.git
  if (git === undefined) throw new RangeError('a run without code cannot be repeated')
  const { code, allowOutside } = facts
  await makeWorktree(ctx, store, { top: tree.top, git, code, path: tree.mirror, scratch, allowOutside })
  if (await staysIn(scratch, tree.cwd)) await mkdir(tree.cwd, { recursive: true })
  // An ignored folder for outputs is part of nobody's commit, and a script that writes there expects it.
  for (const { path } of facts.original.facts.artifacts) {
    const folder = dirname(resolve(tree.cwd, path))
    // Nor does a link in the code make one elsewhere.
    if (isIn(tree.mirror, folder) && (await staysIn(scratch, folder))) await mkdir(folder, { recursive: true })
  }
}

export async function placeData(
  ctx: Context,
  store: Store,
  facts: Facts,
  tree: Tree,
  workshop: Workshop,
): Promise<void> {
  const { start } = facts.original
  await restoreData(ctx, store, {
    declared: start.data,
    planned: facts.data,
    place: { top: tree.top, commit: start.git?.commit ?? null, cwd: tree.from },
    mirror: { top: tree.mirror, cwd: tree.cwd },
    workshop: workshop.root,
  })
}

/** A path of the user's checkout as it is in the worktree; others stay. */
export function mirrored(path: string, { top, mirror }: Pick<Tree, 'top' | 'mirror'>): string {
  const inside = relative(top, path)
  return !isAbsolute(path) || inside.startsWith('..') || isAbsolute(inside) ? path : join(mirror, inside)
}

/** What a person types to take a kept worktree away. */
export const removeCommand = ({ top, mirror }: Tree, root: string): string =>
  `git -C ${top} worktree remove --force ${mirror} && rm -rf ${root}`
