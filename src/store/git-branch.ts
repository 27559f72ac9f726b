/**
 * The conversation with the branch that a store is shared as: catching up with it, and deciding who has a place in it
 * (docs/git-store.md). The protocol, and nothing of what the files mean.
 *
 *   commit upon the branch as it was last seen -> push that only succeeds upon that -> put into place here
 *
 * A refused push means that somebody was faster: take over what they did, and look whether the place is still free.
 * Killed at any instant, this leaves the branch before or after, and a folder that the next command brings up to it.
 */
import { setTimeout } from 'node:timers/promises'
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import type { Backend, Put } from './backend.ts'
import { explained, isFull } from './failures.ts'
import { MAX_CARRIED_BYTES } from './git-carried.ts'
import { type Git, type GitRoom, readKnownHead, withGit, writeKnownHead } from './git-dir.ts'
import { fetchBranch, isIn, newCommits } from './git-fetch.ts'
import { newObjects, objectsOfRecord } from './git-objects.ts'
import {
  acceptedNotHere,
  diverged,
  gitFailedHere,
  noBranch,
  pushRefused,
  remoteBusy,
  remoteUnsure,
} from './git-problems.ts'
import { fractionIn, type Pushed, push, writeCommit } from './git-push.ts'
import { additions, takeOver } from './git-takeover.ts'
import type { Reference } from './references.ts'
import { releaseReserve } from './reserve.ts'
import { openSealed } from './sealed.ts'

export interface BranchOptions extends GitRoom {
  readonly actor: Actor
  readonly now: () => Date
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
  readonly warn?: ((message: string) => void) | undefined
  /** Milliseconds that the remote may say nothing, when it is asked. */
  readonly silence: number
  /** Tests end the process between two steps. */
  readonly step?: ((name: string) => void) | undefined
}

/** Milliseconds that the remote may say nothing while a push is under way: its hooks may be slow. */
const PUSH_SILENCE = 120_000
const TRIES = 200
/** Refusals in a row after which a branch that nobody moves is taken for one that may not be moved. */
const STILL = { refused: 8, unknown: 2 } as const
/** Milliseconds after which a process that goes on reading asks the remote again. */
const ASK_AGAIN = 60_000

type NotAccepted = Exclude<Pushed, { readonly kind: 'accepted' }>

export class GitBranch {
  readonly #local: Backend
  /** Brings in what others did, also for a command that only reads. */
  readonly #taking: Backend
  readonly #options: BranchOptions
  #head: string | undefined
  /** Milliseconds since 1970 when the remote was asked last, whatever it said. */
  #asked = 0
  #answered = false
  /** One conversation with the remote at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(local: Backend, taking: Backend, options: BranchOptions) {
    this.#local = local
    this.#taking = taking
    this.#options = options
    this.#head = readKnownHead(local.root)?.commit
  }

  /**
   * Asks the remote and takes over what is new.
   * @throws failed `STORE_REMOTE_DOWN`, `STORE_REMOTE_REWRITTEN`, `STORE_REMOTE_DAMAGED`, `STORE_DIVERGED`,
   *   `STORE_BRANCH_MISSING`
   */
  refresh(): Promise<void> {
    return this.#inTurn(() => withGit(this.#options, (git) => this.#catchUp(git)))
  }

