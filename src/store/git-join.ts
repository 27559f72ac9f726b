/**
 * Making a folder the clone of the shared branch: a fresh folder from a branch that is there, a branch from a folder
 * that is there, or both new. Every step can be repeated; until the end the folder is no store, or one that pushes.
 */
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Actor } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import type { Backend } from './backend.ts'
import { type CreateOptions, prepareFolder, writeAttributes } from './create.ts'
import { explained, quoted } from './failures.ts'
import { carriedAs, MAX_CARRIED_BYTES } from './git-carried.ts'
import { type Git, readKnownHead, withGit, writeKnownHead, writeSharing } from './git-dir.ts'
import { fetchBranch, newCommits } from './git-fetch.ts'
import { fileOf } from './git-objects.ts'
import { gitFailedHere, noBranch, notStore, pushRefused, remoteBusy, remoteDown, remoteUnsure } from './git-problems.ts'
import { fractionIn, type NewFile, push, writeCommit } from './git-push.ts'
import { resolveSharing, type SharingWish } from './git-remote.ts'
import type { GitEnv } from './git-run.ts'
import { readSharing, SHARING, type Sharing } from './git-sharing.ts'
import { additions, takeOver } from './git-takeover.ts'
import { ATTRIBUTES, REGISTRY, STORE_FORMAT } from './layout.ts'
import { registryBytes } from './registry.ts'
import { openSealed, sealProblem } from './sealed.ts'

export interface JoinOptions extends Pick<CreateOptions, 'files' | 'shared'> {
  readonly env: GitEnv
  readonly actor: Actor
  readonly now: () => Date
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  /** False: the branch must be there; a command other than `init` makes none. */
  readonly mayCreate: boolean
  readonly step?: ((name: string) => void) | undefined
}

export interface Joined {
  readonly sharing: Sharing
  /** What was done: the branch was made, or the folder was made (or completed) from it; `present`: nothing. */
  readonly what: 'branch' | 'folder' | 'present'
  readonly notes: readonly string[]
}

const SILENCE = 60_000
const PUSH_SILENCE = 300_000
const TRIES = 20

/**
 * @param root absolute; the folder may not exist
 * @throws what `resolveSharing` and `fetchBranch` throw; usage `STORE_BRANCH_TAKEN`, `STORE_OTHER`; failed
 *   `STORE_PUSH_REFUSED`, `STORE_BRANCH_MISSING`
 */
export async function joinStore(root: string, wish: SharingWish, options: JoinOptions): Promise<Joined> {
  const { sharing, secretLeftOut } = await resolveSharing(wish, options.env)
  const notes = secretLeftOut
    ? [
        `The address of ${sharing.remote} holds a password, which was not written down a second time: let git know it by a credential helper, or set MLOPS_STORE_TOKEN`,
      ]
    : []
  return explained(root, 'make the store', async () => {
    const before = readSharing(root)
    if (
      before !== undefined &&
      before.url === sharing.url &&
      before.branch === sharing.branch &&
      readKnownHead(root) !== undefined
    ) {
      return { sharing: before, what: 'present', notes }
    }
    const { backend, notes: more } = await prepareFolder(root, options)
    await writeAttributes(backend)
    await writeSharing(root, sharing)
    options.step?.('folder prepared')
    try {
      const what = await withGit({ root, sharing, env: options.env }, (git) =>
        joinBranch(git, backend, sharing, options),
      )
      return { sharing, what, notes: [...notes, ...more] }
    } catch (error) {
      // It is the store of one folder again, unless the branch may hold it by now.
      const unsure = (error as { code?: unknown }).code === 'STORE_REMOTE_UNSURE'
      if (before !== undefined) await writeSharing(root, before)
      else if (!unsure) await rm(join(root, SHARING), { force: true })
      throw error
    }
  })
}

