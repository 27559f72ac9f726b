/** Opening a store that is shared as a branch: asking the remote once, and saying how old what is known is. */
import type { Actor } from '../core/context.ts'
import { isMlopsError } from '../core/errors.ts'
import { GitBackend } from './git-backend.ts'
import { GitBranch } from './git-branch.ts'
import { readKnownHead, rememberUnanswered, unansweredSince } from './git-dir.ts'
import type { GitEnv } from './git-run.ts'
import type { Sharing } from './git-sharing.ts'
import type { LocalBackend } from './local-backend.ts'

export interface SharedOptions {
  readonly write: boolean
  /** `never`: what is here is shown as it is, without a word (completion between two keys); `must`: or it is an error. */
  readonly ask: 'once' | 'must' | 'never'
  readonly env: GitEnv
  readonly actor: Actor
  readonly now: () => Date
  readonly warn: (message: string) => void
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  readonly step?: ((name: string) => void) | undefined
}

/** Milliseconds that a remote may say nothing: a command that only looks is not kept waiting. */
const READING_SILENCE = 5_000
const WRITING_SILENCE = 20_000
/** Milliseconds for which commands that only look do not ask a remote again that was silent. */
const REST_AFTER_SILENCE = 60_000

/** @param taking as `local`, but always for writing: also a command that only looks brings the folder up to date */
export async function openShared(
  local: LocalBackend,
  taking: LocalBackend,
  sharing: Sharing,
  options: SharedOptions,
): Promise<GitBackend> {
  const { write, env, actor, now, progress, step, warn } = options
  const silence = write ? WRITING_SILENCE : READING_SILENCE
  const branch = new GitBranch(local, taking, {
    root: local.root,
    sharing,
    env,
    actor,
    now,
    progress,
    warn,
    silence,
    step,
  })
  const backend = new GitBackend(local, branch, sharing)
  if (options.ask === 'never') return backend
  const time = now().getTime()
  const known = readKnownHead(local.root)
  const silentFor = time - (unansweredSince(local.root) ?? Number.NEGATIVE_INFINITY)
  if (!write && options.ask === 'once' && silentFor >= 0 && silentFor < REST_AFTER_SILENCE) {
    warn(ofThen(sharing, 'did not answer a moment ago', known?.asked, time))
    return backend
  }
  try {
    await branch.refresh()
  } catch (error) {
    if (!isMlopsError(error) || options.ask === 'must') throw error
    // Reading works, and recording runs does; what is decided by a push asks again, and fails there.
    if (error.code === 'STORE_REMOTE_DOWN') {
      await rememberUnanswered(local.root, time)
      warn(ofThen(sharing, `does not answer (${String(error.details?.why)})`, known?.asked, time))
    } else warn(`${error.message} ${age(known?.asked, time)} ${error.hint ?? ''}`.trim())
  }
  return backend
}

const ofThen = ({ remote }: Sharing, why: string, asked: number | undefined, now: number): string =>
  `${remote} ${why}: ${age(asked, now)}`

function age(asked: number | undefined, now: number): string {
  if (asked === undefined) return 'What is shown is what this folder knows.'
  const minutes = Math.max(0, Math.round((now - asked) / 60_000))
  const long =
    minutes < 1
      ? 'less than a minute'
      : minutes < 120
        ? `${minutes} min`
        : minutes < 2880
          ? `${Math.round(minutes / 60)} h`
          : `${Math.round(minutes / 1440)} days`
  return `What is shown is as of ${new Date(asked).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${long} ago.`
}
