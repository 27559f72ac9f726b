/**
 * What a retraining asks of a job that runs elsewhere, and what it hears: the contract between the steps of a
 * retraining (`remote-job.ts`) and `github/`. Types only.
 */
import type { Context } from '../core/context.ts'
import type { Project } from '../project/config.ts'
import type { Job } from '../project/policy.ts'

export type GithubJob = Extract<Job, { type: 'github_actions' }>

export interface DispatchRequest {
  readonly job: GithubJob
  readonly model: string
  /** Names this retraining, the same when it is taken up again: 26 characters of Crockford's base 32. */
  readonly correlation: string
  /** One sentence for a person. */
  readonly reason: string
  /** Whether to stay until it has ended, at most `job.timeout`. */
  readonly wait: boolean
}

/** What an earlier process knew of the workflow run when it went away. */
export interface FollowRequest extends DispatchRequest {
  /** When it was dispatched, or was about to be. RFC 3339. */
  readonly dispatched: string
  /** Null where it had not been seen yet: it is found by its correlation id. */
  readonly runId: number | null
  readonly runUrl: string | null
}

export type DispatchOutcome =
  /** It was not waited for, or not long enough; null where the run has not shown up yet. */
  | { readonly kind: 'left'; readonly runId: number | null; readonly runUrl: string | null }
  | {
      readonly kind: 'ended'
      /** As GitHub says it: `success`, `failure`, `cancelled`, `timed_out` … */
      readonly conclusion: string
      readonly runId: number
      readonly runUrl: string
    }

/** `not found`: GitHub knows no run with this correlation id, so nothing was ever dispatched. */
export type FollowOutcome = DispatchOutcome | { readonly kind: 'not found' }

export interface RemoteSteps {
  /** Starts the workflow, once. An aborted `ctx.signal` while waiting answers `left`: the workflow goes on. */
  dispatch(ctx: Context, project: Project, request: DispatchRequest): Promise<DispatchOutcome>
  /** Looks for a workflow run that was dispatched before, and waits for it if asked to. Never starts anything. */
  follow(ctx: Context, project: Project, request: FollowRequest): Promise<FollowOutcome>
}
