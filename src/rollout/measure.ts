/**
 * The figures of the two versions of a rollout in one window of the prediction log. Only requests that a service divided
 * between them count, which carry `variant`: the others had no chance to go to the other one. Judging is in `judge.ts`.
 */
import type { Context } from '../core/context.ts'
import type { DataInput } from '../data/input.ts'
import { quantilePlaces } from '../evaluation/difference.ts'
import type { RunningRollout } from '../lifecycle/rollouts/running.ts'
import type { PredictionLog, RowShape, TimeWindow, WindowQuery } from '../predictions/types.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { AnswerGroups, Ends, RolloutFigures, VariantFigures } from './types.ts'
import { LIKELY, SURELY } from './words.ts'

type Variant = 'stable' | 'rollout'

/** @param lasted milliseconds since the step began. @throws what reading the log throws */
export async function measureRollout(
  ctx: Context,
  project: Project,
  store: Store,
  log: PredictionLog,
  running: RunningRollout,
  window: TimeWindow,
  lasted: number,
): Promise<RolloutFigures> {
  const [stable, rollout] = [running.stable.version, running.version]
  const shapes = {
    stable: await shapeFor(project, store, running, stable),
    rollout: await shapeFor(project, store, running, rollout),
  }
  // One after the other: each opens the whole window, and there is one log.
  const one = await figuresOf(log, { ...window, version: stable, variant: 'stable' }, shapes.stable)
  const other = await figuresOf(log, { ...window, version: rollout, variant: 'rollout' }, shapes.rollout)
  const answers = await answersOf(ctx, log, window, running, shapes, [one, other])
  return { stable: one, rollout: other, answers, lasted }
}

async function shapeFor(project: Project, store: Store, { model }: RunningRollout, version: number): Promise<RowShape> {
  const [{ subjectOf }, { baselineColumns, shapeOf }] = await Promise.all([
    import('../monitor/subject.ts'),
    import('../monitor/row-shape.ts'),
  ])
  const subject = await subjectOf(store, { model, selector: { version } })
  return shapeOf(project, subject, await baselineColumns(store, subject))
}

type Asked = WindowQuery & { readonly version: number; readonly variant: Variant }

const P95 = 0.95

async function figuresOf(log: PredictionLog, asked: Asked, shape: RowShape): Promise<VariantFigures> {
  const { version } = asked
  const { requests, errors, errorsByCategory, evenCalls, latency: counted } = await log.stats(asked)
  const part = requests === 0 ? 1 : Math.min(1, evenCalls / requests)
  const base = { version, requests, errors, errorsByCategory, part }
  if (requests === 0) return { ...base, latency: null, quality: null }
  const places = counted === null ? null : placesOf(counted.count, part)
  const { latency } = places === null ? { latency: null } : await log.stats({ ...asked, quantiles: places.levels })
  const quality = (await log.quality(asked, shape)).versions.find((each) => each.version === version)
  return {
    ...base,
    latency: latency === null || places === null ? null : { ...pick(latency), ...places.ends(latency.quantiles ?? []) },
    quality:
      quality === undefined || quality.task === null
        ? null
        : { task: quality.task, labelled: quality.labelled, metrics: quality.metrics },
  }
}

const pick = ({ count, p50, p95, p99 }: { count: number; p50: number; p95: number; p99: number }) => ({
  count,
  p50,
  p95,
  p99,
})

/** Which quantiles of the latencies are the ends of the two intervals of their p95. */
function placesOf(count: number, part: number) {
  const of = Math.max(1, Math.round(count * part))
  const found = [quantilePlaces(of, P95, SURELY), quantilePlaces(of, P95, LIKELY)] as const
  const places = found.flatMap(({ low, high }) => [low, high])
  const levels = places.map((place) => (place === null || of === 1 ? 0 : (place - 1) / (of - 1)))
  const ends = (values: readonly number[]): { readonly surely: Ends; readonly likely: Ends } => {
    const end = (index: number): number | null => (places[index] === null ? null : (values[index] ?? null))
    return { surely: { low: end(0), high: end(1) }, likely: { low: end(2), high: end(3) } }
  }
  return { levels, ends }
}

/** Fewer answers have no distribution. */
const FEWEST_ANSWERS = 50

/** Both counted into the groups of the version that holds the stage. */
async function answersOf(
  ctx: Context,
  log: PredictionLog,
  window: TimeWindow,
  { stable, version }: RunningRollout,
  shapes: Readonly<Record<Variant, RowShape>>,
  figures: readonly VariantFigures[],
): Promise<AnswerGroups> {
  const column = shapes.stable.prediction ?? 'prediction'
  const fewest = Math.min(...figures.map(({ requests, errors }) => requests - errors))
  if (fewest < FEWEST_ANSWERS) return { reason: `each of the two needs ${FEWEST_ANSWERS}` }
  const rows = (variant: Variant, of: number): DataInput =>
    only(log.rows({ ...window, version: of, variant }, { prediction: column, columns: [column] }), column)
  const [{ profileBaseline, profileBatch }, { measureColumn }] = await Promise.all([
    import('../drift/baseline.ts'),
    import('../drift/measure-column.ts'),
  ])
  const options = { cwd: ctx.cwd, ...(ctx.signal === undefined ? {} : { signal: ctx.signal }) }
  const schema = { columns: {}, prediction: column }
  const before = await profileBaseline(rows('stable', stable.version), { ...options, schema })
  const after = await profileBatch(before.profile, rows('rollout', version), options)
  const [a, b] = [before.profile.columns[0], after.profile.columns[0]]
  if (a === undefined || b === undefined || (a.type !== 'numeric' && a.type !== 'categorical')) {
    return { reason: `${column} of the logged answers is no number and no class` }
  }
  const { groups } = measureColumn(a, b, 'psi')
  return { column, stable: groups.map((group) => group.before), rollout: groups.map((group) => group.after) }
}

/** The answers alone: the features of the two are the same traffic. */
const only = (input: DataInput, column: string): DataInput => ({
  name: input.name,
  open: (options, use) =>
    input.open(options, (source) => use({ ...source, columns: source.columns.filter(({ name }) => name === column) })),
})
