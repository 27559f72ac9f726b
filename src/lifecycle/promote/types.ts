/** What is asked of a promotion and what comes of it, as plain data. No code that decides belongs here. */
import type { ModelRef } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { Gate } from '../../project/gate-config.ts'
import type { Autonomy } from '../../project/policy.ts'
import type { Approval, GateResult } from '../../store/events.ts'
import type { Proposal } from '../gate/proposal.ts'
import type { RolloutRequest } from '../rollouts/begin.ts'
import type { Services } from '../serving/services.ts'
import type { VersionDiff } from '../versions/diff.ts'
import type { PlanHealth, PromotePlan } from './plan.ts'
import type { UncountedApproval } from './standing-approvals.ts'

/** A person's yes at a terminal. */
export interface Consent {
  /** Why, where they said so. */
  readonly reason?: string
}

/** What asks for an automatic promotion, and by whose rules. */
export interface AutonomyRequest extends Autonomy {
  /** Name of the policy file: it stands in the approval. */
  readonly policy: string
}

export interface PromoteRequest extends RolloutRequest {
  /** The version to promote; the model alone means its newest version. */
  readonly ref: ModelRef
  readonly stage: string
  /** Names given with `--approve`. */
  readonly approve?: readonly string[]
  readonly reason?: string
  /** Reads the project anew: a check or a question takes minutes, in which the gate may be edited. */
  readonly reread?: () => Promise<Project>
  /** Milliseconds that running services are waited for once it is done; undefined: they are not looked at. */
  readonly wait?: number
  /** Stop after the plan. */
  readonly dryRun?: boolean
  /** The move must be the one that was proposed, and its gate must read as it did then. */
  readonly proposal?: Proposal
  readonly idempotencyKey?: string
  /** The policy's own gate, which must hold besides the stage's. */
  readonly validation?: Gate
  /** The challenger's test set, where its run does not say where it lies. */
  readonly test?: string
  /** A policy that may stand in for a person, where it has earned it. Given by a retraining alone. */
  readonly autonomy?: AutonomyRequest
  /** Shows the plan to a person and asks; null is a no. Not given when nobody is there. */
  readonly askApproval?: (plan: PromotePlan) => Promise<Consent | null>
}

export interface PromoteResult {
  readonly outcome: 'promoted' | 'rollout started' | 'already there' | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  /** What `planned` says: would it be done? */
  readonly passes: boolean
  /** Of `planned`: every other check passes, and a person has to say yes. */
  readonly awaitsApproval: boolean
  readonly model: string
  readonly stage: string
  readonly version: number
  readonly from: number | null
  readonly gate: GateResult | null
  readonly approvals: readonly Approval[]
  /** How many more people must approve. */
  readonly approvalsMissing: number
  /** Words that do not count for this move, and why. */
  readonly uncounted: readonly UncountedApproval[]
  readonly reason: string | null
  readonly event: { readonly seq: number; readonly time: string } | null
  readonly changes: VersionDiff | null
  /** What the last drift checks said of the version in the stage and of the one that wants it; null of a repeated job. */
  readonly health: PlanHealth | null
  /** Since when and by whom, for `already there`. */
  readonly since: { readonly time: string; readonly by: string } | null
  /** Tags that were made in the project's git repository, where `git_tags` is on. */
  readonly gitTags?: readonly string[]
  /** Of a promotion by steps: the stage has not moved, and a part of its traffic is the version's. Null for any other. */
  readonly rollout?: { readonly weight: number; readonly steps: readonly number[] } | null
  /** The event that began the rollout which this promotion completed. */
  readonly completes?: number
  /** What running services made of it; absent where none says anything, or nobody asked. */
  readonly services?: Services
}
