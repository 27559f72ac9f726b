/** A bare repository on this disk as the team's remote, and clones of the store that it holds as a branch. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Actor } from '../../../../src/core/context.ts'
import { type Joined, joinStore } from '../../../../src/store/git-join.ts'
import { openStore } from '../../../../src/store/open.ts'
import type { Store } from '../../../../src/store/store.ts'
import { verifyStore } from '../../../../src/store/verify.ts'
import { temporaryFolder } from '../support.ts'

export const MODEL = 'churn-model'
export const BRANCH = 'mlops-store'

/** Of the caller's environment what git needs; nothing of a git hook, or of a CI, that the tests may run in. */
export const env: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
}

export function git(cwd: string, ...args: readonly string[]): string {
  const who = {
    GIT_AUTHOR_NAME: 'eve',
    GIT_AUTHOR_EMAIL: 'eve@x',
    GIT_COMMITTER_NAME: 'eve',
    GIT_COMMITTER_EMAIL: 'eve@x',
  }
  return execFileSync('git', [...args], {
    cwd,
    env: { ...env, ...who },
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

export interface Team {
  readonly folder: string
  /** Path of the bare repository. */
  readonly remote: string
  /** Root of the clone that is called so; it need not exist. */
  root(name: string): string
  join(name: string, mayCreate?: boolean): Promise<Joined>
  open(name: string, options?: OpenAs): Promise<Store>
  /** The newest commit of the branch. */
  head(): string
}

export interface OpenAs {
  readonly write?: boolean
  readonly ask?: 'once' | 'never'
  readonly now?: () => Date
  readonly warn?: (message: string) => void
  readonly step?: (name: string) => void
  /** False: the folder says by itself what it is. */
  readonly wish?: boolean
  readonly url?: string
  readonly env?: Readonly<Record<string, string>>
}

export const actorOf = (name: string): Actor => ({ name: `${name}@laptop`, origin: 'local' })

/** @param given an existing folder with `remote.git` and clones in it */
export function team(given?: string): Team {
  const folder = given ?? temporaryFolder()
  const remote = join(folder, 'remote.git')
  if (given === undefined) git(folder, 'init', '--quiet', '--bare', remote)
  const root = (name: string): string => join(folder, name, '.mlops')
  const wishOf = (url: string) => ({ remote: url, branch: BRANCH, at: folder })
  return {
    folder,
    remote,
    root,
    join: (name, mayCreate = true) =>
      joinStore(root(name), wishOf(remote), { env, actor: actorOf(name), now: () => new Date(), mayCreate }),
    open: (name, { write = true, warn, step, ask, wish = true, url = remote, now = () => new Date(), ...rest } = {}) =>
      openStore(root(name), {
        write,
        now,
        ...(warn === undefined ? {} : { warn }),
        git: {
          env: rest.env ?? env,
          actor: actorOf(name),
          ...(wish ? { wish: wishOf(url) } : {}),
          ...(step === undefined ? {} : { step }),
          ...(ask === undefined ? {} : { ask }),
        },
      }),
    head: () => git(remote, 'rev-parse', `refs/heads/${BRANCH}`).trim(),
  }
}

/** A team whose store is there, with no model in it. */
export async function newTeam(): Promise<Team> {
  const made = team()
  assert.equal((await made.join('ada')).what, 'branch')
  return made
}

/** Damage that `verify` finds in the clone, as lines. */
export async function damage(root: string): Promise<string[]> {
  const report = await verifyStore(root)
  return report.damages.map(({ file, problem, why }) => `${file} ${problem}: ${why}`)
}

export const rejectsWith = async (work: Promise<unknown>, code: string, message?: RegExp): Promise<void> => {
  await assert.rejects(work, (error: Error & { code?: string; hint?: string }) => {
    assert.equal(error.code, code, error.message)
    if (message !== undefined) assert.match(error.message, message)
    assert.ok((error.hint ?? '') !== '', 'it says what to do')
    return true
  })
}
