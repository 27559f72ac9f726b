/**
 * A store that a team shares as a branch (docs/git-store.md). Everything is read from the folder, as ever; what must
 * have one winner is decided by a push, and only what was accepted is put into the folder:
 *
 *   commit upon the branch as it was last seen -> push that only succeeds upon that -> put into place here
 *
 * A refused push means that somebody was faster: take over what they did, and look whether the place is still free.
 * Killed at any instant, this leaves the branch before or after, and a folder that the next command brings up to it.
 */
import { setTimeout } from 'node:timers/promises'
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import type { Appender, Backend, PublishOptions, Staged, Stat } from './backend.ts'
import { isFull } from './failures.ts'
import type { FileEntry } from './files.ts'
import { carriedAs } from './git-carried.ts'
import { type Git, type GitRoom, readKnownHead, withGit, writeKnownHead } from './git-dir.ts'
import { elsewhere } from './git-elsewhere.ts'
import { fetchBranch, isIn, newCommits } from './git-fetch.ts'
import { claimStat } from './git-heartbeat.ts'
import { newObjects, objectsOfRecord } from './git-objects.ts'
import { acceptedNotHere, diverged, noBranch, pushRefused, remoteBusy, remoteUnsure } from './git-problems.ts'
import { fractionIn, push, writeCommit } from './git-push.ts'
import { additions, takeOver } from './git-takeover.ts'
import { releaseReserve } from './reserve.ts'
import { openSealed } from './sealed.ts'

export interface GitBackendOptions extends GitRoom {
  readonly actor: Actor
  readonly now: () => Date
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  /** Milliseconds that the remote may say nothing, when it is asked. */
  readonly silence: number
  /** Tests end the process between two steps. */
  readonly step?: ((name: string) => void) | undefined
}

/** Milliseconds that the remote may say nothing while a push is under way: its hooks may be slow. */
const PUSH_SILENCE = 120_000
const TRIES = 200
/** Milliseconds after which a process that goes on reading asks the remote again. */
const ASK_AGAIN = 60_000

export class GitBackend implements Backend {
  readonly root: string
  readonly newer: number | undefined
  readonly #local: Backend
  /** Brings in what others did, also for a command that only reads. */
  readonly #taking: Backend
  readonly #options: GitBackendOptions
  #head: string | undefined
  /** Milliseconds since 1970 when the remote was asked last, whatever it said. */
  #asked = 0
  #answered = false
  /** One conversation with the remote at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(local: Backend, taking: Backend, options: GitBackendOptions) {
    this.root = local.root
    this.newer = local.newer
    this.#local = local
    this.#taking = taking
    this.#options = options
    this.#head = readKnownHead(local.root)?.commit
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#local.get(key)
  }

  getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#local.getMany(keys)
  }

  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#local.read(key)
  }

  stat(key: string): Promise<Stat | undefined> {
    return key.endsWith('/alive') && key.startsWith('models/') ? claimStat(this.#local, key) : this.#local.stat(key)
  }

  async list(folder: string): Promise<FileEntry[]> {
    if (this.#answered && folder.startsWith('models/') && this.#isOld()) await this.#askAgain()
    return this.#local.list(folder)
  }

  async stage(): Promise<Staged> {
    const staged = await this.#local.stage()
    return {
      write: (bytes) => staged.write(bytes),
      discard: () => staged.discard(),
      replace: (key) => staged.replace(key),
      async publish(key: string, options?: PublishOptions) {
        const kind = carriedAs(key)
        // Objects wait here for the event that refers to them: its push carries them.
        if (kind === undefined || kind === 'object') return staged.publish(key, options)
        await staged.discard()
        throw failed({
          code: 'STORE_NOT_PUSHED',
          message: `${key} belongs to the shared branch and was to be put beside it.`,
          hint: 'This is a bug in mlops; please report it',
        })
      },
    }
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const kind = carriedAs(key)
    if (kind === undefined || kind === 'object') return this.#local.putIfAbsent(key, bytes)
    return this.#inTurn(() => this.#decide(key, Buffer.from(bytes)))
  }

  settle(key: string): Promise<void> {
    return this.#local.settle(key)
  }

  sync(key: string): Promise<void> {
    return this.#local.sync(key)
  }

  appender(key: string): Promise<Appender> {
    return this.#local.appender(key)
  }

  touch(key: string, time: Date): Promise<void> {
    return this.#local.touch(key, time)
  }

  remove(key: string): Promise<boolean> {
    return this.#local.remove(key)
  }

  refuseLinks(folder: string): Promise<void> {
    return this.#local.refuseLinks(folder)
  }

  whyMissing(digest: Digest): Promise<MlopsError | undefined> {
    return elsewhere(this.#local, this.#options.sharing, digest)
  }

  path(key: string): string {
    return this.#local.path(key)
  }

  /**
   * Asks the remote and takes over what is new.
   * @throws failed `STORE_REMOTE_DOWN`, `STORE_REMOTE_REWRITTEN`, `STORE_REMOTE_DAMAGED`, `STORE_DIVERGED`,
   *   `STORE_BRANCH_MISSING`
   */
  refresh(): Promise<void> {
    return this.#inTurn(() => withGit(this.#options, (git) => this.#catchUp(git)))
  }

