/**
 * What the prediction log says of a model right now, for those who decide by it: `retrain` (has the version in
 * production drifted?) and `rollback` (would an older version fit today's rows?). Undefined where there is no log, or
 * nobody asked the model in its window: then they look elsewhere.
 */
import type { Context } from '../core/context.ts'
import { given } from '../core/given.ts'
import { compareBatch, prepareCheck } from '../drift/check.ts'
import type { CheckResult } from '../drift/types.ts'
import { codeSettings } from '../predictions/settings.ts'
import type { PredictionLog, TimeWindow } from '../predictions/types.ts'
import { describeWindow, isoWindow } from '../predictions/window.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import { checkModel } from './check.ts'
import { baselineColumns, shapeOf, unloggedColumns } from './row-shape.ts'
import { logOf, requestedWindow } from './sources.ts'
import { subjectOf } from './subject.ts'

interface Wanted {
  readonly model: string
  readonly version: number
  /** How much of the log, `14d`; undefined: what mlops.yaml says. */
  readonly window?: string | undefined
}

/** What the labels that have arrived by now say of a version's answers in a window. */
export interface RealisedNow {
  readonly window: { readonly since: string; readonly until: string }
  /** Answers of the window, and how many of them have a label. */
  readonly rows: number
  readonly labelled: number
  /** Only those that the labels can give; without a label none. */
  readonly metrics: Readonly<Record<string, number>>
}

/** The check that `mlops drift MODEL@VERSION` would make now, stored as that is. @throws as `checkModel` */
export async function checkNow(
  ctx: Context,
  project: Project,
  store: Store,
  { model, version, window }: Wanted,
): Promise<CheckResult | undefined> {
  const asked = await askedNow(ctx, project, store, model, { version, window })
  if (asked === undefined) return undefined
  const { check } = await checkModel(ctx, project, store, {
    ref: { model, selector: { version } },
    window: {},
    exact: asked.window,
  })
  return check
}

/** Realised quality as it is now, of this version alone. Nothing is stored. @throws as the log does */
export async function realisedNow(
  ctx: Context,
  project: Project,
  store: Store,
  { model, version, window }: Wanted,
): Promise<RealisedNow | undefined> {
  const asked = await askedNow(ctx, project, store, model, { version, window })
  if (asked === undefined) return undefined
  const subject = await subjectOf(store, { model, selector: { version } })
  const shape = shapeOf(project, subject, await baselineColumns(store, subject))
  const { versions } = await asked.log.quality({ ...asked.window, version }, shape)
  const found = versions.find((each) => each.version === version)
  const { rows = 0, labelled = 0, metrics = {} } = found ?? {}
  return { window: isoWindow(asked.window), rows, labelled, metrics }
}

/**
 * The rows of today, whoever answered them, against the baseline of a version that may not have answered any. The
 * answers themselves are another version's and are left out. Not stored: it is no check of what runs.
 * @throws as `prepareCheck` and `compareBatch`
 */
export async function compareNow(
  ctx: Context,
  project: Project,
  store: Store,
  { model, version }: Wanted,
): Promise<CheckResult | undefined> {
  const asked = await askedNow(ctx, project, store, model)
  if (asked === undefined) return undefined
  const { log, window } = asked
  const ref = { model, selector: { version } }
  const subject = await subjectOf(store, ref)
  const { manifest } = subject
  const { schema } = modelConfig(project, model)
  const [prediction, target] = [schema.prediction ?? manifest.prediction, schema.target ?? manifest.target]
  const { threshold } = await codeSettings(store, model)
  const prepared = await prepareCheck(ctx, project, store, {
    ref,
    ignored: [prediction, target].filter((name) => name !== undefined),
    unlogged: await unloggedColumns(project, store, subject),
    ...(threshold === undefined ? {} : { fallbackThreshold: threshold }),
  })
  const columns = prepared.reference.profile.columns.map(({ name }) => name)
  const rows = log.rows(window, { columns, ...(prediction === undefined ? {} : { prediction }) })
  const check = await compareBatch(ctx, prepared, rows)
  const source = `prediction log, ${describeWindow(window)}`
  return { ...check, current: { ...check.current, source }, window: isoWindow(window) }
}

/** The log and its window up to now, when the version (without one: any) answered somebody in it. */
async function askedNow(
  ctx: Context,
  project: Project,
  store: Store,
  model: string,
  { version, window: length }: Partial<Pick<Wanted, 'version' | 'window'>> = {},
): Promise<{ readonly log: PredictionLog; readonly window: TimeWindow } | undefined> {
  const log = await logOf(ctx, project, store, model)
  if (log === null) return undefined
  const window = requestedWindow(project, model, { window: given({ window: length }) }, ctx.now())
  const { requests, errors } = await log.stats({ ...window, ...(version === undefined ? {} : { version }) })
  return requests > errors ? { log, window } : undefined
}
