/** One run as a line of a list, and as `track` ends with it. Everything recorded of it: `run-summary.ts`. Reads only. */
import type { Context } from '../../core/context.ts'
import { lifeOf } from '../../core/process-place.ts'
import type { ParamValue, RunArtifact } from '../../store/run-records.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import type { TrackOutcome } from '../execute/track.ts'
import { type Folded, foldStreams } from './fold-run.ts'
import { type RunStatus, runStatus } from './status.ts'

export interface RunRow {
  readonly run: string
  readonly model: string | null
  readonly status: RunStatus
  readonly started: string
  /** Seconds; of a run that goes on up to now, of one that has not ended otherwise up to its last heartbeat. */
  readonly duration: number | null
  readonly command: readonly string[]
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
  readonly artifacts: readonly RunArtifact[]
  readonly exit: number | null
  readonly signal: string | null
  /** The run that started this one. */
  readonly parent: string | null
}

/** A run that has not ended is folded from its streams as they are now. @param known they were folded already */
export async function rowOf(ctx: Context, store: Store, folder: RunFolder, known?: Folded): Promise<RunRow> {
  const { start, end } = folder
  const folded = end ?? known ?? (await foldStreams(store, start.id, start))
  return {
    run: start.id,
    model: start.model ?? null,
    status: runStatus(folder),
    started: start.started,
    duration: end?.duration ?? durationSoFar(ctx, folder),
    command: start.command,
    metrics: folded.metrics,
    params: folded.params,
    tags: folded.tags,
    artifacts: folded.artifacts,
    exit: end?.exit ?? null,
    signal: end?.signal ?? null,
    parent: start.parent ?? null,
  }
}

/** The row of a run that this process has just tracked. */
export function rowOfOutcome({ runId, start, end }: TrackOutcome): RunRow {
  return {
    run: runId,
    model: start.model ?? null,
    status: end.status,
    started: start.started,
    duration: end.duration,
    command: start.command,
    metrics: end.metrics,
    params: end.params,
    tags: end.tags,
    artifacts: end.artifacts,
    exit: end.exit,
    signal: end.signal,
    parent: start.parent ?? null,
  }
}

/** Up to its last sign of life: what is not known to have gone on after that must not shrink when it is found dead. */
function durationSoFar(ctx: Context, { start, silent }: RunFolder): number | null {
  const isAlive = lifeOf(start.process) === 'alive'
  if (silent === undefined && !isAlive) return null
  const seconds = (ctx.now().getTime() - Date.parse(start.started)) / 1000 - (isAlive ? 0 : Math.max(0, silent ?? 0))
  return Math.max(0, Math.round(seconds * 1000) / 1000)
}

/**
 * Registering is the next step of a run that ended well and left something to register, unless its script has asked for
 * that; looking, of another.
 * @param models the configured ones: where there is one, it is meant
 */
export function nextCommand(
  run: RunRow,
  mayRegister: boolean,
  models: Readonly<Record<string, unknown>> = {},
): string | null {
  if (run.status === 'failed') return `mlops run show ${run.run}`
  if (run.status !== 'finished' || !mayRegister || run.artifacts.length === 0) return null
  const [only, ...others] = Object.keys(models)
  const model = run.model ?? (others.length === 0 ? only : undefined) ?? 'MODEL'
  return `mlops register ${model} --run ${run.run}`
}