  async #decide(key: string, bytes: Buffer): Promise<boolean> {
    if ((await this.#local.stat(key)) !== undefined) return false
    // First: a store that was opened for reading says so before anything is sent.
    await this.#local.refuseLinks(key.slice(0, key.lastIndexOf('/')))
    const wanted = await objectsOfRecord(this.#local, bytes)
    return withGit(this.#options, async (git) => {
      // Without an answer at the start, nothing is sent: then the refusal is certain.
      if (!this.#answered) await this.#catchUp(git)
      const sent: string[] = []
      for (let tries = 0; tries < TRIES; tries++) {
        if ((await this.#local.stat(key)) !== undefined) return this.#isOurs(git, sent)
        const outcome = await this.#send(git, key, bytes, wanted, sent)
        if (outcome === undefined) return true
        await this.#catchUpAfter(git, outcome)
        if (await this.#isOurs(git, sent)) return true
        // Among many writers one gets on each time; the others spread out.
        await setTimeout(Math.random() * Math.min(2000, 40 * (tries + 1)))
      }
      throw remoteBusy(this.#options.sharing, TRIES)
    })
  }

  /** One commit and one push. @returns undefined when it was accepted and stands in the folder, else what was said */
  async #send(
    git: Git,
    key: string,
    bytes: Buffer,
    wanted: readonly string[],
    sent: string[],
  ): Promise<{ readonly kind: 'refused' | 'unknown'; readonly why: string } | undefined> {
    const { sharing, actor, now, progress } = this.#options
    const base = this.#head
    if (base === undefined) throw noBranch(sharing)
    const objects = await newObjects(git, this.#local, base, wanted)
    this.#step('looked')
    const made = await writeCommit(git, {
      files: [...objects, { key, size: bytes.length, bytes: () => [bytes] }],
      message: messageOf(key, bytes),
      actor,
      time: now(),
      base,
    })
    if ('why' in made) throw commitFailed(this.root, made.why)
    sent.push(made.commit)
    this.#step('committed')
    const line = (text: string): void => progress?.(`sending to ${sharing.remote}`, fractionIn(text))
    const outcome = await push(git, sharing, made.commit, base, { silence: PUSH_SILENCE, line })
    this.#step(outcome.kind)
    if (outcome.kind !== 'accepted') return outcome
    await this.#putAccepted(key, bytes)
    this.#step('linked')
    await this.#remember(made.commit)
    this.#step('remembered')
    return undefined
  }

  /** It stands for everybody: only this folder lacks it, and the room that was set aside is there for that. */
  async #putAccepted(key: string, bytes: Buffer): Promise<void> {
    const attempt = async (): Promise<void> => {
      // Another process of this folder may have taken it over meanwhile.
      if (await this.#local.putIfAbsent(key, bytes)) return
      if ((await this.#local.get(key))?.equals(bytes) === false) throw diverged(this.#options.sharing, this.path(key))
    }
    try {
      await attempt().catch(async (error: unknown) => {
        if (!isFull(error) || !(await releaseReserve(this.#local))) throw error
        await attempt()
      })
    } catch (error) {
      throw acceptedNotHere(this.#options.sharing, this.path(key), error)
    }
  }

  /** After a push without success: what is the branch now? */
  async #catchUpAfter(
    git: Git,
    outcome: { readonly kind: 'refused' | 'unknown'; readonly why: string },
  ): Promise<void> {
    const { sharing } = this.#options
    const before = this.#head
    try {
      await this.#catchUp(git)
    } catch (error) {
      if (outcome.kind === 'refused' || (error as { code?: unknown }).code !== 'STORE_REMOTE_DOWN') throw error
      throw remoteUnsure(sharing, outcome.why)
    }
    const nobodyElse = this.#head === before && outcome.kind === 'refused'
    if (nobodyElse && !RACE.test(outcome.why)) throw pushRefused(sharing, outcome.why)
  }

  /** A push whose answer was lost may have been ours all the same. */
  async #isOurs(git: Git, sent: readonly string[]): Promise<boolean> {
    const head = this.#head
    for (const commit of sent) if (head !== undefined && (await isIn(git, commit, head))) return true
    return false
  }

  async #catchUp(git: Git): Promise<void> {
    const { sharing, now, progress, silence } = this.#options
    const known = readKnownHead(this.root)?.commit ?? this.#head
    this.#asked = now().getTime()
    this.#answered = false
    const line = (text: string): void => progress?.(`asking ${sharing.remote}`, fractionIn(text))
    const head = await fetchBranch(git, sharing, known, { silence, line })
    if (head === undefined) throw noBranch(sharing)
    this.#step('fetched')
    const commits = await newCommits(git, sharing, known, head)
    await takeOver({ git, sharing, local: this.#taking, progress }, await additions(git, sharing, commits))
    this.#step('taken over')
    await this.#remember(head)
    this.#answered = true
  }

  async #remember(commit: string): Promise<void> {
    this.#head = commit
    await writeKnownHead(this.root, this.#options.sharing, commit, this.#options.now().getTime())
  }

  #isOld(): boolean {
    return this.#options.now().getTime() - this.#asked > ASK_AGAIN
  }

  /** A process that runs for long hears of others; one that cannot goes on with what it knows. */
  async #askAgain(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.#isOld()) return
      await withGit(this.#options, (git) => this.#catchUp(git)).catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== 'STORE_REMOTE_DOWN') throw error
      })
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => {})
    return mine
  }

  #step(name: string): void {
    this.#options.step?.(name)
  }
}

/** What the server says when another push holds the branch at that moment, or has just moved it. */
const RACE =
  /stale info|fetch first|non-fast-forward|lock|failed to update ref|incorrect old value|reference already exists|internal/i

const commitFailed = (root: string, why: string): Error =>
  failed({
    // The same as for a full disk of a store in one folder: the reserve is given up for a move of production.
    code: /no space left|disk quota/i.test(why) ? 'STORE_FULL' : 'STORE_IO',
    message: `Could not write the commit for the shared branch into ${root}: ${why}. Nothing was changed.`,
    hint: `See what is used: df -h ${root}`,
  })

/** For `git log`: `churn-model 4: promote`. */
function messageOf(key: string, bytes: Buffer): string {
  const record = openSealed(bytes)
  const [top, model = '', kind = ''] = key.split('/')
  const number = /(\d{10})\.json$/.exec(key)?.[1]
  const what = number === undefined ? '' : ` ${Number(number)}`
  if (top !== 'models') return `${top}${what}: ${String(record?.type ?? '')}`
  return kind === 'log'
    ? `${model}${what}: ${String(record?.type ?? '')}`
    : `${model}: ${key.split('/').slice(2).join('/')}`
}
