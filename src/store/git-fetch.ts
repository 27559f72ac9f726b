/**
 * Asking the remote where the shared branch stands, and whether it has only grown since. What is new in it comes into
 * the folder in `git-takeover.ts`.
 */
import type { Git, GitRoom } from './git-dir.ts'
import { gitFailedHere, gitSaid, isNoRoom, remoteDown, rewritten } from './git-problems.ts'
import type { GitAnswer } from './git-run.ts'
import type { Sharing } from './git-sharing.ts'

export interface FetchOptions {
  /** Milliseconds without a word from the remote. */
  readonly silence: number
  readonly line?: ((line: string) => void) | undefined
}

/**
 * @param known a commit of the branch that we have, so that only what is new is sent
 * @returns the branch's newest commit, whose objects are here now; undefined when there is no such branch
 * @throws failed `STORE_REMOTE_DOWN`, `STORE_FULL`
 */
export async function fetchBranch(
  git: Git,
  { sharing, root }: Pick<GitRoom, 'sharing' | 'root'>,
  known: string | undefined,
  options: FetchOptions,
): Promise<string | undefined> {
  const attempt = async (): Promise<GitAnswer> => {
    await git.dropRef('remote')
    return git(
      [
        'fetch',
        '--no-tags',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        '--no-auto-gc',
        '--progress',
        'store',
      ].concat(`+refs/heads/${sharing.branch}:refs/heads/remote`),
      { silence: options.silence, ...(options.line === undefined ? {} : { line: options.line }) },
    )
  }
  if (known !== undefined) await git.setRef('known', known)
  let answer = await attempt()
  if (answer.code !== 0 && known !== undefined && LOST.test(answer.stderr)) {
    // Somebody cleaned up in `.git/`: everything comes once more.
    await git.dropRef('known')
    answer = await attempt()
  }
  if (answer.code === 0) return git.ref('remote')
  if (/couldn't find remote ref/i.test(answer.stderr)) return undefined
  if (isNoRoom(answer.stderr)) throw gitFailedHere(root, gitSaid(answer))
  throw remoteDown(sharing, gitSaid(answer))
}

const LOST =
  /bad object|missing|did not send all necessary objects|unresolved deltas|not a valid object|does not point to a valid/i

/** Is `commit` in the history of `head`? Both must be here. */
export async function isIn(git: Git, commit: string, head: string): Promise<boolean> {
  return commit === head || (await git(['merge-base', '--is-ancestor', commit, head])).code === 0
}

/**
 * The commits after `known` up to `head`, oldest first; the branch must have grown by single commits, each upon the one
 * before: that is how this program writes it, and what a merge or a rewritten history does not look like.
 * @throws failed `STORE_REMOTE_REWRITTEN`
 */
export async function newCommits(
  git: Git,
  sharing: Sharing,
  known: string | undefined,
  head: string,
): Promise<string[]> {
  if (known === head) return []
  if (known !== undefined && !(await isIn(git, known, head))) {
    throw rewritten(sharing, `it no longer contains ${known.slice(0, 12)}, which it had when this clone last looked`, {
      known,
      found: head,
    })
  }
  const range = known === undefined ? [head] : [head, `^${known}`]
  const { code, stdout } = await git(['rev-list', '--reverse', '--topo-order', '--parents', ...range])
  if (code !== 0) throw rewritten(sharing, 'a part of its history is missing', { found: head })
  const lines = stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
  const merge = lines.find((line, n) => line.split(' ').length !== (n === 0 && known === undefined ? 1 : 2))
  if (merge !== undefined) {
    throw rewritten(
      sharing,
      `${merge.slice(0, 12)} does not stand upon one commit: histories were merged or begun anew`,
      {
        ...(known === undefined ? {} : { known }),
        found: head,
      },
    )
  }
  return lines.map((line) => line.slice(0, 40))
}
