/**
 * One check of one version from end to end, but for the alert: which rows, drift, segments, the service, the labels, and
 * the record of it. Telling people is in `alerting.ts`, several periods in `periods.ts`, the fleet in `fleet.ts`.
 */
import type { Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { inconclusive } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { type DataInput, namedData } from '../data/input.ts'
import {
  checkKeyOf,
  compareBatch,
  configurationOf,
  type PreparedCheck,
  prepareCheck,
  storeCheck,
} from '../drift/check.ts'
import { importanceNotes } from '../drift/importances.ts'
import type { CheckResult } from '../drift/types.ts'
import { recordMember } from '../predictions/record-member.ts'
import type { LogStats, PredictionLog, RowShape, TimeWindow } from '../predictions/types.ts'
import { describeWindow, isoWindow } from '../predictions/window.ts'
import type { Project, SchemaConfig } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import { emptyWindow } from './empty-window.ts'
import { serviceQuestion } from './health-windows.ts'
import { importancesOf } from './importances.ts'
import { realisedQuality } from './labels.ts'
import { nextOf } from './next.ts'
import { type BaselineColumns, baselineColumns, shapeOf, unloggedColumns } from './row-shape.ts'
import { compareBySegments, segmentColumn } from './segments.ts'
import { judgeService } from './service-health.ts'
import { type Sources, sourcesOf } from './sources.ts'
import { type Subject, subjectOf } from './subject.ts'
import type { MonitoredCheck, MonitorRequest } from './types.ts'
import { previousOf } from './window.ts'
import { windowKey } from './window-key.ts'

/**
 * @throws notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `STAGE_EMPTY`, `BASELINE_MISSING`, `DATA_NOT_FOUND`,
 *   `IMPORTANCES_NOT_FOUND`; usage `CURRENT_MISSING`, `WINDOW_INVALID`, `AGAINST_UNSUPPORTED`, `SEGMENT_ROWS_MISSING`;
 *   inconclusive `WINDOW_EMPTY`; failed for data that cannot be read
 */
export async function checkModel(
  ctx: Context,
  project: Project,
  store: Store,
  request: MonitorRequest,
): Promise<{ readonly subject: Subject; readonly check: MonitoredCheck }> {
  const subject = await subjectOf(store, request.ref)
  const sources = await sourcesOf(ctx, project, store, subject, request)
  const { check, more, prepared } = await (sources.kind === 'data'
    ? checkData(ctx, project, store, { subject, request, sources })
    : checkLog(ctx, project, store, { subject, request, sources }))
  const key = checkKeyOf(prepared, check, more)
  const isNew = await storeCheck(ctx, store, prepared, check, more)
  const stored = isNew ? undefined : await store.checks.get(check.model, key)
  const first = (stored as { readonly time?: unknown } | null | undefined)?.time
  return {
    subject,
    check: { ...check, key, next: nextOf(check), alreadyChecked: typeof first === 'string' ? first : null },
  }
}

/** How the reference of `--against previous` is called, followed by its times. */
export const WINDOW_BEFORE = 'the window before'

interface Judged {
  readonly prepared: PreparedCheck
  readonly check: CheckResult
  /** What identifies the window besides the bytes of its rows. */
  readonly more: Readonly<Record<string, Json>>
}

interface Asked<S extends Sources = Sources> {
  readonly subject: Subject
  readonly request: MonitorRequest
  readonly sources: S
}
type DataSources = Extract<Sources, { kind: 'data' }>
type LogSources = Extract<Sources, { kind: 'log' }>

async function checkData(ctx: Context, project: Project, store: Store, asked: Asked<DataSources>): Promise<Judged> {
  const { request, sources } = asked
  const { against } = request
  const rows = against === undefined || isVersion(against) || against === 'previous' ? undefined : namedData(against)
  const prepared = await prepare(ctx, project, store, asked, rows ?? against)
  const check = await compare(ctx, project, store, { ...asked, prepared, batch: sources.data, rows })
  return { prepared, check: configured(check, prepared, segmentSettings(check)), more: {} }
}

async function checkLog(ctx: Context, project: Project, store: Store, asked: Asked<LogSources>): Promise<Judged> {
  const { subject, request, sources } = asked
  const { log, window } = sources
  const { version } = subject.version
  ctx.progress?.(`Reading the prediction log of ${subject.state.model}`)
  const previous = request.against === 'previous'
  const { health: bounds } = modelConfig(project, subject.state.model)
  const asking = { window, version, entered: subject.entered, previous, bounds, now: ctx.now().getTime() }
  const { question, stats } = await serviceQuestion(log, asking)
  const baseline = await baselineColumns(store, subject)
  const by = segmentColumn(project, subject, request)?.column
  const shape = {
    ...shapeOf(project, subject, baseline),
    ...(by !== undefined && recordMember(by) ? { member: by } : {}),
  }
  const { prepared, compared } = await compareWindow(ctx, project, store, { ...asked, stats, baseline, shape })
  const quality = await realisedQuality(log, window, version, shape, subject.manifest.metrics)
  const leftOut = stats.records - (ownFigures(stats, version)?.records ?? 0)
  const check: CheckResult = {
    ...compared,
    current: { ...compared.current, source: `prediction log, ${describeWindow(window)}` },
    window: isoWindow(window),
    leftOut,
    health: judgeService(question),
    ...(quality === undefined ? {} : { quality }),
    notes: [...compared.notes, ...notesOf(stats, version, leftOut)],
  }
  const settings = { ...segmentSettings(check), health: { ...bounds } }
  return { prepared, check: configured(check, prepared, settings), more: windowKey(check, stats) }
}

const ownFigures = ({ versions }: LogStats, version: number) => versions.find((each) => each.version === version)

/** The rows of the version in the window against its reference, read as the baseline was. */
async function compareWindow(
  ctx: Context,
  project: Project,
  store: Store,
  asked: Asked<LogSources> & {
    readonly stats: LogStats
    readonly baseline: BaselineColumns
    readonly shape: RowShape
  },
): Promise<{ readonly prepared: PreparedCheck; readonly compared: CheckResult }> {
  const { subject, request, sources, stats, baseline, shape } = asked
  const { log, window } = sources
  const { version } = subject.version
  const isPrevious = request.against === 'previous'
  const rows = isPrevious ? await previousRows(log, window, version, shape) : dataOf(request.against)
  const withoutTarget = <T extends { readonly name: string }>(columns: readonly T[]) =>
    columns.filter(({ name }) => name !== shape.target)
  const types = Object.fromEntries(withoutTarget(baseline ?? []).map(({ name, type }) => [name, type]))
  const prepared = await prepare(ctx, project, store, asked, rows ?? request.against, types)
  const own = ownFigures(stats, version)
  // A failed request has no answer to look at.
  if ((own?.requests ?? 0) <= (own?.errors ?? 0)) {
    return { prepared, compared: await emptyWindow(ctx, prepared, log, window, stats) }
  }
  const columns = withoutTarget(prepared.reference.profile.columns).map(({ name }) => name)
  const wanted = segmentColumn(project, subject, request)?.column
  const by = wanted === undefined || columns.includes(wanted) ? [] : [wanted]
  const batch = log.rows({ ...window, version }, { ...shape, columns: [...columns, ...by] })
  return { prepared, compared: await compare(ctx, project, store, { ...asked, prepared, batch, rows }) }
}

const configured = (check: CheckResult, { reference, options }: PreparedCheck, more: Record<string, Json>) =>
  Object.keys(more).length === 0
    ? check
    : { ...check, configuration: configurationOf(reference.profile, options, more) }

/** A check whose segments could not be looked at is another check than one with them. */
const segmentSettings = ({ segments }: CheckResult): Record<string, Json> =>
  segments === undefined ? {} : { by: segments.column }

const isVersion = (against: string): boolean => against === 'baseline' || against.startsWith('@')

/** Data that a person names to compare with; undefined for a baseline. */
const dataOf = (against: string | undefined): DataInput | undefined =>
  against === undefined || against === 'previous' || isVersion(against) ? undefined : namedData(against)

async function prepare(
  ctx: Context,
  project: Project,
  store: Store,
  { subject, request, sources }: Asked,
  against: string | DataInput | undefined,
  types?: SchemaConfig['columns'],
): Promise<PreparedCheck> {
  const importances = await importancesOf(ctx, store, subject, request.importances)
  const unlogged = sources.kind === 'log' ? await unloggedColumns(project, store, subject) : {}
  return prepareCheck(ctx, project, store, {
    ref: { model: subject.state.model, selector: { version: subject.version.version } },
    ...(request.current === undefined ? {} : { current: request.current }),
    ...(against === undefined ? {} : { against }),
    ...(request.metric === undefined ? {} : { metric: request.metric }),
    ...(request.threshold === undefined ? {} : { threshold: request.threshold }),
    ...(sources.settings.threshold === undefined ? {} : { fallbackThreshold: sources.settings.threshold }),
    ...(importances === undefined ? {} : { importances: importances.values }),
    ...(types === undefined ? {} : { types }),
    unlogged,
  })
}

async function compare(
  ctx: Context,
  project: Project,
  store: Store,
  asked: Asked & {
    readonly prepared: PreparedCheck
    readonly batch: DataInput
    readonly rows: DataInput | undefined
  },
): Promise<CheckResult> {
  const { subject, request, prepared, batch } = asked
  const by = segmentColumn(project, subject, request)
  const check =
    by === undefined
      ? await compareBatch(ctx, prepared, batch)
      : await compareBySegments(ctx, project, store, { ...asked, by })
  const { importances } = prepared.options
  if (importances === undefined || request.importances === undefined) return check
  const columns = prepared.reference.profile.columns.map(({ name }) => name)
  return { ...check, notes: [...check.notes, ...importanceNotes(importances, columns, request.importances)] }
}

/** @throws inconclusive `WINDOW_EMPTY` */
async function previousRows(
  log: PredictionLog,
  window: TimeWindow,
  version: number,
  shape: RowShape,
): Promise<DataInput> {
  const before = previousOf(window)
  const { records } = await log.stats({ ...before, version })
  const { model } = log
  if (records === 0) {
    throw inconclusive({
      code: 'WINDOW_EMPTY',
      message: `${versionName(model, version)} answered nothing in the window before (${describeWindow(before)}): there is nothing to compare with.`,
      hint: `Compare with its baseline: mlops drift ${model}; see what was logged: mlops predictions stats ${model}`,
    })
  }
  const rows = log.rows({ ...before, version }, shape)
  return { name: `${WINDOW_BEFORE} (${describeWindow(before)})`, open: rows.open.bind(rows) }
}

function notesOf(stats: LogStats, version: number, leftOut: number): string[] {
  const others = stats.versions.filter((each) => each.version !== version && each.records > 0)
  const names = others.map((each) => (each.version === 0 ? 'an unknown version' : `@${each.version}`)).join(', ')
  const count = (n: number) => `${n.toLocaleString('en-US')} row${n === 1 ? '' : 's'}`
  return [
    ...(leftOut > 0 ? [`${count(leftOut)} of the window were answered by ${names} and left out`] : []),
    ...(stats.torn > 0 ? [`${count(stats.torn)} of the log could not be read and were left out`] : []),
  ]
}
