/** Everything recorded of one run, as `run show` has it. A line of a list is `run-row.ts`. Reads only. */
import type { Context } from '../../core/context.ts'
import { lifeOf } from '../../core/process-place.ts'
import type { ClientRecord, Intent, RunEnd, RunEvidence, RunStart } from '../../store/run-records.ts'
import type { RunFolder, SkippedLine, Store } from '../../store/store.ts'
import { type ParamSeed, seedsInParams } from '../execute/seed.ts'
import { notesOf, type RunNote, type RunReproduction, reproductionsOf, tagsWith } from './annotations.ts'
import { type Folded, foldStreams } from './fold-run.ts'
import { lastLines } from './last-lines.ts'
import { type ChildRun, childrenOf } from './relatives.ts'
import { resolveRun } from './resolve-run.ts'
import { type RunRow, rowOf } from './run-row.ts'
import { collectSeries, type MetricSeries } from './series.ts'

export interface RunDetail extends RunRow {
  readonly ended: string | null
  readonly cwd: string
  readonly git: RunStart['git'] | null
  readonly python: RunStart['python'] | null
  readonly env: RunStart['env']
  readonly host: RunStart['host']
  readonly seed: number | null
  readonly seedFrom: NonNullable<RunStart['seedFrom']> | null
  /** Parameters that are seeds by their name. */
  readonly seeds: readonly ParamSeed[]
  readonly data: RunStart['data']
  readonly resources: RunEnd['resources'] | null
  readonly actor: RunStart['actor']
  readonly tool: string
  readonly source: RunStart['source']
  /** The run that this one repeats. */
  readonly reproduces: string | null
  /** The runs that this one started, oldest first. */
  readonly children: readonly ChildRun[]
  readonly intents: readonly Intent[]
  /** What the script logged of held-out rows and examples; of several of one kind the last counts. */
  readonly evidence: readonly RunEvidence[]
  readonly clients: readonly ClientRecord[]
  /** The metrics that have a history, thinned to what can be drawn. */
  readonly series: readonly MetricSeries[]
  /** The values of `series` alone. */
  readonly history: readonly { readonly key: string; readonly values: readonly (number | string)[] }[]
  /** What people said of it, oldest first. */
  readonly notes: readonly RunNote[]
  /** The runs that repeated it, oldest first. */
  readonly reproductions: readonly RunReproduction[]
  /** Of a run without an end: what is known of whoever writes it. */
  readonly life: RunLife | null
  /** Absolute path of output.log; it may not exist. */
  readonly output: string
  /** Of a run that goes on, failed or was interrupted: the last lines it printed, without escapes and secrets. */
  readonly lastLines: readonly string[]
  readonly warnings: readonly string[]
}

export interface RunLife {
  /** The process that writes the heartbeat; null in records of older writers. */
  readonly pid: number | null
  /** `unknown`: it counts somewhere else, on another host or in a container. */
  readonly process: 'alive' | 'gone' | 'unknown'
  /** The last heartbeat; null when there never was one. */
  readonly heard: string | null
  /** Processes of the script that are still at work here, though nobody will write the end of the run. */
  readonly orphans: readonly number[]
}

export interface ShowOptions {
  /** Of each series; 400. 0: `series` and `history` are left empty, and the lines of an ended run are not read. */
  readonly points?: number
}

/** @param reference as `resolveRun` reads it, and throws */
export async function showRun(
  ctx: Context,
  store: Store,
  reference: string,
  { points }: ShowOptions = {},
): Promise<RunDetail> {
  const id = await resolveRun(ctx, store, reference)
  const folder = await store.runs.read(id)
  const { start, end } = folder
  const skipped = new Set<string>()
  const { folded, series } = await readLines(store, folder, points, (file) => skipped.add(file))
  const [row, intents, evidence, clients, said, children] = await Promise.all([
    rowOf(ctx, store, folder, folded),
    store.runs.intents(id),
    store.runs.evidence(id),
    store.runs.clients(id),
    store.runs.annotations(id),
    childrenOf(store, folder),
  ])
  const output = `${store.root}/runs/${id}/output.log`
  return {
    ...row,
    tags: tagsWith(row.tags, said),
    ended: end?.ended ?? null,
    cwd: start.cwd,
    git: start.git ?? null,
    python: start.python ?? null,
    env: start.env,
    host: start.host,
    seed: start.seed ?? null,
    seedFrom: start.seedFrom ?? null,
    seeds: seedsInParams(row.params),
    data: start.data,
    resources: end?.resources ?? null,
    actor: start.actor,
    tool: start.tool,
    source: start.source,
    reproduces: start.reproduces ?? null,
    children,
    intents,
    evidence,
    clients,
    series,
    history: series.map((each) => ({ key: each.key, values: each.points.map(({ value }) => value) })),
    notes: notesOf(said),
    reproductions: reproductionsOf(said),
    life: end === undefined ? lifeOfRun(ctx, folder, clients) : null,
    output,
    lastLines: row.status === 'finished' || start.source !== 'track' ? [] : await lastLines(output),
    warnings: [
      ...(end?.warnings ?? []),
      ...[...skipped].map((file) => `${file} has a line that is longer than 1 MiB; it was passed over`),
    ],
  }
}

/** The lines of metrics are read once, for the values of a run that has not ended and for the series. */
async function readLines(
  store: Store,
  { start, end }: RunFolder,
  points: number | undefined,
  skipped: SkippedLine,
): Promise<{ folded: Folded | undefined; series: MetricSeries[] }> {
  if (points === 0) return { folded: undefined, series: [] }
  const collected = collectSeries()
  let folded: Folded | undefined
  if (end === undefined) folded = await foldStreams(store, start.id, start, collected.take, skipped)
  else for await (const lines of store.runs.batches(start.id, 'metrics', skipped)) collected.take(lines)
  return { folded, series: collected.series(points).filter(({ count }) => count > 1) }
}

function lifeOfRun(ctx: Context, { start, silent }: RunFolder, clients: readonly ClientRecord[]): RunLife {
  const life = lifeOf(start.process)
  return {
    pid: start.process?.pid ?? null,
    process: life,
    heard: silent === undefined ? null : new Date(ctx.now().getTime() - silent * 1000).toISOString(),
    orphans:
      life === 'alive'
        ? []
        : clients.filter((client) => lifeOf(client.process) === 'alive').map((client) => client.pid),
  }
}
