/**
 * What `retrain` and the GitHub Actions job say to each other: the request for a dispatch, and what came of it. The
 * contract alone; how it is done stands in the files beside this one.
 */
import type { Job } from '../../project/policy.ts'

export type GitHubJob = Extract<Job, { type: 'github_actions' }>

/** What is common to a first dispatch and to finding one again. */
interface Watching {
  readonly job: GitHubJob
  readonly model: string
  /**
   * Unique to this dispatch (a ULID), recorded by the caller BEFORE the dispatch: it travels as the input
   * `correlation_id`, stands in the run's name, and is how the run is found again.
   */
  readonly correlation: string
  /** Wait until the run has ended, at most `job.timeout` milliseconds; otherwise leave as soon as it is known. */
  readonly wait: boolean
  /**
   * Told once, as soon as the run is known (it may never be, where GitHub lists it late), so that a caller that dies
   * while waiting has it on record.
   */
  readonly onRun?: ((run: RunIdentity) => void | Promise<void>) | undefined
  /** A line for a person whenever something happened: dispatched, seen, at work, waiting for a review. */
  readonly say?: ((line: string) => void) | undefined
}

export interface DispatchRequest extends Watching {
  /** Why it is retrained: the input `reason`. */
  readonly reason: string
}

export interface ResumeRequest extends Watching {
  /** Null: it is looked for by the correlation id. */
  readonly runId: number | null
  /** When the dispatch was recorded as about to be made. RFC 3339. */
  readonly dispatchedAt: string
}

export interface RunIdentity {
  readonly runId: number
  /** The page of the run for people. */
  readonly runUrl: string
}

/** As GitHub writes them ("Get a workflow run"). `null` is never passed on. */
export type Conclusion =
  | 'success'
  | 'failure'
  | 'cancelled'
  | 'timed_out'
  | 'skipped'
  | 'action_required'
  | 'neutral'
  | 'stale'
  | 'startup_failure'

/** A job of the run that did not end well, and the first of its steps that did not. */
export interface FailedJob {
  readonly name: string
  readonly conclusion: string
  readonly step: string | null
  /** Leads to the failing step where one is known. */
  readonly url: string | null
}

/**
 * `asked`: `wait` was false. `timeout`: still at work after `job.timeout`. `interrupted`: Ctrl-C. `unreachable`: GitHub
 * gave no usable answer any more. `unlisted`: accepted, but the run did not show up. `uncertain`: the answer to the
 * dispatch was lost and no run showed up, so it may or may not have been made. Whatever it is: `resume` later.
 */
export type LeftBecause = 'asked' | 'timeout' | 'interrupted' | 'unreachable' | 'unlisted' | 'uncertain'

export type DispatchOutcome =
  | {
      readonly kind: 'left'
      readonly why: LeftBecause
      /** GitHub has taken the dispatch for certain: when it is missing later, it was deleted, not lost. */
      readonly accepted: boolean
      /** Null where GitHub does not list the run (yet). */
      readonly runId: number | null
      readonly runUrl: string | null
      /** `queued`, `in_progress`, `waiting` …: the last that was seen. */
      readonly status: string | null
      /** One or two sentences for a person. */
      readonly message: string
    }
  | {
      readonly kind: 'ended'
      readonly conclusion: Conclusion
      readonly runId: number
      readonly runUrl: string
      /** Empty when it ended well. */
      readonly failedJobs: readonly FailedJob[]
      /** One or more lines for a person: the conclusion in words, and what failed where. */
      readonly message: string
    }

/** Of `resume`: also that there is no such run (it was never dispatched, or was deleted). Dispatching again is safe. */
export type ResumeOutcome =
  | DispatchOutcome
  | { readonly kind: 'missing'; readonly message: string; readonly runId: number | null }
