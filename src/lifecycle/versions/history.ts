/** What happened to a model: who moved what, when, why and on what evidence. A fold of the log, newest first. */
import type { Actor } from '../../core/context.ts'
import type {
  Approval,
  GateCheck,
  GateResult,
  ImportedFrom,
  ModelEvent,
  RollbackBody,
  RolloutBody,
  RolloutComparison,
} from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { RetrainingEffect } from '../status/retraining-effect.ts'

export interface HistoryEntry {
  readonly seq: number
  readonly time: string
  readonly by: Actor
  readonly type: ModelEvent['type']
  readonly version: number | null
  readonly stage: string | null
  /** The version that held the stage before. */
  readonly from: number | null
  readonly reason: string | null
  readonly approvals: readonly Approval[]
  readonly gate: GateResult | null
  /** How its checks came out; null without a gate. */
  readonly checks: CheckCounts | null
  readonly fit: RollbackBody['fit'] | null
  /** The recorded evaluation of a version that was gone back to, run again on the labelled rows of that day. */
  readonly evaluation: NonNullable<RollbackBody['evaluation']> | null
  /** The run behind a registered version. */
  readonly run: string | null
  /** Where a registered version came from, if it came out of an archive. */
  readonly imported: ImportedFrom | null
  readonly tags: { readonly add: readonly string[]; readonly remove: readonly string[] } | null
  /** Of a move of a version from a retraining to production: whether the retraining helped. */
  readonly retraining: RetrainingEffect | null
  /** What became of a rollout; null for other events. */
  readonly rollout: Pick<RolloutBody, 'action' | 'weight' | 'steps' | 'comparison'> | null
  /** Of a promotion that completed a rollout: the event that began that one; null for any other. */
  readonly completes: number | null
  /** Of such a promotion: what the comparison said last. */
  readonly comparison?: RolloutComparison
  readonly tool: string
}

export interface CheckCounts {
  readonly passed: number
  readonly waived: number
  readonly failed: number
  readonly inconclusive: number
}

export interface HistoryRequest {
  /** Only what moved this stage. */
  readonly stage?: string
  /** Only what concerns this version, also when it had to leave a stage. */
  readonly version?: number
  readonly limit?: number
}

/** @param effects of retrainings, by the event that put their version into production (`retrainingEffects`) */
export function history(
  state: ModelState,
  request: HistoryRequest = {},
  effects: ReadonlyMap<number, RetrainingEffect> = new Map(),
): HistoryEntry[] {
  const { stage, version, limit = Number.POSITIVE_INFINITY } = request
  const entries: HistoryEntry[] = []
  for (let index = state.events.length - 1; index >= 0 && entries.length < limit; index--) {
    const event = state.events[index]
    if (event === undefined) continue
    const entry = entryOf(event)
    if (stage !== undefined && entry.stage !== stage) continue
    if (version !== undefined && entry.version !== version && entry.from !== version) continue
    entries.push({ ...entry, retraining: effects.get(entry.seq) ?? null })
  }
  return entries
}

/** All approvals of a promotion, or of the start of a rollout; `approval` alone where one person was enough. */
export const approvalsOfEvent = (event: ModelEvent): readonly Approval[] => {
  if (event.type === 'rollout') return event.body.approvals ?? []
  return event.type !== 'promote' ? [] : (event.body.approvals ?? (event.body.approval ? [event.body.approval] : []))
}

export function countChecks({ checks }: GateResult): CheckCounts {
  const count = (wanted: GateCheck['verdict']): number => checks.filter(({ verdict }) => verdict === wanted).length
  return { passed: count('pass'), waived: count('waived'), failed: count('fail'), inconclusive: count('inconclusive') }
}

function entryOf(event: ModelEvent): HistoryEntry {
  const { seq, time, actor, tool, type } = event
  const common: HistoryEntry = {
    seq,
    time,
    by: actor,
    type,
    version: null,
    stage: null,
    from: null,
    reason: null,
    approvals: approvalsOfEvent(event),
    gate: null,
    checks: null,
    fit: null,
    evaluation: null,
    run: null,
    imported: null,
    tags: null,
    retraining: null,
    rollout: null,
    completes: null,
    tool,
  }
  switch (event.type) {
    case 'register': {
      const { version, message, run, tags, imported } = event.body
      const from = { run: run?.id ?? null, imported: imported ?? null }
      return { ...common, version, reason: message ?? null, ...from, tags: { add: tags, remove: [] } }
    }
    case 'promote': {
      const { version, stage, from, reason, gate } = event.body
      const completes = event.body.rollout ?? null
      const { comparison } = event.body
      return {
        ...common,
        version,
        stage,
        from,
        reason: reason ?? null,
        gate,
        checks: countChecks(gate),
        completes,
        ...(comparison === undefined ? {} : { comparison }),
      }
    }
    case 'rollout': {
      const { version, stage, from, reason, gate = null, action, weight, steps, comparison } = event.body
      const rollout = { action, weight, steps, ...(comparison === undefined ? {} : { comparison }) }
      const checks = gate === null ? null : countChecks(gate)
      return { ...common, version, stage, from, reason: reason ?? null, gate, checks, rollout }
    }
    case 'rollback': {
      const { version, stage, from, reason, fit, evaluation = null } = event.body
      return { ...common, version, stage, from, reason: reason ?? null, fit, evaluation }
    }
    case 'approve': {
      const { version, stage, approval } = event.body
      return { ...common, version, stage, approvals: [approval], reason: approval.reason ?? null }
    }
    case 'tag': {
      const { version, add, remove } = event.body
      return { ...common, version, tags: { add, remove } }
    }
    default:
      return common
  }
}
