/** A run as commands show it: how it stands, everything recorded of it. Lists are in `list-runs.ts`. Reads only. */
import type { Context } from '../../core/context.ts'
import type {
  ArtifactLine,
  ClientRecord,
  Intent,
  MetricLine,
  ParamLine,
  ParamValue,
  RunArtifact,
  RunEnd,
  RunEvidence,
  RunStart,
  TagLine,
} from '../../store/run-records.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import type { TrackOutcome } from '../execute/track.ts'
import { foldRun } from './fold-run.ts'
import { resolveRun } from './resolve-run.ts'

export type RunStatus = 'running' | RunEnd['status']

/** Seconds of silence after which a run without an end counts as interrupted. Its heart beats every 5 s. */
const SILENCE = 60

/**
 * A run that was killed can write no end: its heart has stopped. Should it have been asleep (a suspended laptop), it
 * shows as running again with its next beat.
 */
export function runStatus(run: Pick<RunFolder, 'end' | 'silent'>): RunStatus {
  if (run.end !== undefined) return run.end.status
  return run.silent === undefined || run.silent > SILENCE ? 'interrupted' : 'running'
}

export interface RunRow {
  readonly run: string
  readonly model: string | null
  readonly status: RunStatus
  readonly started: string
  /** Seconds; of a run that has not ended, up to its last heartbeat. */
  readonly duration: number | null
  readonly command: readonly string[]
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
  readonly artifacts: readonly RunArtifact[]
  readonly exit: number | null
  readonly signal: string | null
}

export interface RunDetail extends RunRow {
  readonly ended: string | null
  readonly cwd: string
  readonly git: RunStart['git'] | null
  readonly python: RunStart['python'] | null
  readonly env: RunStart['env']
  readonly host: RunStart['host']
  readonly seed: number | null
  readonly data: RunStart['data']
  readonly resources: RunEnd['resources'] | null
  readonly actor: RunStart['actor']
  readonly tool: string
  readonly source: RunStart['source']
  readonly parent: string | null
  readonly intents: readonly Intent[]
  /** What the script logged of held-out rows and examples; of several of one kind the last counts. */
  readonly evidence: readonly RunEvidence[]
  readonly clients: readonly ClientRecord[]
  /** Every recorded value in order, for metrics that have a history. */
  readonly history: readonly { readonly key: string; readonly values: readonly (number | string)[] }[]
  /** Absolute path of output.log; it may not exist. */
  readonly output: string
  readonly warnings: readonly string[]
}

/** @param reference as `resolveRun` reads it, and throws */
export async function showRun(ctx: Context, store: Store, reference: string): Promise<RunDetail> {
  const id = await resolveRun(ctx, store, reference)
  const folder = await store.runs.read(id)
  const { start, end } = folder
  const [row, metrics, intents, evidence, clients] = await Promise.all([
    rowOf(ctx, store, folder),
    store.runs.stream(id, 'metrics'),
    store.runs.intents(id),
    store.runs.evidence(id),
    store.runs.clients(id),
  ])
  return {
    ...row,
    ended: end?.ended ?? null,
    cwd: start.cwd,
    git: start.git ?? null,
    python: start.python ?? null,
    env: start.env,
    host: start.host,
    seed: start.seed ?? null,
    data: start.data,
    resources: end?.resources ?? null,
    actor: start.actor,
    tool: start.tool,
    source: start.source,
    parent: start.parent ?? null,
    intents,
    evidence,
    clients,
    history: historyOf(metrics),
    output: `${store.root}/runs/${id}/output.log`,
    warnings: end?.warnings ?? [],
  }
}

/** A run that has not ended is folded from its streams as they are now. */
export async function rowOf(ctx: Context, store: Store, folder: RunFolder): Promise<RunRow> {
  const { start, end } = folder
  const folded = end ?? foldRun(start, await streamsOf(store, start.id))
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
  }
}

async function streamsOf(store: Store, id: string) {
  const [metrics, params, tags, artifacts]: [MetricLine[], ParamLine[], TagLine[], ArtifactLine[]] = await Promise.all([
    store.runs.stream(id, 'metrics'),
    store.runs.stream(id, 'params'),
    store.runs.stream(id, 'tags'),
    store.runs.stream(id, 'artifacts'),
  ])
  return { metrics, params, tags, artifacts }
}

/** Up to its last sign of life: what is not known to have gone on after that must not shrink when it is found dead. */
function durationSoFar(ctx: Context, { start, silent }: RunFolder): number | null {
  if (silent === undefined) return null
  const seconds = (ctx.now().getTime() - Date.parse(start.started)) / 1000 - silent
  return Math.max(0, Math.round(seconds * 1000) / 1000)
}

function historyOf(lines: readonly MetricLine[]): RunDetail['history'] {
  const byKey = new Map<string, (number | string)[]>()
  for (const { key, value } of [...lines].sort((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0))) {
    const values = byKey.get(key) ?? []
    values.push(value)
    byKey.set(key, values)
  }
  return [...byKey].filter(([, values]) => values.length > 1).map(([key, values]) => ({ key, values }))
}

/** Registering is the next step of a run that ended well, unless its script has asked for that; looking, of another. */
export function nextCommand(run: RunRow, mayRegister: boolean): string | null {
  if (run.status === 'failed') return `mlops run show ${run.run}`
  return run.status === 'finished' && mayRegister ? `mlops register ${run.model ?? 'MODEL'} --run ${run.run}` : null
}