  /** A process that runs for long hears of others now and then; where it cannot, it goes on with what it knows. */
  async refreshIfOld(): Promise<void> {
    if (!this.#answered || !this.#isOld()) return
    await this.#inTurn(async () => {
      if (!this.#isOld()) return
      await withGit(this.#options, (git) => this.#catchUp(git)).catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== 'STORE_REMOTE_DOWN') throw error
      })
    })
  }

  /**
   * Puts all of these into the branch and the folder, with the objects that they name, unless something is in one of
   * the places. @returns false when somebody else has one. @throws as `refresh`, and failed `STORE_PUSH_REFUSED`,
   *   `STORE_REMOTE_UNSURE`, `STORE_UNSURE`; conflict `STORE_REMOTE_BUSY`
   */
  decide(puts: readonly Put[]): Promise<boolean> {
    return this.#inTurn(() => this.#decide(puts))
  }

  async #decide(puts: readonly Put[]): Promise<boolean> {
    if (await this.#isTaken(puts)) return false
    // First: a store that was opened for reading says so before anything is sent.
    for (const { key } of puts) await this.#local.refuseLinks(key.slice(0, key.lastIndexOf('/')))
    const objects = await objectsOfRecord(this.#local, Buffer.concat(puts.map(({ bytes }) => bytes)))
    return withGit(this.#options, async (git) => {
      // Without an answer at the start, nothing is sent: then the refusal is certain.
      if (!this.#answered) await this.#catchUp(git)
      const sent: string[] = []
      let still = 0
      for (let tries = 0; tries < TRIES; tries++) {
        if (await this.#isTaken(puts)) return this.#isOurs(git, sent)
        const outcome = await this.#send(git, puts, objects.carried, sent)
        if (outcome === undefined) {
          if (puts.some(({ bytes }) => openSealed(bytes)?.type === 'register')) this.#tellOf(objects.tooLarge)
          return true
        }
        still = (await this.#catchUpAfter(git, outcome)) ? 0 : still + 1
        if (await this.#isOurs(git, sent)) return true
        // Nobody was faster, again and again: it is not a race that is lost.
        if (still > STILL[outcome.kind]) {
          throw (outcome.kind === 'refused' ? pushRefused : remoteUnsure)(this.#options.sharing, outcome.why)
        }
        // Among many writers one gets on each time; the others spread out.
        await setTimeout(Math.random() * Math.min(2000, 40 * (tries + 1)))
      }
      throw remoteBusy(this.#options.sharing, TRIES)
    })
  }

  async #isTaken(puts: readonly Put[]): Promise<boolean> {
    for (const { key } of puts) if ((await this.#local.stat(key)) !== undefined) return true
    return false
  }

  #tellOf(tooLarge: readonly Reference[]): void {
    const { warn, sharing } = this.#options
    for (const { what } of tooLarge) {
      warn?.(
        `${what} is larger than ${MAX_CARRIED_BYTES >> 20} MB and does not travel in ${sharing.branch} of ${sharing.remote}: it is in this folder alone, and other clones cannot use what needs it`,
      )
    }
  }

  /** One commit and one push. @returns undefined when it was accepted and stands in the folder, else what was said */
  async #send(
    git: Git,
    puts: readonly Put[],
    wanted: readonly Digest[],
    sent: string[],
  ): Promise<NotAccepted | undefined> {
    const { sharing, actor, now, progress } = this.#options
    const base = this.#head
    if (base === undefined) throw noBranch(sharing)
    const objects = await newObjects(git, this.#local, base, wanted)
    this.#step('looked')
    const made = await writeCommit(git, {
      files: [...objects, ...puts.map(({ key, bytes }) => ({ key, size: bytes.length, bytes: () => [bytes] }))],
      message: puts.map(messageOf).join(', '),
      actor,
      time: now(),
      base,
    })
    if ('why' in made) throw gitFailedHere(this.#local.root, made.why)
    sent.push(made.commit)
    this.#step('committed')
    const line = (text: string): void => progress?.(`sending to ${sharing.remote}`, fractionIn(text))
    const outcome = await push(git, sharing, made.commit, base, { silence: PUSH_SILENCE, line })
    this.#step(outcome.kind)
    if (outcome.kind !== 'accepted') return outcome
    for (const put of puts) {
      await this.#putAccepted(put)
      this.#step('linked')
    }
    await this.#remember(made.commit)
    this.#step('remembered')
    return undefined
  }

  /** It stands for everybody: only this folder lacks it, and the room that was set aside is there for that. */
  async #putAccepted({ key, bytes }: Put): Promise<void> {
    const attempt = async (): Promise<void> => {
      // Another process of this folder may have taken it over meanwhile.
      if (await this.#local.putIfAbsent(key, bytes)) return
      if ((await this.#local.get(key))?.equals(bytes) === false)
        throw diverged(this.#options.sharing, this.#local.path(key))
    }
    try {
      await attempt().catch(async (error: unknown) => {
        if (!isFull(error) || !(await releaseReserve(this.#local))) throw error
        await attempt()
      })
    } catch (error) {
      throw acceptedNotHere(this.#options.sharing, this.#local.path(key), error)
    }
  }

  /** After a push without success: what is the branch now? @returns whether it has moved */
  async #catchUpAfter(git: Git, outcome: NotAccepted): Promise<boolean> {
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
    return this.#head !== before
  }

  /** A push whose answer was lost may have been ours all the same. */
  async #isOurs(git: Git, sent: readonly string[]): Promise<boolean> {
    const head = this.#head
    for (const commit of sent) if (head !== undefined && (await isIn(git, commit, head))) return true
    return false
  }

  async #catchUp(git: Git): Promise<void> {
    const { sharing, now, progress, silence } = this.#options
    const known = readKnownHead(this.#local.root)?.commit ?? this.#head
    this.#asked = now().getTime()
    this.#answered = false
    const line = (text: string): void => progress?.(`asking ${sharing.remote}`, fractionIn(text))
    const head = await fetchBranch(git, this.#options, known, { silence, line })
    if (head === undefined) throw noBranch(sharing)
    this.#step('fetched')
    const commits = await newCommits(git, sharing, known, head)
    await takeOver(
      { git, sharing, local: this.#taking, progress, step: this.#options.step },
      await additions(git, sharing, commits),
    )
    this.#step('taken over')
    await this.#remember(head)
    this.#answered = true
  }

  async #remember(commit: string): Promise<void> {
    this.#head = commit
    await writeKnownHead(this.#local.root, this.#options.sharing, commit, this.#options.now().getTime())
  }

  #isOld(): boolean {
    return this.#options.now().getTime() - this.#asked > ASK_AGAIN
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const explain = (): Promise<T> => explained(this.#local.root, 'write into the store', work)
    const mine = this.#turn.then(explain, explain)
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

/** For `git log`: `churn-model 4: promote`. */
function messageOf({ key, bytes }: Put): string {
  const record = openSealed(bytes)
  const [top, model = '', kind = ''] = key.split('/')
  const number = /(\d{10})\.json$/.exec(key)?.[1]
  const what = number === undefined ? '' : ` ${Number(number)}`
  if (top !== 'models') return `${top}${what}: ${String(record?.type ?? '')}`
  return kind === 'log'
    ? `${model}${what}: ${String(record?.type ?? '')}`
    : `${model}: ${key.split('/').slice(2).join('/')}`
}
