/** Waiting for running services after a change of a stage: how long, and the flag that does without. */
import * as Flags from '@oclif/core/flags'

/** Services follow within a second; whoever has not in five tells why, or is stuck. */
export const WAIT_MS = 5_000

export const NO_WAIT = Flags.boolean({
  summary: 'Do not wait for the running services to follow. Without any that say so, nothing is waited for.',
})
