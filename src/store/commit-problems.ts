/** Why an event cannot be committed, as errors. Kept apart so that `models.ts` reads as the protocol alone. */
import type { Digest } from '../core/digest.ts'
import { conflict, failed, type MlopsError, notFound, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { Backend } from './backend.ts'
import type { EventDraft, ModelEvent } from './events.ts'
import type { ModelState } from './fold.ts'
import { objectKey } from './layout.ts'
import { rolloutProblem } from './rollouts.ts'

/** @throws failed `EVENT_INVALID` for a draft that does not fit the state: a bug of the caller, stopped before it is history */
export function checkDraft(state: ModelState, draft: EventDraft): void {
  const next = state.versions.length + 1
  if (draft.type === 'register') {
    if (draft.body.version !== next)
      throw invalid(state, `it registers version ${draft.body.version}; the next is ${next}`)
  } else if (draft.type !== 'baseline') {
    const { version } = draft.body
    if (state.versions[version - 1] === undefined)
      throw invalid(state, `it is about version ${version}, which does not exist`)
  }
  if (draft.type === 'rollback') {
    const { stage, restores } = draft.body
    if (state.events[restores - 1]?.stages[stage]?.seq !== restores) {
      throw invalid(state, `event ${restores} did not set the stage ${stage}, so nothing can be restored from it`)
    }
  }
  const problem = rolloutProblem(state.stages, draft)
  if (problem !== undefined) throw invalid(state, problem)
}

export const modelNotFound = (model: string, models: readonly string[]): MlopsError => {
  const close = nearest(model, models)
  const hint =
    close !== undefined
      ? `Did you mean ${close}?`
      : models.length > 0
        ? 'See the models: mlops model list'
        : `Register its first version: mlops register ${model} --run @last, or: mlops register ${model} --artifact FILE --baseline DATA`
  return notFound({
    code: 'MODEL_NOT_FOUND',
    message: `There is no model ${model} in this store.`,
    hint,
    details: { model, models: models.slice(0, 50) },
  })
}

export const nameTaken = (backend: Backend, model: string, existing: string): MlopsError =>
  usage({
    code: 'NAME_TAKEN',
    message: `The store already has a folder ${backend.path(`models/${existing}`)}, which some file systems cannot tell from ${model}.`,
    hint: 'Choose another name, or move that folder away',
    details: { model, existing },
  })

export const idempotencyMismatch = (model: string, draft: EventDraft, event: ModelEvent): MlopsError =>
  conflict({
    code: 'IDEMPOTENCY_MISMATCH',
    message:
      `The idempotency key ${JSON.stringify(draft.op_id)} was used for another request: ` +
      `event ${event.seq} of ${model} (${event.type}, ${event.time}).`,
    hint: 'Use a new --idempotency-key for a new request',
    details: { model, op_id: draft.op_id, seq: event.seq, type: event.type },
  })

export const tooLarge = (draft: EventDraft, size: number): MlopsError =>
  usage({
    code: 'EVENT_TOO_LARGE',
    message: `The ${draft.type} event would have ${size} bytes; at most 65536 are allowed.`,
    hint: 'Shorten the message, the reason or the list of tags',
    details: { type: draft.type, size },
  })

export const objectGone = (backend: Backend, digest: Digest, what: string): MlopsError =>
  failed({
    code: 'OBJECT_MISSING',
    message: `The ${what} (object ${digest}) is not in the store: ${backend.path(objectKey(digest))} does not exist.`,
    hint: 'Run the command again; it stores the file anew',
    details: { sha256: digest, what },
  })

const invalid = (state: ModelState, why: string): MlopsError =>
  failed({
    code: 'EVENT_INVALID',
    message: `An event for ${state.model} was not written because ${why}.`,
    hint: 'This is a bug in mlops; please report it',
  })
