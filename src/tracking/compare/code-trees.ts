/**
 * Trees of git for code that no commit holds: a commit with recorded changes on top. They are made in an index and an
 * object directory of their own, so that the user's work tree, index and repository stay as they are. What is done
 * with them is `code-diff.ts`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Git, type GitEnv, openGit, whyNone } from '../../project/git-run.ts'

export interface TreeRequest {
  /** Null before the first commit. */
  readonly commit: string | null
  readonly patch: Buffer | null
}

export type BuiltTree =
  | {
      readonly kind: 'tree'
      readonly tree: string
      /** Files of the patch that the commit does not take, with what the patch says of each. */
      readonly left: readonly { readonly path: string; readonly text: string }[]
    }
  /** One sentence without a full stop. */
  | { readonly kind: 'none'; readonly why: string }

export interface Trees {
  /** Absolute, with links resolved: the top of the repository. */
  readonly top: string
  build(request: TreeRequest): Promise<BuiltTree>
  /** @param under the folder that the paths are shown in, ending with `/`; '' for the top */
  diff(from: string, to: string, under: string): Promise<{ readonly text: string; readonly cut: boolean }>
}

/** Bytes of one diff. */
const LONGEST_DIFF = 8 * 1024 * 1024

/** Settings of a user by which git would write beside the temporary index, or leave files out of it. */
const PLAIN = ['-c', 'core.splitIndex=false', '-c', 'core.sparseCheckout=false'] as const

/** @param folder absolute, inside the repository. @returns what `use` returns, or why there is no repository */
export async function withTrees<T>(
  folder: string,
  env: GitEnv,
  use: (trees: Trees) => Promise<T>,
): Promise<T | { readonly why: string }> {
  let top: string
  let objects: string
  try {
    const git = await openGit(folder, env)
    top = (await git(['rev-parse', '--show-toplevel'])).replace(/\n$/, '')
    objects = resolve(folder, (await git(['rev-parse', '--git-path', 'objects'])).replace(/\n$/, ''))
  } catch (error) {
    return { why: whyNone(error) }
  }
  const scratch = await mkdtemp(join(tmpdir(), 'mlops-compare-'))
  try {
    await mkdir(join(scratch, 'objects'))
    return await use(treesIn(top, scratch, objects, env))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function treesIn(top: string, scratch: string, objects: string, env: GitEnv): Trees {
  let made = 0
  const open = (index: string): Promise<Git> =>
    openGit(top, env, {
      GIT_INDEX_FILE: join(scratch, index),
      GIT_OBJECT_DIRECTORY: join(scratch, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects),
      // In a partial clone git would fetch what is missing.
      GIT_NO_LAZY_FETCH: '1',
    })
  return {
    top,
    async build({ commit, patch }) {
      made += 1
      const git = await open(`index-${made}`)
      const missing = await missingCommit(git, commit)
      if (missing !== undefined) return { kind: 'none', why: missing }
      try {
        await git([...PLAIN, 'read-tree', ...(commit === null ? ['--empty'] : [commit])])
        const left = patch === null ? [] : await applyPatch(git, patch, join(scratch, `patch-${made}`))
        const tree = (await git([...PLAIN, 'write-tree'])).trim()
        return { kind: 'tree', tree, left }
      } catch (error) {
        return { kind: 'none', why: whyNone(error) }
      }
    },
    async diff(from, to, under) {
      const git = await open('index-of-none')
      const prefixes = [`--src-prefix=a/${under}`, `--dst-prefix=b/${under}`]
      const asked = [
        'diff-tree',
        '-r',
        '-p',
        '-M',
        '--no-color',
        '--no-ext-diff',
        '--no-textconv',
        ...prefixes,
        from,
        to,
      ]
      const { bytes, cut } = await git.bytes(asked, LONGEST_DIFF)
      return { text: bytes.toString('utf8'), cut }
    },
  }
}

/** Separated by colons, so a folder whose name holds one is quoted. */
const quoted = (path: string): string => (/[:"]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path)

async function missingCommit(git: Git, commit: string | null): Promise<string | undefined> {
  if (commit === null) return undefined
  if (!/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) return 'the recorded commit is no name of a git object'
  const isThere = await git(['cat-file', '-e', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  )
  if (isThere) return undefined
  const isShallow = await git(['rev-parse', '--is-shallow-repository']).then(
    (answer) => answer.trim() === 'true',
    () => false,
  )
  const short = commit.slice(0, 12)
  return isShallow
    ? `commit ${short} is not in this clone, which is shallow; get it: git fetch --unshallow`
    : `commit ${short} is not in this clone: it was not fetched (git fetch --all), or was rebased away and collected`
}

/** As a whole; where git refuses that, file by file. @returns what did not go in */
async function applyPatch(git: Git, patch: Buffer, file: string): Promise<{ path: string; text: string }[]> {
  const apply = async (bytes: Buffer): Promise<boolean> => {
    await writeFile(file, bytes)
    return git([...PLAIN, 'apply', '--cached', '--whitespace=nowarn', file]).then(
      () => true,
      () => false,
    )
  }
  if (patch.length === 0 || (await apply(patch))) return []
  const left: { path: string; text: string }[] = []
  // One character per byte: sources may be in any encoding. A line of content never begins with this word.
  for (const part of patch.toString('latin1').split(/^(?=diff --git )/m)) {
    const bytes = Buffer.from(part, 'latin1')
    if (!(await apply(bytes))) left.push({ path: pathOf(bytes.toString('utf8')), text: bytes.toString('utf8') })
  }
  return left
}

/** Of the header `diff --git a/PATH b/PATH`, whose halves are alike. */
function pathOf(part: string): string {
  const [header = ''] = part.slice('diff --git '.length).split('\n')
  return header
    .slice(0, (header.length - 1) / 2)
    .replace(/^"?a\//, '')
    .replace(/"$/, '')
}
