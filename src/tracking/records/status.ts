/** How a run stands: what its end says, else whether whoever writes it is still there. Pure but for asking the system. */
import { lifeOf } from '../../core/process-place.ts'
import type { RunEnd } from '../../store/run-records.ts'
import type { RunFolder } from '../../store/store.ts'

export type RunStatus = 'running' | RunEnd['status']

/** Seconds of silence after which a run without an end counts as interrupted. Its heart beats every 5 s. */
export const SILENCE = 60

/**
 * A run that was killed can write no end. Where its process was counted here, the system knows, whatever the clocks
 * say. Elsewhere its heart has stopped: should it have been asleep (a suspended laptop), it shows as running again with
 * its next beat.
 */
export function runStatus(run: Pick<RunFolder, 'end' | 'silent'> & { readonly start?: RunFolder['start'] }): RunStatus {
  if (run.end !== undefined) return run.end.status
  const life = lifeOf(run.start?.process)
  if (life !== 'unknown') return life === 'alive' ? 'running' : 'interrupted'
  // A beat far ahead of our clock says nothing of now: it would keep a dead run alive until then.
  return run.silent === undefined || Math.abs(run.silent) > SILENCE ? 'interrupted' : 'running'
}
