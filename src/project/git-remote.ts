/**
 * The remote of a repository: its address as git has it, and what the address says: host, owner, name. What may be
 * done at that host is no business of this folder.
 */

/** The second name is always there: simple-git waits 50 ms more for a command that prints nothing. */
export const REMOTE_QUESTION = [
  'config',
  '--get-regexp',
  '^(remote\\..*\\.url|core\\.repositoryformatversion)$',
] as const

/** `origin` if there is one, else the first by name. */
export function pickRemote(text: string): string | undefined {
  const remotes = text
    .split('\n')
    .map((line) => /^remote\.(.*)\.url (.*)$/.exec(line))
    .filter((match) => match !== null)
  const chosen = remotes.find((match) => match[1] === 'origin') ?? remotes[0]
  return chosen?.[2]
}
