/**
 * Whose word counts for a move: approvals given ahead of it that still stand, and names given with it. Pure.
 *
 * A word given ahead is bound to the bytes of the version and to the rules of the stage. It lapses when either differs,
 * and it is used up by the move that it let happen, or by a rollout that was given up: what was taken back needs a new
 * one. What does not count is never passed over silently: it is listed with why.
 */
import type { Digest } from '../../core/digest.ts'
import { versionName } from '../../core/names.ts'
import type { Approval, ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { givenUpRollout } from '../../store/rollouts.ts'
import { distinctApprovals } from '../gate/gate.ts'
import { standing } from '../operation.ts'
import { personOf } from './approval.ts'

/** Somebody who made the version, and how. */
export interface Author {
  readonly name: string
  readonly did: 'registered it' | 'ran its training'
}

/** A word that does not count for this move. */
export interface UncountedApproval {
  readonly name: string
  /** `policy changed` and `other version` have lapsed; `author`: who made the version may not approve it here. */
  readonly kind: 'policy changed' | 'other version' | 'author'
  /** Of a word given ahead: when. RFC 3339. */
  readonly time: string | null
  /** One sentence without a name. */
  readonly why: string
}

export interface CountRequest {
  readonly stage: string
  readonly version: number
  /** Of the version's manifest, and of the rules of the stage, as they are now. */
  readonly bound: { readonly manifest: Digest; readonly policy: Digest }
  /** Who may not approve; empty where the gate lets authors approve. */
  readonly authors: readonly Author[]
  /** Given with the move itself. */
  readonly given: readonly Approval[]
}

export interface CountedApprovals {
  /** One of each person, those given ahead first. */
  readonly counted: readonly Approval[]
  readonly uncounted: readonly UncountedApproval[]
}

export function countApprovals(state: ModelState, request: CountRequest): CountedApprovals {
  const { authors, given } = request
  const words = wordsAhead(state, request)
  const candidates = [...words.flatMap(({ approval, lapsed }) => (lapsed === null ? [approval] : [])), ...given]
  const counted = distinctApprovals(candidates.filter(({ name }) => authorBehind(name, authors) === undefined))
  const isCounted = (name: string): boolean => counted.some((each) => personOf(each.name) === personOf(name))
  const byAuthors = distinctApprovals(candidates).flatMap(({ name, time }): UncountedApproval[] => {
    const author = authorBehind(name, authors)
    if (author === undefined) return []
    const why = `${author.name} ${author.did}, and the gate of ${request.stage} refuses an author's own approval`
    return [{ name, kind: 'author', time: time ?? null, why }]
  })
  const lapsed = new Map<string, UncountedApproval>()
  for (const { approval, lapsed: reason } of words) {
    // Whoever gave their word anew is asked for nothing; of several lapsed ones the newest tells.
    if (reason === null || isCounted(approval.name)) continue
    lapsed.set(personOf(approval.name), { name: approval.name, time: approval.time ?? null, ...reason })
  }
  return { counted, uncounted: [...byAuthors, ...lapsed.values()] }
}

/** The author that a name stands for. */
export const authorBehind = (name: string, authors: readonly Author[]): Author | undefined =>
  authors.find((author) => personOf(author.name) === personOf(name))

interface WordAhead {
  readonly approval: Approval
  readonly lapsed: Pick<UncountedApproval, 'kind' | 'why'> | null
}

/** Words for the stage that have not been used: of this version, and of others since the stage was moved last. */
function wordsAhead(state: ModelState, request: CountRequest): WordAhead[] {
  const { stage, bound } = request
  const { manifest } = bound
  const used = lastEntry(state.events, stage, manifest)
  const moved = standing(state, stage)?.seq ?? 0
  return state.events.flatMap((event): WordAhead[] => {
    if (event.type !== 'approve' || event.body.stage !== stage) return []
    const { body } = event
    const approval = { ...body.approval, time: body.approval.time ?? event.time }
    if (body.bound.manifest !== manifest) {
      if (event.seq < moved) return []
      const why = `it was given for ${versionName(state.model, body.version)}, which has other bytes`
      return [{ approval, lapsed: { kind: 'other version', why } }]
    }
    if (event.seq < used) return []
    if (body.bound.policy === bound.policy) return [{ approval, lapsed: null }]
    const why = `the gate of ${stage} has been changed since it was given (its rules, or evaluate: of mlops.yaml)`
    return [{ approval, lapsed: { kind: 'policy changed', why } }]
  })
}

/**
 * The promotion that put these bytes into the stage last, or the end of a rollout of them that was given up: it used up
 * the words given before it. 0 without one.
 */
function lastEntry(events: readonly ModelEvent[], stage: string, manifest: Digest): number {
  const entered = events.findLast(
    (event, index) =>
      (event.type === 'promote' && event.body.stage === stage && event.body.gate.bound.manifest === manifest) ||
      givenUpRollout(events[index - 1]?.stages, event.stages, stage)?.manifest === manifest,
  )
  return entered?.seq ?? 0
}
