/**
 * The remote of a repository: its address as git has it, and what the address says: host, owner, name. What may be
 * done at that host is no business of this folder.
 */
import { findGitTop } from './find.ts'
import { type GitEnv, openGit } from './git-run.ts'

/** Where a repository lives, read off the address of a remote. */
export interface RemoteAddress {
  /** Lower case, without port: `github.com`. */
  readonly host: string
  /** Of an `https://` or `http://` address that names one; the port of SSH says nothing about others. */
  readonly port: number | null
  readonly owner: string
  readonly name: string
}

/**
 * The remotes, and whether the configuration was read: the second name is always there. (simple-git, too, waits 50 ms
 * more for a command that prints nothing.) The third one moves the work tree away from its `.git`.
 */
export const REMOTE_QUESTION = [
  'config',
  '--get-regexp',
  '^(remote\\..*\\.url|core\\.(repositoryformatversion|worktree))$',
] as const

/** @param text the answer to `REMOTE_QUESTION` */
export const pickRemote = (text: string): string | undefined => chosenRemote(text)?.url

/** `origin` if there is one, else the first by name. */
function chosenRemote(text: string): { readonly name: string; readonly url: string } | undefined {
  const remotes = text.split('\n').flatMap((line) => {
    const [, name, url] = /^remote\.(.*)\.url (.*)$/.exec(line) ?? []
    return name === undefined || url === undefined ? [] : [{ name, url }]
  })
  return remotes.find(({ name }) => name === 'origin') ?? remotes[0]
}

/**
 * The address of the remote, with the user's `url.….insteadOf` applied; undefined outside of git, and without a remote.
 * May hold a password.
 * @param cwd absolute
 */
export async function remoteAddress(cwd: string, env: GitEnv): Promise<string | undefined> {
  if (env.GIT_DIR === undefined && findGitTop(cwd) === undefined) return undefined
  try {
    const git = await openGit(cwd, env)
    const chosen = chosenRemote(await git(REMOTE_QUESTION))
    if (chosen === undefined || chosen.name.startsWith('-')) return chosen?.url
    // Asks nobody: it only applies the configuration.
    return (await git(['ls-remote', '--get-url', chosen.name])).trim() || chosen.url
  } catch {
    return undefined
  }
}

const SCP_LIKE = /^(?:[^@/\s]+@)?([^:/\s[\]]+):(?!\/\/)(.+)$/
/** SSH over the port of HTTPS has a host name of its own (docs.github.com: "Using SSH over the HTTPS port"). */
const OTHER_NAMES: Readonly<Record<string, string>> = { 'ssh.github.com': 'github.com', 'www.github.com': 'github.com' }

/**
 * `git@HOST:OWNER/NAME.git`, `ssh://git@HOST:22/OWNER/NAME`, `https://user:token@HOST:8443/OWNER/NAME.git/` …
 * @returns undefined for what is no OWNER/NAME at a host: a path, a folder deeper or less deep
 */
export function parseRemote(address: string): RemoteAddress | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(address)
  const scp = isUrl ? null : SCP_LIKE.exec(address)
  if (!isUrl && scp === null) return undefined
  if (isUrl && !URL.canParse(address)) return undefined
  const url = isUrl ? new URL(address) : undefined
  // One letter before the colon is a drive of Windows.
  const host = (url?.hostname ?? scp?.[1] ?? '').toLowerCase()
  if (host.length < 2 || url?.protocol === 'file:') return undefined
  const path = (url?.pathname ?? scp?.[2] ?? '').replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  const [, owner, name] = /^([\w.-]+)\/([\w.-]+)$/.exec(path) ?? []
  if (owner === undefined || name === undefined) return undefined
  const isWeb = url !== undefined && /^https?:$/.test(url.protocol)
  const port = isWeb && url.port !== '' ? Number(url.port) : null
  return { host: OTHER_NAMES[host] ?? host, port, owner, name }
}
