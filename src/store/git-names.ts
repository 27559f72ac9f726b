/** What the remote and the branch of a shared store may be called. Pure, and on the start-up path: `mlops.yaml` names them. */
export const DEFAULT_BRANCH = 'mlops-store'

/** Of a remote that a repository knows by name. */
export const REMOTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Why this can be neither a remote nor an address; undefined when it can. */
export function remoteProblem(remote: string): string | undefined {
  if (remote.startsWith('-')) return 'a remote does not begin with "-"'
  if (/[\s\p{Cc}]/u.test(remote)) return 'a remote holds no spaces'
  // `ext::sh -c …` would run a program.
  if (/^[A-Za-z0-9+.-]*::/.test(remote)) return 'helpers of git (name::address) are not used'
  return REMOTE_NAME.test(remote) || /[/:]/.test(remote)
    ? undefined
    : 'it is neither the name of a remote nor an address'
}

/** Why git would not take this as the name of a branch, or we would not; undefined when it is fine. */
export function branchProblem(branch: string): string | undefined {
  const fine = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/.test(branch)
  const odd = /\.\.|\/\/|\/\.|\.lock(?:\/|$)|[./]$/.test(branch)
  return fine && !odd && branch !== 'HEAD' ? undefined : 'no name of a branch: letters, digits, ".", "_", "-" and "/"'
}
