/** What can go wrong between a store and the branch that it is shared as, as errors a user can act on. */
import { conflict, failed, type MlopsError, usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { shownAddress } from './git-address.ts'
import { type GitAnswer, NO_GIT, SILENT } from './git-run.ts'
import type { Sharing } from './git-sharing.ts'

const place = ({ remote, branch }: Sharing): string => `the branch ${branch} of ${remote}`

/** Git's own words in one line: its last complaint. */
export function gitSaid({ code, stderr }: GitAnswer): string {
  if (code === NO_GIT) return 'git is not installed'
  if (code === SILENT) return 'it said nothing for too long'
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  const told = lines.filter(
    (line) =>
      /^(?:fatal|error|remote|ssh|ERROR|\S+: )/.test(line) &&
      !/^remote: (?:Counting|Compressing|Total|Enumerating|Resolving)/.test(line),
  )
  const fatal =
    told.find((line) => line.startsWith('fatal: ')) ?? told.at(-1) ?? lines.at(-1) ?? `git ended with ${code}`
  const before = told.find((line) => line !== fatal && /^(?:ssh|ERROR|remote)/.test(line))
  return [before, fatal]
    .flatMap((line) =>
      line === undefined
        ? []
        : [
            line
              .replace(/^(?:fatal|error): /, '')
              .trim()
              .replace(/\.$/, ''),
          ],
    )
    .join('; ')
}

/** Git could not write here. The same code as for a store in one folder: its reserve is given up for a move. */
export const gitFailedHere = (root: string, why: string): MlopsError =>
  failed({
    code: isNoRoom(why) ? 'STORE_FULL' : 'STORE_IO',
    message: `Git could not write into ${root}: ${why}. Nothing was changed.`,
    hint: `See what is used, and free some space: df -h ${shellWord(root)}`,
    details: { store: root, why },
  })

export const isNoRoom = (why: string): boolean => /no space left|disk quota/i.test(why)

/** Nothing was sent, so nothing was changed, here or there. */
export const remoteDown = (sharing: Sharing, why: string): MlopsError =>
  failed({
    code: 'STORE_REMOTE_DOWN',
    message: `${sharing.remote} does not answer (${why}). What this command decides is decided by a push to ${place(sharing)}, so nothing was changed.`,
    hint: `Run it again when this works: git ls-remote ${shellWord(shownAddress(sharing.url))}. Reading works meanwhile`,
    details: { remote: sharing.remote, branch: sharing.branch, why },
  })

/** Sent, and no answer: it may have been accepted. */
export const remoteUnsure = (sharing: Sharing, why: string): MlopsError =>
  failed({
    code: 'STORE_REMOTE_UNSURE',
    message: `The change was sent to ${place(sharing)} and ${sharing.remote} did not say whether it accepted it (${why}). Either it stands as a whole or nothing was changed.`,
    hint: 'When the remote answers again, look before you repeat it: mlops status',
    details: { remote: sharing.remote, branch: sharing.branch, why },
  })

export const pushRefused = (sharing: Sharing, why: string): MlopsError =>
  failed({
    code: 'STORE_PUSH_REFUSED',
    message: `${sharing.remote} refuses what is pushed to ${sharing.branch}: ${why}. Nothing was changed.`,
    hint: `Whoever uses the store needs the right to push to ${sharing.branch}, and rules for protected branches must leave it out`,
    details: { remote: sharing.remote, branch: sharing.branch, why },
  })

export const remoteBusy = (sharing: Sharing, tries: number): MlopsError =>
  conflict({
    code: 'STORE_REMOTE_BUSY',
    message: `Others were faster ${tries} times in a row in pushing to ${place(sharing)}. Nothing was changed.`,
    hint: 'Run the command again',
    details: { remote: sharing.remote, branch: sharing.branch, tries },
  })

/** @param what a sentence without its full stop */
export const rewritten = (sharing: Sharing, what: string, commits: { known?: string; found?: string }): MlopsError =>
  failed({
    code: 'STORE_REMOTE_REWRITTEN',
    message: `${place(sharing)} is not what it was: ${what}. The branch only ever grows, so somebody changed its history. Nothing of it was taken over, and nothing is written to it.`,
    hint:
      commits.known === undefined
        ? 'Ask who pushed to it'
        : `Ask who pushed to it. What this clone knows is whole; to bring it back: git -C STORE push --force REMOTE ${commits.known}:refs/heads/${sharing.branch}`,
    details: { remote: sharing.remote, branch: sharing.branch, ...commits },
  })

/** @param commit the one that brought it, and who made that, as `whoPushed` says it */
export const remoteDamaged = (sharing: Sharing, key: string, why: string, commit: string): MlopsError =>
  failed({
    code: 'STORE_REMOTE_DAMAGED',
    message: `${key} in ${place(sharing)} is damaged: ${why}. It came with ${commit}, and was not taken over.`,
    hint: 'Ask them; until the branch is mended by a person what is here stays as it is, and can be read',
    details: { remote: sharing.remote, branch: sharing.branch, file: key, commit },
  })

export const diverged = (sharing: Sharing, file: string): MlopsError =>
  failed({
    code: 'STORE_DIVERGED',
    message: `${file} is not the file that ${place(sharing)} has. Somebody wrote into the folder without the branch. Nothing was changed.`,
    hint: 'Move the folder away and make it again from the branch: mv .mlops .mlops-old && mlops init',
    details: { file, remote: sharing.remote, branch: sharing.branch },
  })

export const notStore = (sharing: Sharing): MlopsError =>
  usage({
    code: 'STORE_BRANCH_TAKEN',
    message: `${place(sharing)} exists and holds no store.`,
    hint: 'Name another branch: mlops init --remote REMOTE --branch mlops-store',
    details: { remote: sharing.remote, branch: sharing.branch },
  })

export const noBranch = (sharing: Sharing): MlopsError =>
  failed({
    code: 'STORE_BRANCH_MISSING',
    message: `${sharing.remote} has no branch ${sharing.branch}, where the team's store should be.`,
    hint: `Make it, once for all: mlops init --remote ${shellWord(sharing.remote)} --branch ${shellWord(sharing.branch)}`,
    details: { remote: sharing.remote, branch: sharing.branch },
  })

/** The event stands where it counts; only our copy of it is missing. */
export const acceptedNotHere = (sharing: Sharing, file: string, cause: unknown): MlopsError =>
  failed({
    code: 'STORE_UNSURE',
    message: `The change was accepted by ${place(sharing)} and stands, but it could not be written to ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'Set the folder right; the next command takes it over from the branch. Do not repeat this one',
    details: { file },
    cause,
  })
