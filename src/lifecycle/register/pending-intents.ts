/**
 * What a run wished for, and whether the wish was granted: enough for `status`, which must load little. Granting one
 * is in `intents.ts`.
 *
 * Applied is an intent when the model's log says so: a version of that run, an event with the intent's operation id.
 * Only where the content was a version already, and so no event was written, a claim remembers it.
 */
import { canonicalJson } from '../../core/canonical-json.ts'
import { sha256 } from '../../core/digest.ts'
import { nameProblem } from '../../core/names.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Intent, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'

export interface PendingIntent {
  readonly run: string
  readonly model: string
  readonly kind: Intent['kind']
  /** The command to type. */
  readonly command: string
}

export type BaselineIntent = Extract<Intent, { kind: 'baseline' }>

/**
 * Intents of ended runs that nobody applied, in the order of `runs`.
 * @param runs which runs are looked at: `status` must be quick and names the newest only
 */
export async function pendingIntents(store: Store, runs: readonly string[]): Promise<PendingIntent[]> {
  const pending: PendingIntent[] = []
  for (const run of runs) {
    const intents = await store.runs.intents(run).catch(() => [])
    if (intents.length === 0) continue
    const folder = await store.runs.read(run).catch(() => undefined)
    if (folder?.end?.status !== 'finished' || (await isOfReproduction(store, folder.start))) continue
    for (const wish of wishesOf(intents)) {
      if (await isApplied(store, run, wish)) continue
      pending.push({ run, model: wish.model, kind: wish.kind, command: commandFor(run, wish) })
    }
  }
  return pending
}

/**
 * Is it a repetition of another run, or a run that one started? What its script wishes for was wished before, by the run
 * that it repeats.
 */
export async function isOfReproduction(store: Store, start: Pick<RunStart, 'reproduces' | 'parent'>): Promise<boolean> {
  let here = start
  for (let depth = 0; depth < 20; depth++) {
    if (here.reproduces !== undefined) return true
    if (here.parent === undefined) return false
    const folder = await store.runs.read(here.parent).catch(() => undefined)
    if (folder === undefined) return false
    here = folder.start
  }
  return false
}

/** What one run wants of one model: asked twice, the last word counts. */
export interface Wish {
  readonly kind: Intent['kind']
  readonly model: string
  readonly opId: (run: string) => string
  readonly baseline: BaselineIntent | undefined
}

export function wishesOf(intents: readonly Intent[]): Wish[] {
  const wishes = new Map<string, Wish>()
  for (const intent of intents) {
    const { kind, model } = intent
    const asked = canonicalJson(intent)
    const opId = (run: string): string => `intent-${sha256(`${run}\n${asked}`)}`
    wishes.set(`${kind} ${model}`, { kind, model, opId, baseline: kind === 'baseline' ? intent : undefined })
  }
  // Baselines first: a version of the same run may pass its gate because of it.
  return [...wishes.values()].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0))
}

export async function isApplied(store: Store, run: string, wish: Wish): Promise<boolean> {
  if (nameProblem(wish.model) !== undefined) return false
  const state = await store.models.stateOrEmpty(wish.model)
  if (state.events.some(({ op_id }) => op_id === wish.opId(run))) return true
  if (wish.baseline !== undefined && hasBaseline(state, wish.baseline)) return true
  if (wish.kind === 'register' && state.versions.some((version) => version.run?.id === run)) return true
  return (await store.claims.newest(wish.model, claimScope(run, wish))) !== undefined
}

export const hasBaseline = ({ baseline }: ModelState, { data }: BaselineIntent): boolean =>
  baseline?.data.sha256 === data.sha256

export const claimScope = (run: string, { kind }: Wish): string => `jobs/intent-${kind}-${run.toLowerCase()}`

export const commandFor = (run: string, { kind, model }: Pick<Wish, 'kind' | 'model'>): string =>
  kind === 'register' ? `mlops register ${model} --run ${run}` : `mlops run apply ${run}`

/** A wish as `run show` tells of it. */
export interface WishState {
  readonly kind: Intent['kind']
  readonly model: string
  /** `waiting`: its run has not ended. `not granted`: its run did not end well, or repeats another; nothing will be done. */
  readonly state: 'granted' | 'pending' | 'waiting' | 'not granted'
  /** What to type for a pending one. */
  readonly command: string | null
}

export async function wishStates(store: Store, run: string): Promise<WishState[]> {
  const [intents, { start, end }] = await Promise.all([store.runs.intents(run), store.runs.read(run)])
  const isRepeated = await isOfReproduction(store, start)
  const states: WishState[] = []
  for (const wish of wishesOf(intents)) {
    const { kind, model } = wish
    const open = end === undefined ? 'waiting' : end.status === 'finished' && !isRepeated ? 'pending' : 'not granted'
    const state = (await isApplied(store, run, wish)) ? 'granted' : open
    states.push({ kind, model, state, command: state === 'pending' ? commandFor(run, wish) : null })
  }
  return states
}
