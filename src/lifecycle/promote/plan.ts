/** What a promotion would do, decided from facts alone. Pure and printable: `--dry-run` shows it, `promote.ts` applies it. */
import { canonicalJson } from '../../core/canonical-json.ts'
import type { Digest } from '../../core/digest.ts'
import type { Approval, GateResult } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import { type GateFacts, judgeGate } from '../gate/gate.ts'
import type { GateRules } from '../gate/rules.ts'
import { type Standing, standing } from '../operation.ts'
import type { Health } from '../status/health.ts'
import type { VersionDiff } from '../versions/diff.ts'
import type { UncountedApproval } from './standing-approvals.ts'

export interface PlanRequest {
  readonly version: VersionState
  readonly stage: string
  readonly reason: string | undefined
  /** Weights of a promotion by steps. */
  readonly rollout?: readonly number[] | undefined
}

/** What stored checks say of one version. */
export interface VersionHealth
  extends Pick<Health, 'checked' | 'stale' | 'summary' | 'data' | 'rows' | 'small' | 'breaches'> {
  readonly version: number
  /** `unreadable`: the record of the check is damaged, and `summary` says so. */
  readonly verdict: Health['verdict'] | 'unreadable'
}

/** Shown to whoever decides; the gate asks for it only where that is configured. */
export interface PlanHealth {
  /** Of the version that holds the stage; null while none does. */
  readonly current: VersionHealth | null
  readonly challenger: VersionHealth
}

/** Facts of a plan: what the gate judges by, and what changes for whoever uses the stage. */
export interface PlanFacts extends GateFacts {
  readonly rules: GateRules
  /** Words that do not count. `approvals` holds those that do. */
  readonly uncounted: readonly UncountedApproval[]
  readonly health: PlanHealth
  /** Against the version that holds the stage; null when none does. */
  readonly changes: VersionDiff | null
}

export interface PromotePlan {
  readonly model: string
  readonly stage: string
  readonly version: number
  readonly manifest: Digest
  /** Who holds the stage now. */
  readonly from: Standing | null
  /** The version is there already: nothing would be done. */
  readonly already: boolean
  readonly gate: GateResult
  /** How many different people must approve. */
  readonly approvalsNeeded: number
  /** How many of them have not yet. */
  readonly approvalsMissing: number
  readonly approvals: readonly Approval[]
  readonly uncounted: readonly UncountedApproval[]
  readonly reason: string | null
  /** The weights that it goes through, where it is a promotion by steps; null where the stage moves at once. */
  readonly rollout: readonly number[] | null
  readonly health: PlanHealth
  readonly changes: VersionDiff | null
}

export function planPromote(state: ModelState, request: PlanRequest, facts: PlanFacts): PromotePlan {
  const { version, stage, reason, rollout } = request
  const { rules, approvals, uncounted, health, changes } = facts
  const from = standing(state, stage)
  return {
    model: state.model,
    stage,
    version: version.version,
    manifest: version.manifest,
    from,
    already: from?.version === version.version,
    gate: judgeGate(rules, facts),
    approvalsNeeded: rules.approval,
    approvalsMissing: Math.max(0, rules.approval - approvals.length),
    approvals,
    uncounted,
    reason: reason ?? null,
    rollout: rollout ?? null,
    health,
    changes,
  }
}

/** What must not change between deciding and doing. */
export const essence = ({ model, stage, version, manifest, from, gate }: PromotePlan): string =>
  canonicalJson({ model, stage, version, manifest, from: from?.seq ?? null, gate })

/** The same for a word ahead of the move: who else has approved meanwhile changes nothing about it. */
export const essenceForApproval = ({ model, stage, version, manifest, from, gate }: PromotePlan): string => {
  const checks = gate.checks.filter(({ name }) => name !== 'approval')
  return canonicalJson({ model, stage, version, manifest, from: from?.seq ?? null, checks, bound: gate.bound })
}