async function joinBranch(git: Git, local: Backend, sharing: Sharing, options: JoinOptions): Promise<Joined['what']> {
  const { progress, actor, now } = options
  const line = (text: string): void => progress?.(`talking to ${sharing.remote}`, fractionIn(text))
  for (let tries = 0; tries < TRIES; tries++) {
    const head = await fetchBranch(git, { sharing, root: local.root }, undefined, { silence: SILENCE, line })
    options.step?.('fetched')
    if (head === undefined && !options.mayCreate) throw noBranch(sharing)
    if (head !== undefined) await takeAll(git, local, sharing, head, options)
    else await local.putIfAbsent(REGISTRY, registryBytes(STORE_FORMAT, randomBytes(16).toString('hex')))
    const files = await missingAt(git, local, head)
    if (files.length === 0 && head !== undefined) {
      await writeKnownHead(local.root, sharing, head, now().getTime())
      return 'folder'
    }
    const made = await writeCommit(git, { files, message: 'mlops store', actor, time: now(), base: head })
    if ('why' in made) throw gitFailedHere(local.root, made.why)
    options.step?.('committed')
    const outcome = await push(git, sharing, made.commit, head, { silence: PUSH_SILENCE, line })
    options.step?.(outcome.kind)
    if (outcome.kind === 'accepted') {
      await writeKnownHead(local.root, sharing, made.commit, now().getTime())
      return 'branch'
    }
    const again = await fetchBranch(git, { sharing, root: local.root }, undefined, { silence: SILENCE }).catch(
      () => null,
    )
    if (again === null)
      throw outcome.kind === 'unknown' ? remoteUnsure(sharing, outcome.why) : remoteDown(sharing, outcome.why)
    if (again === head) throw pushRefused(sharing, outcome.why)
  }
  throw remoteBusy(sharing, TRIES)
}

/** The whole branch; its registry comes last, so that a folder that was killed half-way is no store yet. */
async function takeAll(git: Git, local: Backend, sharing: Sharing, head: string, options: JoinOptions): Promise<void> {
  const { stdout, code } = await git(['cat-file', 'blob', `${head}:${REGISTRY}`])
  if (code !== 0 || sealProblem(stdout) !== undefined) throw notStore(sharing)
  const mine = await local.get(REGISTRY)
  if (mine !== undefined && !mine.equals(stdout)) throw otherStore(local.root, sharing, mine, stdout)
  const list = await additions(git, sharing, await newCommits(git, sharing, undefined, head))
  const ordered = [...list.filter(({ key }) => key !== REGISTRY), ...list.filter(({ key }) => key === REGISTRY)]
  await takeOver({ git, sharing, local, progress: options.progress, step: options.step }, ordered)
  options.step?.('taken over')
}

/** What this folder has of what a branch carries, and the branch lacks. */
async function missingAt(git: Git, local: Backend, head: string | undefined): Promise<NewFile[]> {
  const there = new Set<string>()
  if (head !== undefined) {
    const { stdout } = await git(['ls-tree', '-r', '-z', '--name-only', head])
    for (const key of stdout.toString('utf8').split('\0')) there.add(key)
  }
  const files: NewFile[] = []
  if (!there.has('.gitattributes')) {
    const bytes = Buffer.from(ATTRIBUTES)
    files.push({ key: '.gitattributes', size: bytes.length, bytes: () => [bytes] })
  }
  for await (const key of carriedFiles(local, '')) {
    if (there.has(key)) continue
    const file = await fileOf(local, key)
    if (file.size <= MAX_CARRIED_BYTES) files.push(file)
  }
  return files
}

async function* carriedFiles(local: Backend, folder: string): AsyncIterable<string> {
  for (const { name, kind } of await local.list(folder)) {
    const key = folder === '' ? name : `${folder}/${name}`
    if (kind === 'file' && carriedAs(key) !== undefined) yield key
    if (kind === 'folder' && /^(?:log|models|objects)(?:\/|$)/.test(key)) yield* carriedFiles(local, key)
  }
}

const otherStore = (root: string, sharing: Sharing, mine: Buffer, theirs: Buffer): Error =>
  usage({
    code: 'STORE_OTHER',
    message: `${root} is another store (${String(openSealed(mine)?.id).slice(0, 8)}…) than the one in ${sharing.branch} of ${sharing.remote} (${String(openSealed(theirs)?.id).slice(0, 8)}…); two stores cannot be made one.`,
    hint: `Keep yours beside it and begin with the team's: mv ${quoted(root)} ${quoted(`${root}-before`)} && mlops init. Versions travel by: mlops model export, mlops model import`,
    details: { store: root, remote: sharing.remote, branch: sharing.branch },
  })
