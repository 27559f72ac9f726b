/** The versions of a model that wait for somebody to decide: which ones, for which stage. Pure. */
import { type Approval, isMove } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Outlook } from '../gate/outlook.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { standing } from '../operation.ts'
import type { UncountedApproval } from '../promote/standing-approvals.ts'
import { stagesOf } from '../versions/version.ts'
import { stageAfter } from './next-step.ts'

export interface Pending {
  /** `awaiting approval`: in another stage, never yet in production; `candidate`: newer than production, in no stage. */
  readonly kind: 'awaiting approval' | 'candidate'
  readonly version: number
  readonly stage: string | null
  readonly since: string
  /** What the gate of the stage that comes next for it will say. */
  readonly outlook: Outlook
  /** Who has approved it, for that stage or a later one; null where nobody is asked, or where that cannot be read. */
  readonly approval: PendingApproval | null
}

export interface PendingApproval {
  readonly stage: string
  /** Words given ahead of the move that still count. */
  readonly approved: readonly Approval[]
  /** How many more people must approve. */
  readonly missing: number
  /** Words that do not count any more, and why. */
  readonly uncounted: readonly UncountedApproval[]
}

/** A version that waits, before its gate was looked at. */
export type Waiting = Omit<Pending, 'outlook' | 'approval'> & { readonly next: string }

/** Versions that wait for somebody to decide; what production has seen already waits for nothing. */
export function waitingVersions(state: ModelState, configured: readonly string[]): Waiting[] {
  const seen = new Set(
    state.events.flatMap((event) => (isMove(event) && event.body.stage === PRODUCTION ? [event.body.version] : [])),
  )
  const beingRolledOut = new Set(Object.values(state.stages).flatMap(({ rollout }) => rollout?.version ?? []))
  const pending: Waiting[] = []
  const next = (version: number): string => stageAfter(configured, stagesOf(state, version)) ?? PRODUCTION
  for (const stage of Object.keys(state.stages).sort()) {
    const entry = stage === PRODUCTION ? null : standing(state, stage)
    if (entry === null || seen.has(entry.version) || beingRolledOut.has(entry.version)) continue
    pending.push({
      kind: 'awaiting approval',
      version: entry.version,
      stage,
      since: entry.since,
      next: next(entry.version),
    })
  }
  const staged = new Set(Object.values(state.stages).map(({ version }) => version))
  const newest = state.versions.at(-1)
  // Only the newest: whoever registers ten candidates means the last one.
  const champion = state.stages[PRODUCTION]?.version ?? 0
  const isNew = newest !== undefined && newest.version > champion && !seen.has(newest.version)
  // What was in a stage and is in none any more was decided upon: somebody took it out.
  if (
    isNew &&
    !beingRolledOut.has(newest.version) &&
    !staged.has(newest.version) &&
    !wasStaged(state, newest.version)
  ) {
    const { version, registered } = newest
    pending.push({ kind: 'candidate', version, stage: null, since: registered.time, next: next(version) })
  }
  return pending
}

const wasStaged = ({ events }: ModelState, version: number): boolean =>
  events.some((event) => (isMove(event) || event.type === 'rollout') && event.body.version === version)
