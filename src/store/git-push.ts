/** From the folder into the shared branch: one commit upon the newest one, and a push that only succeeds upon that. */
import type { Actor } from '../core/context.ts'
import type { Git } from './git-dir.ts'
import { gitSaid } from './git-problems.ts'
import type { Sharing } from './git-sharing.ts'

/** A file for a commit: bytes, or a stream of so many. */
export interface NewFile {
  readonly key: string
  readonly size: number
  readonly bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export interface CommitOf {
  readonly files: readonly NewFile[]
  readonly message: string
  readonly actor: Actor
  readonly time: Date
  /** The commit to stand upon; undefined: the first of the branch. */
  readonly base: string | undefined
}

/** @returns the commit, known to nobody else yet; undefined with git's words when git failed */
export async function writeCommit(git: Git, commit: CommitOf): Promise<{ commit: string } | { why: string }> {
  await git.dropRef('next')
  const answer = await git(['fast-import', '--quiet', '--done', '--date-format=raw'], { input: importStream(commit) })
  const made = git.ref('next')
  return answer.code === 0 && made !== undefined ? { commit: made } : { why: gitSaid(answer) }
}

async function* importStream({ files, message, actor, time, base }: CommitOf): AsyncIterable<Uint8Array> {
  const [name, email] = identity(actor)
  const text = Buffer.from(`${message}\n`)
  const head = `commit refs/heads/next\ncommitter ${name} <${email}> ${Math.floor(time.getTime() / 1000)} +0000\ndata ${text.length}\n`
  yield Buffer.concat([Buffer.from(head), text, Buffer.from(base === undefined ? '\n' : `\nfrom ${base}\n`)])
  for (const { key, size, bytes } of files) {
    yield Buffer.from(`M 100644 inline ${key}\ndata ${size}\n`)
    yield* bytes()
    yield Buffer.from('\n')
  }
  yield Buffer.from('done\n')
}

/** What git takes as a name and an address: the actor's, without what would end it. */
export function identity({ name }: Actor): readonly [name: string, email: string] {
  const clean =
    name
      .replace(/[<>\p{Cc}]/gu, ' ')
      .trim()
      .slice(0, 200) || 'mlops'
  return [clean, clean.includes('@') ? clean.replace(/\s+/g, '.') : `${clean.replace(/\s+/g, '.')}@mlops.invalid`]
}

export type Pushed =
  | { readonly kind: 'accepted' }
  /** The remote answered, and said no. */
  | { readonly kind: 'refused'; readonly why: string }
  /** No answer that could be understood: it may have been accepted. */
  | { readonly kind: 'unknown'; readonly why: string }

/** @param base what the branch must still stand on; undefined: it must not exist */
export async function push(
  git: Git,
  sharing: Sharing,
  commit: string,
  base: string | undefined,
  options: { readonly silence: number; readonly line?: ((line: string) => void) | undefined },
): Promise<Pushed> {
  const ref = `refs/heads/${sharing.branch}`
  const answer = await git(
    ['push', '--porcelain', '--progress', '--no-verify', '--no-signed', '--no-recurse-submodules'].concat(
      `--force-with-lease=${ref}:${base ?? ''}`,
      'store',
      `${commit}:${ref}`,
    ),
    { silence: options.silence, ...(options.line === undefined ? {} : { line: options.line }) },
  )
  if (answer.code === 0) return { kind: 'accepted' }
  const line = answer.stdout
    .toString('utf8')
    .split('\n')
    .find((text) => text.startsWith('!\t'))
  if (line === undefined || /remote failed to report|\(unknown/.test(line))
    return { kind: 'unknown', why: gitSaid(answer) }
  return { kind: 'refused', why: reason(line, answer.stderr) }
}

/** Why, as the server said it, where it did. */
function reason(line: string, stderr: string): string {
  const status = /\[[^\]]*\](?: \((.*)\))?\s*$/.exec(line)?.[1] ?? line.split('\t').at(-1) ?? 'no reason given'
  const told = stderr
    .split(/[\r\n]+/)
    .filter((text) => text.startsWith('remote: ') && /error|denied|protected|declined|GH\d{3}/i.test(text))
    .map((text) => text.slice('remote: '.length).trim())
  return [status, ...told.slice(0, 2)].join('; ')
}

/** `Writing objects:  45% (9/20)` of git's progress as a fraction. */
export function fractionIn(line: string): number | undefined {
  const percent = /^(?:remote: )?(?:Writing|Receiving|Compressing) objects:\s+(\d+)%/.exec(line)?.[1]
  return percent === undefined ? undefined : Number(percent) / 100
}
