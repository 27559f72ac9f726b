/** Is a store shared as a branch, and as which? Asked by every command that opens one, so nothing else belongs here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failed } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'
import { shownAddress } from './git-address.ts'

/** How a store is shared: `.git/mlops-store.json`. Its being there is what makes a store a shared one. */
export interface Sharing {
  /** As it was named: a remote of the code's repository, or an address. For people. */
  readonly remote: string
  readonly branch: string
  /** Without a password. A token in its path or query stays, as git needs it: shown by `shownAddress` alone. */
  readonly url: string
}

export const SHARING = '.git/mlops-store.json'
/** Reads one small file: no process, on the start-up path of every command. Undefined for a store of one folder. */
export function readSharing(root: string): Sharing | undefined {
  let text: string
  try {
    text = readFileSync(join(root, SHARING), 'utf8')
  } catch {
    return undefined
  }
  const found = parsed(text)
  const { remote, branch, url } = found ?? {}
  if (typeof remote === 'string' && typeof branch === 'string' && typeof url === 'string')
    return { remote: shownAddress(remote), branch, url }
  throw failed({
    code: 'STORE_SHARING_DAMAGED',
    message: `${join(root, SHARING)} is damaged, so it is not known how this store is shared.`,
    hint: `Take it away and join again: rm ${shellWord(join(root, SHARING))} && mlops init`,
  })
}

function parsed(text: string): Partial<Sharing> | undefined {
  try {
    return JSON.parse(text) as Partial<Sharing>
  } catch {
    return undefined
  }
}
