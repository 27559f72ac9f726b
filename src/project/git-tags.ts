/**
 * What a move of a stage leaves in the project's git repository: an annotated tag for the version and one for the move,
 * named so that GTO (`gto show`, `gto history`) and workflows that wait for such tags read them. Never pushed.
 *
 *   churn-model@v3.0.0              version 3, on the commit it was trained from; GTO wants a semantic version
 *   churn-model#production#7        event 7 of the model moved production to the version on that commit
 *
 * GTO knows a version by its commit alone, and stops altogether when a model has two versions on one. So where another
 * version has that commit already, which is usual when only the data are new, the tag gets a commit of its own: the same
 * tree, on top of it. Git keeps time in seconds and GTO orders by it, so no two tags of a model have the same second.
 */
import type { Context } from '../core/context.ts'
import { versionName } from '../core/names.ts'
import type { Project } from './config.ts'
import { type Git, openGit, whyNone } from './git-run.ts'

export interface MoveToTag {
  readonly model: string
  readonly version: number
  /** Digest of the version's manifest. */
  readonly manifest: string
  /** When the version was registered. RFC 3339. */
  readonly registered: string
  /** The commit it was trained from, as its run recorded it. */
  readonly commit: string | null
  readonly stage: string
  /** The event that moved the stage. */
  readonly seq: number
  readonly time: string
  readonly kind: 'promote' | 'rollback'
  readonly by: string
  readonly reason: string | undefined
}

export type Tagged =
  /** The tags that were made now. */
  | { readonly kind: 'tagged'; readonly tags: readonly string[] }
  /** One sentence. */
  | { readonly kind: 'none'; readonly reason: string }

export const versionTag = (model: string, version: number): string => `${model}@v${version}.0.0`
export const stageTag = (model: string, stage: string, seq: number): string => `${model}#${stage}#${seq}`

/** Never throws: the stage has moved, whatever git says. */
export async function tagPromotion(ctx: Context, project: Project, move: MoveToTag): Promise<Tagged> {
  try {
    const repository = new Repository(ctx, project.root)
    const tags = await repository.tagsOf(move.model)
    return await leaveTags(repository, tags, move)
  } catch (error) {
    return { kind: 'none', reason: whyNot(error) }
  }
}

interface Tag {
  readonly name: string
  /** Only those can say who and when, and only those are read by GTO. */
  readonly annotated: boolean
  /** The commit it leads to. */
  readonly commit: string
  /** Seconds since 1970. */
  readonly time: number
}

async function leaveTags(repository: Repository, tags: readonly Tag[], move: MoveToTag): Promise<Tagged> {
  const { model, version, stage, seq, time } = move
  const made: string[] = []
  const name = versionTag(model, version)
  let known = tags.find((tag) => tag.name === name)
  if (known !== undefined) {
    const isOurs = known.annotated && (await repository.message(name)).includes(manifestLine(move))
    if (!isOurs) return { kind: 'none', reason: `there is a tag ${name} already that is not of this version` }
  } else {
    const commit = await commitFor(repository, tags, move)
    if (typeof commit !== 'string') return { kind: 'none', reason: commit.missing }
    const registered = secondsOf(move.registered)
    await repository.tag(name, commit, registered, `${versionName(model, version)}\n\n${manifestLine(move)}`)
    known = { name, annotated: true, commit, time: registered }
    made.push(name)
  }
  const moved = stageTag(model, stage, seq)
  const there = tags.find((tag) => tag.name === moved)
  if (there === undefined) {
    const newest = Math.max(known.time, ...tags.filter(({ name: each }) => each.includes('#')).map((tag) => tag.time))
    await repository.tag(moved, known.commit, Math.max(secondsOf(time), newest + 1), moveMessage(move))
    made.push(moved)
  } else if (there.commit !== known.commit) {
    return { kind: 'none', reason: `there is a tag ${moved} already, on another commit` }
  }
  return { kind: 'tagged', tags: made }
}

