/** The states of a workflow run in words, for messages. Pure. */
import type { Conclusion, FailedJob } from './types.ts'

/** "Get a workflow run": `conclusion`. What each means for a retraining. */
const CONCLUSIONS: Readonly<Record<Conclusion, string>> = {
  success: 'ended well',
  failure: 'failed',
  cancelled: 'was cancelled',
  timed_out: 'was stopped by its own time limit (timeout-minutes)',
  skipped: 'was skipped: the conditions (if:) of its jobs did not hold, so nothing was trained',
  action_required: 'may not run before somebody approves it on its page',
  neutral: 'ended neither well nor badly (neutral)',
  stale: 'was given up by GitHub, which had no runner for it for too long',
  startup_failure: 'could not begin: GitHub cannot read the workflow at that ref, or may not use an action of it',
}

/** What GitHub may add later counts as a failure: only `success` is one. */
export const knownConclusion = (word: string | null): Conclusion =>
  word !== null && Object.hasOwn(CONCLUSIONS, word) ? (word as Conclusion) : 'failure'

export function conclusionWords(word: string | null): string {
  const known = knownConclusion(word)
  return known === word ? CONCLUSIONS[known] : `ended as ${word ?? 'nothing that GitHub names'}`
}

const STATUSES: Readonly<Record<string, string>> = {
  requested: 'requested',
  queued: 'waiting for a runner',
  pending: 'waiting for another run of its concurrency group',
  waiting: 'waiting for a reviewer of its environment',
  in_progress: 'at work',
  completed: 'ended',
}

export const statusWords = (status: string): string => STATUSES[status] ?? status

/** Jobs of a large matrix that are named. */
const SHOWN = 5

/** One line per failed job, leading to the step. */
export function failedJobLines(jobs: readonly FailedJob[]): readonly string[] {
  const lines = jobs.slice(0, SHOWN).map(({ name, conclusion, step, url }) => {
    const where = step === null ? `job ${name}` : `job ${name}, step ${step}`
    return `${where}: ${conclusion}${url === null ? '' : ` ${url}`}`
  })
  return jobs.length > SHOWN ? [...lines, `and ${jobs.length - SHOWN} more jobs`] : lines
}
