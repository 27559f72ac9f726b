/** Is a store shared as a branch, and as which? Asked by every command that opens one, so nothing else belongs here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How a store is shared: `.git/mlops-store.json`. Its being there is what makes a store a shared one. */
export interface Sharing {
  /** As it was named: a remote of the code's repository, or an address. For people. */
  readonly remote: string
  readonly branch: string
  /** Without a password. */
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
  const found = JSON.parse(text) as Sharing
  return { remote: String(found.remote), branch: String(found.branch), url: String(found.url) }
}