const manifestLine = ({ manifest }: MoveToTag): string => `manifest ${manifest}`
const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000)

function moveMessage({ model, version, stage, seq, kind, by, reason }: MoveToTag): string {
  const head = `${kind === 'rollback' ? 'Roll back' : 'Promote'} ${versionName(model, version)} to ${stage}, event ${seq}`
  const why = reason === undefined ? '' : `: ${oneLine(reason)}`
  return `${head}\n\nby ${oneLine(by)}${why}`
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 500)

async function commitFor(
  repository: Repository,
  tags: readonly Tag[],
  { model, version, commit, registered }: MoveToTag,
): Promise<string | { readonly missing: string }> {
  if (commit === null) return { missing: `the run of ${versionName(model, version)} recorded no commit` }
  const found = await repository.commit(commit)
  if (found === undefined) {
    return {
      missing: `commit ${commit.slice(0, 12)}, which ${versionName(model, version)} was trained from, is not in this repository (a shallow clone: git fetch --unshallow)`,
    }
  }
  const isTaken = tags.some((tag) => tag.annotated && tag.commit === found)
  if (!isTaken) return found
  return repository.commitOnTop(
    found,
    secondsOf(registered),
    `${versionName(model, version)}: the code of ${found.slice(0, 12)}`,
  )
}

/** Of the caller's environment: who makes the tags, where git's configuration does not say it. */
const IDENTITY = ['GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'EMAIL'] as const
/** Signing could ask for a passphrase. */
const PLAIN = ['-c', 'tag.gpgSign=false', '-c', 'commit.gpgSign=false']

class Repository {
  readonly #ctx: Context
  readonly #root: string

  constructor(ctx: Context, root: string) {
    this.#ctx = ctx
    this.#root = root
  }

  async tagsOf(model: string): Promise<Tag[]> {
    const git = await this.#git()
    const format = '%(refname:strip=2) %(objecttype) %(objectname) %(*objectname) %(taggerdate:unix)'
    const text = await git(['for-each-ref', `--format=${format}`, `refs/tags/${model}@v*`, `refs/tags/${model}#*`])
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [name = '', type = '', object = '', peeled = '', time = ''] = line.split(' ')
        const annotated = type === 'tag'
        return { name, annotated, commit: annotated ? peeled : object, time: Number(time) || 0 }
      })
  }

  async message(tag: string): Promise<string> {
    return (await this.#git())(['for-each-ref', '--format=%(contents)', `refs/tags/${tag}`])
  }

  /** The whole id of a commit that is here. @param id what a record says, which may be anything */
  async commit(id: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{7,64}$/.test(id)) return undefined
    try {
      return (await (await this.#git())(['rev-parse', '--verify', '--quiet', `${id}^{commit}`])).trim() || undefined
    } catch {
      return undefined
    }
  }

  /** A commit with the tree of `parent`, on top of it and on no branch. */
  async commitOnTop(parent: string, time: number, message: string): Promise<string> {
    const git = await this.#git({ GIT_COMMITTER_DATE: `${time} +0000`, GIT_AUTHOR_DATE: `${time} +0000` })
    return (await git([...PLAIN, 'commit-tree', `${parent}^{tree}`, '-p', parent, '-m', message])).trim()
  }

  async tag(name: string, commit: string, time: number, message: string): Promise<void> {
    const git = await this.#git({ GIT_COMMITTER_DATE: `${time} +0000` })
    await git([...PLAIN, 'tag', '--annotate', '--message', message, name, commit])
  }

  #git(more: Readonly<Record<string, string>> = {}): Promise<Git> {
    const { env } = this.#ctx
    const identity = IDENTITY.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]))
    return openGit(this.#root, env, { ...Object.fromEntries(identity), ...more })
  }
}

function whyNot(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (/tell me who you are|empty ident name|no email was given|auto-detect email/i.test(text)) {
    return 'git does not know who you are (git config user.name and user.email)'
  }
  return whyNone(error)
}
