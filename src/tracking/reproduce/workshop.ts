/**
 * The temporary folder of one reproduction: made, found again after a kill, taken away. Worktrees in it are known to the
 * user's repository by one entry below `.git/worktrees`, which goes with it.
 */
import { mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import { hasGone, ownProcess } from '../../core/process-place.ts'
import { ulid } from '../../core/ulid.ts'
import { gitIn } from './git.ts'
import { endOrphans } from './orphans.ts'

const PREFIX = 'mlops-reproduce-'
const OWNER = 'owner.json'
/** In the entry of a worktree below `.git/worktrees`; git takes it away with the entry. */
const MARK = 'mlops-reproduce.json'

export interface Workshop {
  /** Absolute, without links. */
  readonly root: string
  /** For a fresh environment that has no place in the worktree. */
  readonly environment: string
  /** Leaves everything where it is, also for the next reproduction, which otherwise takes left-overs away. */
  keep(): Promise<void>
}

/** @param top of the user's repository; left-overs of killed reproductions are taken away first */
export async function openWorkshop(ctx: Context, top: string): Promise<Workshop> {
  const folder = await realpath(ctx.env.TMPDIR ?? tmpdir()).catch(() => realpath(tmpdir()))
  await removeLeftOvers(ctx, folder, top)
  const root = join(folder, `${PREFIX}${ulid(ctx.now().getTime()).toLowerCase()}`)
  await mkdir(root, { mode: 0o700 })
  const sign = (kept: boolean): Promise<void> =>
    writeFile(join(root, OWNER), `${JSON.stringify({ process: ownProcess() ?? null, kept, repository: top })}\n`)
  await sign(false)
  return { root, environment: join(root, 'environment'), keep: () => sign(true) }
}

/** Never throws: what cannot be removed is said, and tried again next time. */
export async function closeWorkshop(ctx: Context, { root }: Workshop, top: string): Promise<void> {
  try {
    await removeFolder(root)
    await forgetWorktrees(ctx, top)
  } catch (error) {
    ctx.warn(`${root} could not be removed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function removeLeftOvers(ctx: Context, folder: string, top: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue
    const root = join(folder, name)
    const owner = await readOwner(root)
    if (owner === undefined || owner.kept === true || !hasGone(owner.process)) continue
    const running = await endOrphans(root)
    if (running > 0) {
      ctx.warn(
        `The command of a reproduction that was killed was still running (${running} ${running === 1 ? 'process' : 'processes'}); it was ended.`,
      )
    }
    await removeFolder(root).catch(() => {})
  }
  await forgetWorktrees(ctx, top).catch(() => {})
}

async function readOwner(root: string): Promise<{ process?: unknown; kept?: unknown } | undefined> {
  try {
    const own = (await stat(root)).uid === process.getuid?.() || process.getuid === undefined
    const parsed: unknown = JSON.parse(await readFile(join(root, OWNER), 'utf8'))
    return own && typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

const removeFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 })

/**
 * Says in the entry of a worktree whose it is: a repository may be shared with other machines and containers, whose
 * temporary folders are not to be seen from here. @param worktree as `git worktree add` has just made it
 */
export async function signWorktree(worktree: string): Promise<void> {
  const pointer = await readFile(join(worktree, '.git'), 'utf8')
  const entry = resolve(worktree, /^gitdir: (.*)$/m.exec(pointer)?.[1] ?? '.git')
  await writeFile(join(entry, MARK), `${JSON.stringify({ host: hostname() })}\n`)
}

/**
 * Removes the entries of worktrees of ours, made on this machine, whose folders are gone, unless somebody has locked one.
 * `git worktree prune` would also forget a worktree of the user's that lies on a disk which is not there at the moment.
 */
async function forgetWorktrees(ctx: Context, top: string): Promise<void> {
  const git = gitIn(top, ctx.env)
  const common = (await git.attempt(['rev-parse', '--git-common-dir'])).stdout.replace(/\n$/, '')
  if (common === '') return
  const folder = join(resolve(top, common), 'worktrees')
  for (const name of await readdir(folder).catch(() => [])) {
    const pointer = await readFile(join(folder, name, 'gitdir'), 'utf8').catch(() => '')
    const worktree = dirname(pointer.trim())
    if (!worktree.split(sep).some((part) => part.startsWith(PREFIX))) continue
    const isThere = await stat(worktree).catch(() => undefined)
    if (isThere !== undefined || !(await isOurs(join(folder, name)))) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
  // Git itself removes the folder with its last entry.
  if ((await readdir(folder).catch(() => ['']))?.length === 0) await rm(folder, { recursive: true, force: true })
}

async function isOurs(entry: string): Promise<boolean> {
  if ((await stat(join(entry, 'locked')).catch(() => undefined)) !== undefined) return false
  try {
    const mark = JSON.parse(await readFile(join(entry, MARK), 'utf8')) as { readonly host?: unknown }
    return mark.host === hostname()
  } catch {
    return false
  }
}

/**
 * Where the worktree goes, so that relative paths out of the repository (`../data`) stay within the workshop.
 * @param up how many folders such paths climb at most
 */
export const worktreePath = ({ root }: Pick<Workshop, 'root'>, name: string, up: number, number = 1): string =>
  join(root, `tree${number}`, ...Array.from({ length: up }, (_, at) => `up${up - at}`), name)

/** How many folders above `top` the path `target` begins. */
export function climbs(top: string, target: string): number {
  const parts = relative(top, target).split(sep)
  return parts.findIndex((part) => part !== '..') < 0
    ? parts.filter((part) => part === '..').length
    : parts.findIndex((part) => part !== '..')
}
