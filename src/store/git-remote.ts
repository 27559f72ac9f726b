/** Which remote is meant: its name or address as somebody wrote it, and the address git is given. */
import { isAbsolute, resolve } from 'node:path'
import { usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { shownAddress, withoutUserInfo } from './git-address.ts'
import { branchProblem, REMOTE_NAME as NAME, remoteProblem } from './git-names.ts'
import { gitSaid } from './git-problems.ts'
import { type GitEnv, gitEnvironment, NO_GIT, runGit } from './git-run.ts'
import type { Sharing } from './git-sharing.ts'

/** How a store is to be shared, as `mlops.yaml` or `mlops init --remote` say it. */
export interface SharingWish {
  /** A remote of the repository at `at`, or an address. */
  readonly remote: string
  readonly branch: string
  /** Absolute: the project's folder. */
  readonly at: string
}

export interface Resolved {
  readonly sharing: Sharing
  /** The address held a user's secret, which was left out. */
  readonly secretLeftOut: boolean
}

/** @throws usage `REMOTE_INVALID`, `REMOTE_UNKNOWN` */
export async function resolveSharing(wish: SharingWish, env: GitEnv): Promise<Resolved> {
  const { remote, branch, at } = wish
  for (const problem of [remoteProblem(remote), branchProblem(branch)]) {
    if (problem === undefined) continue
    throw usage({
      code: 'REMOTE_INVALID',
      message: `The store cannot be shared as branch ${JSON.stringify(branch)} of ${JSON.stringify(shownAddress(remote))}: ${problem}.`,
      hint: 'For example: mlops init --remote origin --branch mlops-store',
    })
  }
  const written = NAME.test(remote) ? await addressOf(remote, at, env) : remote
  const url = absolute(written, at)
  const safe = withoutUserInfo(url)
  // It would be written into mlops.yaml, which everybody reads; without it git would not get in.
  if (!NAME.test(remote) && shownAddress(safe) !== safe) throw tokenInside(safe)
  return { sharing: { remote: NAME.test(remote) ? remote : safe, branch, url: safe }, secretLeftOut: safe !== url }
}

const tokenInside = (url: string) =>
  usage({
    code: 'REMOTE_INVALID',
    message: `The address ${shownAddress(url)} holds what looks like a token, and would be written into mlops.yaml.`,
    hint: 'Give the address without it and set MLOPS_STORE_TOKEN, or let git know it by a credential helper',
  })

async function addressOf(remote: string, at: string, env: GitEnv): Promise<string> {
  const answer = await runGit(['remote', 'get-url', remote], {
    cwd: at,
    env: gitEnvironment(env, undefined),
    silence: 20_000,
  })
  const url = answer.stdout.toString('utf8').trim()
  if (answer.code === 0 && url !== '' && remoteProblem(url) === undefined) return url
  const none = answer.code === NO_GIT ? gitSaid(answer) : `the repository at ${at} has no remote ${remote}`
  throw usage({
    code: 'REMOTE_UNKNOWN',
    message: `The store is to be shared by ${remote}, and ${none}.`,
    hint: `See the remotes: git -C ${shellWord(at)} remote -v. Or give an address: mlops init --remote git@HOST:TEAM/REPOSITORY.git`,
    details: { remote, at },
  })
}

/** `../store.git` means a place beside the project, `host:path` one over there. */
const absolute = (url: string, at: string): string =>
  isAbsolute(url) || /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url) || /^[^/]+:/.test(url) ? url : resolve(at, url)
