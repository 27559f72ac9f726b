/** When a version held which stage, by the log of its model: order by number, moments by the recorded time. Pure. */
import type { ModelEvent, Stages } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Holding } from './types.ts'

/** What a version has of a stage: all of it (null), or a part of its traffic. */
type Share = { readonly weight: number | null } | undefined

/** @param time RFC 3339: which of them was the moment of. Oldest first */
export function holdings(state: ModelState, version: number, time: string): Holding[] {
  const found: Holding[] = []
  const stages = new Set(state.events.flatMap((event) => Object.keys(event.stages)))
  for (const stage of stages) {
    let begun: { readonly event: ModelEvent; readonly weight: number | null } | undefined
    for (const event of state.events) {
      const share = shareOf(event.stages, stage, version)
      if (begun !== undefined && share?.weight !== begun.weight) {
        found.push(holding(stage, begun, event, time))
        begun = undefined
      }
      if (begun === undefined && share !== undefined) begun = { event, weight: share.weight }
    }
    if (begun !== undefined) found.push(holding(stage, begun, undefined, time))
  }
  return found.sort((a, b) => a.seq - b.seq)
}

/** Who held each stage at a moment. */
export function heldAt(state: ModelState, time: string): { stage: string; version: number }[] {
  const last = state.events.findLast((event) => event.time <= time)
  return Object.entries(last?.stages ?? {}).map(([stage, { version }]) => ({ stage, version }))
}

function shareOf(stages: Stages, stage: string, version: number): Share {
  const entry = Object.hasOwn(stages, stage) ? stages[stage] : undefined
  if (entry?.version === version) return { weight: null }
  return entry?.rollout?.version === version ? { weight: entry.rollout.weight } : undefined
}

function holding(
  stage: string,
  { event, weight }: { readonly event: ModelEvent; readonly weight: number | null },
  ended: ModelEvent | undefined,
  time: string,
): Holding {
  return {
    stage,
    weight,
    since: event.time,
    seq: event.seq,
    by: event.actor,
    until: ended?.time ?? null,
    ended: ended === undefined ? null : { seq: ended.seq, by: ended.actor, how: wayOut(ended) },
    atThatTime: event.time <= time && (ended === undefined || time < ended.time),
  }
}

function wayOut(event: ModelEvent): string {
  if (event.type === 'promote') return `promotion of @${event.body.version}`
  if (event.type === 'rollback') return `rollback to @${event.body.version}`
  if (event.type === 'rollout') return event.body.action === 'abort' ? 'rollout aborted' : 'next step of the rollout'
  return event.type
}
