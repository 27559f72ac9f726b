/** What a promotion would do, decided from facts alone. Pure and printable: `--dry-run` shows it, `promote.ts` applies it. */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Digest } from '../core/digest.ts'
import type { Approval, GateResult } from '../store/events.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { VersionDiff } from './diff.ts'
import { distinctApprovals, type GateFacts, judgeGate } from './gate.ts'
import type { GateRules } from './gate-rules.ts'
import { type Standing, standing } from './operation.ts'

export interface PlanRequest {
  readonly version: VersionState
  readonly stage: string
  readonly reason: string | undefined
}

/** Facts of a plan: what the gate judges by, and what changes for whoever uses the stage. */
export interface PlanFacts extends GateFacts {
  readonly rules: GateRules
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
  readonly approvals: readonly Approval[]
  readonly reason: string | null
  readonly changes: VersionDiff | null
}

export function planPromote(state: ModelState, request: PlanRequest, facts: PlanFacts): PromotePlan {
  const { version, stage, reason } = request
  const from = standing(state, stage)
  return {
    model: state.model,
    stage,
    version: version.version,
    manifest: version.manifest,
    from,
    already: from?.version === version.version,
    gate: judgeGate(facts.rules, facts),
    approvalsNeeded: facts.rules.approval,
    approvals: distinctApprovals(facts.approvals),
    reason: reason ?? null,
    changes: facts.changes,
  }
}

/** What must not change between deciding and doing. */
export const essence = ({ model, stage, version, manifest, from, gate }: PromotePlan): string =>
  canonicalJson({ model, stage, version, manifest, from: from?.seq ?? null, gate })
