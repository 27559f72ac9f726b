/** Bringing the folder of a shared store up to its branch, for those that only read the folder. */
import { setTimeout } from 'node:timers/promises'
import type { Context } from '../core/context.ts'
import { isMlopsError, usage } from '../core/errors.ts'
import { readKnownHead } from './git-dir.ts'
import { readSharing } from './git-sharing.ts'

export interface PullReport {
  readonly root: string
  readonly remote: string
  readonly branch: string
  /** The newest commit of the branch, which the folder holds everything of. */
  readonly commit: string
  /** Whether something came that was not here. */
  readonly changed: boolean
}

/**
 * @param open opens the store, and with that brings it up to date. @throws where the remote does not answer
 * @param every seconds; undefined: once. Else until the context's signal, and trouble is only told
 * @throws usage `STORE_NOT_SHARED`, and what `open` throws
 */
export async function pulled(
  ctx: Pick<Context, 'signal' | 'warn'>,
  root: string,
  open: () => Promise<unknown>,
  every: number | undefined,
): Promise<PullReport> {
  const before = readKnownHead(root)?.commit
  const ended = (): boolean => ctx.signal?.aborted === true
  for (;;) {
    await open().catch((error: unknown) => {
      if (every === undefined || !isMlopsError(error) || error.exit === 'usage') throw error
      ctx.warn(error.message)
    })
    if (readSharing(root) === undefined) throw notShared(root)
    if (every === undefined || ended()) break
    await setTimeout(every * 1000, undefined, ctx.signal === undefined ? {} : { signal: ctx.signal }).catch(() => {})
    if (ended()) break
  }
  const { remote = '', branch = '' } = readSharing(root) ?? {}
  const commit = readKnownHead(root)?.commit ?? ''
  return { root, remote, branch, commit, changed: commit !== before }
}

const notShared = (root: string): Error =>
  usage({
    code: 'STORE_NOT_SHARED',
    message: `${root} is a store of one folder; there is no branch to bring it up to.`,
    hint: 'Share it: mlops init --remote origin',
    details: { store: root },
  })
