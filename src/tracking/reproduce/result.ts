/** What came of a reproduction, as plain data. */
import type { ExitName } from '../../core/errors.ts'
import type { RunStatus } from '../records/status.ts'
import type { Cause } from './causes.ts'
import type { Overall, ResultRow } from './compare-runs.ts'
import type { PackageDifference } from './environment-difference.ts'
import type { LikelyCause } from './failure.ts'
import type { ReproducePlan } from './types.ts'

export interface Step {
  /** `code`, `data`, `environment`, `run`, `again`, `compare`. */
  readonly name: string
  /** One phrase. */
  readonly detail: string
  readonly seconds: number
  /** False of a command that failed, and of an outcome that is not the same. */
  readonly ok: boolean
}

export interface Reproduction {
  readonly plan: ReproducePlan
  readonly steps: readonly Step[]
  /** The run that repeated it. */
  readonly reproduction: {
    readonly run: string
    readonly status: RunStatus
    readonly exit: number | null
    readonly signal: string | null
    /** As it was run here. */
    readonly command: readonly string[]
  }
  /** `failed`: the command failed, and the original did not. */
  readonly verdict: Overall | 'failed'
  readonly rows: readonly ResultRow[]
  /** The likeliest first; empty where nothing differs. */
  readonly causes: readonly Cause[]
  /** What is installed otherwise than recorded. */
  readonly packages: readonly PackageDifference[]
  /** With `--twice`: did the command come out equal to itself? */
  readonly steady: boolean | null
  readonly failure: { readonly tail: readonly string[]; readonly cause: LikelyCause | null } | null
  /** The worktree, where it was kept; the folder of the environment. */
  readonly kept: { readonly worktree: string; readonly environment: string | null; readonly remove: string } | null
}

/** 0 equal, 3 different, 1 where the command fails and did not then, 6 where nothing can be compared. */
export const exitOf = (verdict: Reproduction['verdict']): ExitName =>
  (
    ({
      equal: 'ok',
      'within tolerance': 'ok',
      different: 'no',
      failed: 'failed',
      'nothing to compare': 'inconclusive',
    }) as const
  )[verdict]
