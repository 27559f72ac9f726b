/**
 * Where git works for a store that is shared as a branch, and what this clone remembers of it.
 *
 * Git locks what it changes with files that a kill leaves behind, and they would block everybody. So each operation
 * has a folder of git of its own under `tmp/`, with its own references and index, and shares only the folder of
 * objects, to which git adds without locks. What must be remembered is two small files in `.git/`, renamed into place.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../core/errors.ts'
import { type GitAnswer, type GitCall, type GitEnv, gitEnvironment, runGit } from './git-run.ts'
import { SHARING, type Sharing } from './git-sharing.ts'
import { TMP } from './layout.ts'

/** The commit of the branch that the folder holds everything of; its modification time is when the remote said so. */
const HEAD = '.git/mlops-store-head'
/** Its modification time is when the remote did not answer. */
const UNANSWERED = '.git/mlops-store-unanswered'

/** Makes `.git/` of the store a whole repository, whose branch people can look at, and writes down how it is shared. */
export async function writeSharing(root: string, sharing: Sharing): Promise<void> {
  const git = join(root, '.git')
  for (const folder of ['', 'objects', 'objects/pack', 'objects/info', 'refs', 'refs/heads', 'refs/tags', 'info']) {
    await mkdir(join(git, folder), { recursive: true })
  }
  const HEAD_REF = `ref: refs/heads/${sharing.branch}\n`
  await writeFile(join(git, 'HEAD'), HEAD_REF)
  await unlessThere(join(git, 'config'), '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n')
  // Everything in the folder is ours to commit, by our own protocol.
  await unlessThere(join(git, 'info/exclude'), '*\n')
  await replaceFile(join(root, SHARING), `${JSON.stringify(sharing)}\n`)
}

export interface KnownHead {
  readonly commit: string
  /** When the remote last said so; milliseconds since 1970. */
  readonly asked: number
}

export function readKnownHead(root: string): KnownHead | undefined {
  try {
    const commit = readFileSync(join(root, HEAD), 'utf8').trim()
    return isCommit(commit) ? { commit, asked: statSync(join(root, HEAD)).mtimeMs } : undefined
  } catch {
    return undefined
  }
}

/** @param now milliseconds: when the remote said so */
export async function writeKnownHead(root: string, sharing: Sharing, commit: string, now: number): Promise<void> {
  const time = new Date(now)
  const same = readKnownHead(root)?.commit === commit
  if (same) await utimes(join(root, HEAD), time, time)
  else {
    await replaceFile(join(root, HEAD), `${commit}\n`, time)
    // For `git log` in the folder, and so that a `git gc` there takes nothing that is needed.
    const ref = join(root, '.git/refs/heads', sharing.branch)
    await mkdir(join(ref, '..'), { recursive: true })
    await replaceFile(ref, `${commit}\n`)
  }
  await rm(join(root, UNANSWERED), { force: true })
}

/** Milliseconds since 1970 when the remote last did not answer; undefined when it has answered since. */
export const unansweredSince = (root: string): number | undefined =>
  statSync(join(root, UNANSWERED), { throwIfNoEntry: false })?.mtimeMs

export async function rememberUnanswered(root: string, now: number): Promise<void> {
  const time = new Date(now)
  await writeFile(join(root, UNANSWERED), '')
    .then(() => utimes(join(root, UNANSWERED), time, time))
    .catch(() => {})
}

export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** Git for one operation. */
export interface Git {
  (args: readonly string[], call?: Partial<GitCall>): Promise<GitAnswer>
  /** The commit that `refs/heads/<name>` of this operation stands on. */
  ref(name: string): string | undefined
  setRef(name: string, commit: string): Promise<void>
  dropRef(name: string): Promise<void>
}

export interface GitRoom {
  readonly root: string
  readonly sharing: Sharing
  readonly env: GitEnv
}

/** Milliseconds of silence after which a local question is given up. */
const LOCAL_SILENCE = 120_000

/** Runs `work` with a folder of git of its own, which is taken away afterwards. */
export async function withGit<T>({ root, sharing, env }: GitRoom, work: (git: Git) => Promise<T>): Promise<T> {
  const dir = join(root, TMP, `git-${randomBytes(8).toString('hex')}`)
  await mkdir(join(dir, 'refs/heads'), { recursive: true })
  await writeFile(join(dir, 'HEAD'), 'ref: refs/heads/next\n')
  await writeFile(join(dir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
  const child = gitEnvironment(env, sharing.url, { GIT_DIR: dir, GIT_OBJECT_DIRECTORY: join(root, '.git/objects') })
  const ask = (args: readonly string[], call: Partial<GitCall> = {}): Promise<GitAnswer> =>
    runGit(args, { silence: LOCAL_SILENCE, ...call, cwd: root, env: child })
  const refFile = (name: string): string => join(dir, 'refs/heads', name)
  const git: Git = Object.assign(ask, {
    ref(name: string) {
      if (!existsSync(refFile(name))) return undefined
      const commit = readFileSync(refFile(name), 'utf8').trim()
      return isCommit(commit) ? commit : undefined
    },
    setRef: (name: string, commit: string) => writeFile(refFile(name), `${commit}\n`),
    dropRef: (name: string) => rm(refFile(name), { force: true }),
  })
  try {
    return await work(git)
  } finally {
    await rm(dir, { recursive: true, force: true }).catch(() => {})
  }
}

async function unlessThere(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

/** Whole or as it was, also after a power cut. */
async function replaceFile(path: string, text: string, time?: Date): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(temporary, 'wx', 0o644)
  try {
    await file.writeFile(text)
    if (time !== undefined) await file.utimes(time, time)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
