/**
 * What running services made of a stage: who serves the version that it points to, who keeps another one and why. From
 * their hints (docs/store-format.md, section 4), which are claims of theirs: told to people, and nothing is decided by them.
 */
import type { Context } from '../../core/context.ts'
import type { StageEntry } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { ServingHint, Store } from '../../store/store.ts'
import { type Remedy, remedyOf } from './remedy.ts'

/**
 * `follows`: serves what the stage wants. `keeps`: knows what it wants, and serves another version. `behind`: has not read
 * the stage as it is now. `starting`: serves nothing. `silent`: has missed three beats: gone, or hanging.
 */
export type Follow = 'follows' | 'keeps' | 'behind' | 'starting' | 'silent'

export interface Service {
  readonly instance: string
  readonly host: string
  readonly verdict: Follow
  /** The version that answers; null while none does. */
  readonly version: number | null
  /** The version that gets a part of its traffic, and how much. */
  readonly rollout: { readonly version: number; readonly weight: number } | null
  /** Why another version answers, in its own words. */
  readonly why: string | null
  /** When it said so. RFC 3339. */
  readonly time: string
}

export interface Services {
  /** Those that do not follow first, then by name. */
  readonly services: readonly Service[]
  /** Of the running ones: silent ones are not counted. */
  readonly running: number
  readonly following: number
  /** `none`: what was moved is served by nobody, and what was there may go on answering. */
  readonly followed: 'all' | 'some' | 'none'
  /** What to do about those that do not follow; null where all do. */
  readonly remedy: Remedy | null
  /** Seconds that were waited for. */
  readonly waited: number
}

/** @param hints of any stage; those that say goodbye are left out */
export function servicesOf(entry: StageEntry, stage: string, hints: readonly ServingHint[]): Service[] {
  return hints
    .filter((hint) => hint.stage === stage && hint.state !== 'draining')
    .map((hint) => ({
      instance: hint.instance,
      host: hint.host,
      verdict: followOf(entry, hint),
      version: hint.serving?.version ?? null,
      rollout: hint.rollout === null ? null : { version: hint.rollout.version, weight: hint.rollout.weight },
      why: hint.why,
      time: hint.time,
    }))
    .sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || (a.instance < b.instance ? -1 : 1))
}

const ORDER: readonly Follow[] = ['keeps', 'behind', 'starting', 'silent', 'follows']

/** Those that have lately said something. */
export const runningOf = (services: readonly Service[]): Service[] =>
  services.filter(({ verdict }) => verdict !== 'silent')

function followOf({ manifest, rollout, seq }: StageEntry, hint: ServingHint): Follow {
  if (hint.silent === true) return 'silent'
  const knows = hint.wanted !== null && hint.wanted.seq >= seq
  const isRight = hint.serving?.manifest === manifest
  // It gives all traffic to the right version: what it kept out was the version of a rollout that has ended.
  if (isRight && knows && rollout === undefined && hint.rollout === null) return 'follows'
  if (hint.state === 'keeping' && knows) return 'keeps'
  if (hint.serving === null) return 'starting'
  if (!isRight) return knows ? 'keeps' : 'behind'
  // The same version again, or another share of the traffic: it answers rightly and has not read it yet.
  return knows && (hint.rollout?.seq ?? null) === (rollout?.seq ?? null) ? 'follows' : 'behind'
}

/** Services look at the stage five times a second. */
const PAUSE_MS = 100

/**
 * Waits until every running service has read the stage as it is now, and follows or says why not.
 * @param wait milliseconds at most; 0: looks once
 * @returns undefined where no service says anything: then nothing is waited for
 */
export async function awaitServices(
  ctx: Context,
  store: Store,
  state: Pick<ModelState, 'model'>,
  stage: string,
  wait: number,
): Promise<Services | undefined> {
  // By a clock that nobody sets: how long to wait is no matter of the time of day.
  const began = performance.now()
  const waited = (): number => performance.now() - began
  for (;;) {
    const now = await store.models.state(state.model)
    const entry = now.stages[stage]
    const hints = await store.serving.list(state.model)
    if (entry === undefined) return undefined
    const services = servicesOf(entry, stage, hints)
    if (services.length === 0) return undefined
    const isSettled = runningOf(services).every(({ verdict }) => verdict === 'follows' || verdict === 'keeps')
    if (isSettled || waited() >= wait || ctx.signal?.aborted === true) {
      return { ...summed(state.model, entry, services), waited: Number((waited() / 1000).toFixed(1)) }
    }
    const { setTimeout } = await import('node:timers/promises')
    await setTimeout(PAUSE_MS, undefined, ctx.signal === undefined ? {} : { signal: ctx.signal }).catch(() => {})
  }
}

function summed(model: string, entry: StageEntry, services: readonly Service[]): Omit<Services, 'waited'> {
  const running = runningOf(services).length
  const following = services.filter(({ verdict }) => verdict === 'follows').length
  const followed = following === 0 ? 'none' : following === running ? 'all' : 'some'
  const remedy = followed === 'all' ? null : remedyOf(model, entry, services)
  return { services, running, following, followed, remedy }
}

/** The same, after what is done is done: what cannot be read of hints must not make it look undone. */
export async function tellServices(
  ctx: Context,
  store: Store,
  state: Pick<ModelState, 'model'>,
  stage: string,
  wait: number | undefined,
): Promise<Services | undefined> {
  if (wait === undefined) return undefined
  return awaitServices(ctx, store, state, stage, wait).catch((error: Error) => {
    ctx.warn(`What the running services serve cannot be read: ${error.message}`)
    return undefined
  })
}
