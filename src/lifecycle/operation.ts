/**
 * What promote and rollback share: the name of an operation, repeating it safely, and the compare-and-swap loop.
 * What moves, and whether it may, is decided by the plans.
 */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { conflict, notFound, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { ulid } from '../core/ulid.ts'
import type { Project } from '../project/config.ts'
import type { EventDraft, ModelEvent } from '../store/events.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'

/** Who pointed a stage where it points, and when. */
export interface Standing {
  readonly version: number
  readonly manifest: Digest
  /** The event that set it: what a move expects to find. */
  readonly seq: number
  readonly since: string
  readonly by: string
}

/** @returns the stage as it stands, or null while no version is in it */
export function standing(state: ModelState, stage: string): Standing | null {
  const entry = Object.hasOwn(state.stages, stage) ? state.stages[stage] : undefined
  if (entry === undefined) return null
  const event = eventAt(state, entry.seq)
  return {
    version: entry.version,
    manifest: entry.manifest,
    seq: entry.seq,
    since: event?.time ?? '',
    by: event?.actor.name ?? '',
  }
}

export const eventAt = (state: ModelState, seq: number): ModelEvent | undefined => state.events[seq - 1]

/** @throws usage `STAGE_UNKNOWN` with the nearest name */
export function assertStage(project: Project, stage: string): void {
  const { stages } = project.config
  if (stages.includes(stage)) return
  const close = nearest(stage, stages)
  throw usage({
    code: 'STAGE_UNKNOWN',
    message: `There is no stage ${JSON.stringify(stage)}; there are ${stages.join(', ')}.`,
    hint:
      close === undefined
        ? `To have another, write in mlops.yaml: stages: [${[...stages, 'NAME'].join(', ')}]`
        : `Did you mean ${close}?`,
    details: { stage, stages },
  })
}

/** How an operation is recorded, and found again when it is repeated. */
export interface Operation {
  readonly opId: string
  readonly request: Digest
}

/** @param asked what was asked for, in the user's terms; the same key with another request is a conflict */
export function operation(ctx: Context, key: string | undefined, asked: Record<string, unknown>): Operation {
  return { opId: key ?? ulid(ctx.now().getTime()), request: sha256(canonicalJson(asked)) }
}

/** The event of an earlier run of the same operation. @throws conflict `IDEMPOTENCY_MISMATCH` */
export function repeated(state: ModelState, { opId, request }: Operation): ModelEvent | undefined {
  const event = state.events.find(({ op_id }) => op_id === opId)
  if (event === undefined || event.request === request) return event
  throw conflict({
    code: 'IDEMPOTENCY_MISMATCH',
    message: `The idempotency key ${JSON.stringify(opId)} was used for another request: event ${event.seq} (${event.type}) of ${state.model}, ${event.time}.`,
    hint: 'Use a new key for a new request.',
    details: { seq: event.seq, type: event.type, time: event.time },
  })
}

/** What a repeated job must know: its move stands in the log, but the stage has been moved on. */
export function movedOnSince(state: ModelState, stage: string, event: ModelEvent): string | undefined {
  const now = standing(state, stage)
  if (now === null || now.seq === event.seq) return undefined
  return `This was done at ${event.time}, with the same idempotency key. Since then ${now.by} moved ${stage} to ${versionName(state.model, now.version)}, at ${now.since}: that is there now.`
}

/** A plan as far as a retry must find it unchanged: how it is compared, and the event it becomes. */
export interface Move {
  readonly stage: string
  readonly from: Standing | null
  /** Canonical text of everything that was decided. */
  readonly essence: string
  readonly draft: EventDraft
}

/**
 * Commits a move. When somebody else took the next place in the log, the move is planned again on the new state and
 * applied only if nothing about it changed.
 * @throws conflict `STAGE_MOVED`, `PLAN_CHANGED`
 */
export async function commitMove(
  store: Store,
  start: ModelState,
  move: Move,
  planAgain: (state: ModelState) => Promise<string>,
): Promise<ModelEvent> {
  let state = start
  for (;;) {
    const outcome = await store.models.commit(state, move.draft)
    if (outcome.kind !== 'lost') return outcome.event
    state = outcome.state
    const now = standing(state, move.stage)
    if (now?.seq !== move.from?.seq) throw movedMeanwhile(state, move, now)
    if ((await planAgain(state)) !== move.essence) throw changedMeanwhile(state, move)
  }
}

/** Somebody else was faster: who, to what and when. */
export function movedMeanwhile(state: ModelState, { stage, from }: Pick<Move, 'stage' | 'from'>, now: Standing | null) {
  const was = from === null ? 'empty' : versionName(state.model, from.version)
  const is = now === null ? 'empty' : versionName(state.model, now.version)
  return conflict({
    code: 'STAGE_MOVED',
    message: `${now?.by ?? 'Somebody'} moved ${stage} of ${state.model} from ${was} to ${is} at ${now?.since ?? 'an unknown time'}, while this was being done. Nothing was changed by you.`,
    hint: `Look first, then decide again: mlops model history ${state.model}`,
    details: { model: state.model, stage, expected: from, found: now },
  })
}

export function changedMeanwhile(state: ModelState, { stage, from }: Pick<Move, 'stage' | 'from'>) {
  const last = state.events.at(-1)
  return conflict({
    code: 'PLAN_CHANGED',
    message: `${last?.actor.name ?? 'Somebody'} changed ${state.model} (event ${state.head}, ${last?.type ?? 'unknown'}), so that the plan no longer holds. Nothing was changed by you.`,
    hint: `Look first, then decide again: mlops model history ${state.model}`,
    details: { model: state.model, stage, expected: from, head: state.head },
  })
}

/** The version of a number. @throws notFound `VERSION_NOT_FOUND` */
export function versionAt(state: ModelState, number: number): VersionState {
  const found = state.versions[number - 1]
  if (found !== undefined) return found
  throw notFound({
    code: 'VERSION_NOT_FOUND',
    message: `${state.model} has no version ${number}.`,
    hint: `See them: mlops model history ${state.model}`,
  })
}
