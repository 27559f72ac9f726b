/**
 * The chunks of data known to be fine, each compared as a real check compares: rows of a file, or periods of the log.
 * What follows from them is in `calibrate.ts`.
 */
import type { Context } from '../core/context.ts'
import { failed, inconclusive, type MlopsError, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { type DataInput, namedData } from '../data/input.ts'
import type { Source } from '../data/source.ts'
import { type ComparedChunk, chunksNeeded, keptOf } from '../drift/calibrate.ts'
import { compareBatch, type PreparedCheck } from '../drift/check.ts'
import { compareProfiles } from '../drift/compare.ts'
import { type ChunkPlan, countChunks, countRows, firstRowOf } from '../drift/count-chunks.ts'
import type { Profile } from '../drift/profile.ts'
import { readingOptions } from '../drift/reference.ts'
import { restOf } from '../drift/rest.ts'
import { describeWindow, lengthOf } from '../predictions/window.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import type { CalibrateRequest, ChunkResult, ChunkSet } from './calibration.ts'
import { median, typicalRows } from './chunk-rows.ts'
import { baselineColumns, shapeOf } from './row-shape.ts'
import { currentMissing, DEFAULT_WINDOW, logOf, placeOfLog } from './sources.ts'
import type { Subject } from './subject.ts'
import { trainingRows } from './training-rows.ts'
import { periodsOf, windowOf } from './window.ts'

export interface ComparedChunks {
  readonly set: ChunkSet
  readonly compared: readonly ComparedChunk[]
  readonly results: readonly ChunkResult[]
  readonly notes: readonly string[]
}

export interface Asked {
  readonly request: CalibrateRequest
  readonly subject: Subject
  readonly prepared: PreparedCheck
}

/** Unless `--chunks` says otherwise: more tell no threshold better than the effort is worth. */
const MOST_CHUNKS = 200
/** Where nobody knows how large a window is, and at least. */
const ASSUMED_ROWS = 1000
const FEWEST_ROWS = 50
const DEFAULT_SPAN = '90d'

/** Every period of the log that is over and has rows. @throws usage `CURRENT_MISSING`, `WINDOW_INVALID` */
export async function chunksOfLog(ctx: Context, project: Project, store: Store, asked: Asked): Promise<ComparedChunks> {
  const { request, subject, prepared } = asked
  const { model } = subject.state
  const log = await logOf(ctx, project, store, model)
  if (log === null) throw currentMissing(model, await placeOfLog(ctx, project, store, model))
  const now = ctx.now()
  const every = request.every ?? modelConfig(project, model).drift.window ?? DEFAULT_WINDOW
  const spans = periodsOf(windowOf(request.window, DEFAULT_SPAN, now), lengthOf(every, '--every'))
  const shape = shapeOf(project, subject, await baselineColumns(store, subject))
  const { version } = subject.version
  const compared: ComparedChunk[] = []
  const results: ChunkResult[] = []
  let skipped = 0
  for (const [i, span] of spans.entries()) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`Comparing ${describeWindow(span)}`, i / spans.length)
    const { requests, errors } = span.until > now.getTime() ? EMPTY : await log.stats({ ...span, version })
    if (requests <= errors) {
      skipped++
      continue
    }
    const { columns } = prepared.reference.profile
    const names = columns.flatMap(({ name }) => (name === shape.target ? [] : [name]))
    const check = await compareBatch(ctx, prepared, log.rows({ ...span, version }, { ...shape, columns: names }))
    compared.push(keptOf(check))
    results.push({ ...resultOf(check), name: describeWindow(span), rows: check.current.rows })
  }
  if (results.length === 0) throw noRows(subject, `the prediction log between ${spanOf(spans)}`)
  return {
    set: {
      kind: 'prediction log',
      source: log.home,
      rows: results.reduce((sum, { rows }) => sum + rows, 0),
      rowsEach: median(results.map(({ rows }) => rows)),
      rowsFrom: `periods of ${every}`,
      order: 'as they come',
      isOwn: false,
    },
    compared,
    results,
    notes:
      skipped === 0 ? [] : [`${skipped} of ${spans.length} periods are not over, or have no answers of this version`],
  }
}

const EMPTY = { requests: 0, errors: 0 }

const spanOf = (spans: readonly { since: number; until: number }[]): string =>
  describeWindow({ since: spans[0]?.since ?? 0, until: spans.at(-1)?.until ?? 0 })

/** Rows that a person names, else those of the baseline. @throws usage `CALIBRATION_DATA_MISSING`; as `profileBatch` */
export async function chunksOfData(
  ctx: Context,
  project: Project,
  store: Store,
  asked: Asked,
): Promise<ComparedChunks> {
  const { request, subject, prepared } = asked
  const input = await inputOf(project, store, asked)
  const typical = request.rows === undefined ? await typicalRows(ctx, project, store, subject) : undefined
  const expected = prepared.reference.profile.columns.map(({ name }) => name)
  return input.open({ ...readingOptions(ctx), expected }, async (source) => {
    assertRelated(source, expected)
    ctx.progress?.(`Looking at ${input.name}`)
    const total = await countRows(source)
    const sized = sizeOf(request, typical, total)
    const plan = planOf(request, sized.rows, total)
    if (plan.chunks === 0) throw tooFewRows(subject, input.name, total, sized.rows)
    const own = (subject.manifest.baseline?.data ?? subject.state.baseline?.data)?.sha256
    const isOwn = own !== undefined && (await source.sha256) === own
    const found: { compared: ComparedChunk; result: ChunkResult }[] = []
    const onProfile = (chunk: number, profile: Profile) => {
      found[chunk] = compareChunk(prepared, profile, isOwn, chunkName(plan, chunk))
    }
    await countChunks(prepared.reference.profile, source, plan, onProfile, (fraction) =>
      ctx.progress?.(`Counting ${plan.chunks} chunks of ${input.name}`, fraction),
    )
    await source.assertUnchanged()
    return {
      set: {
        kind: request.data === undefined ? 'training data' : 'data',
        source: input.name,
        rows: total,
        rowsEach: sized.rows,
        rowsFrom: sized.from,
        order: request.seed === undefined ? 'as they come' : 'shuffled',
        isOwn,
      },
      compared: found.map(({ compared }) => compared),
      results: found.map(({ result }) => result),
      notes: source.notes,
    }
  })
}

async function inputOf(project: Project, store: Store, { request, subject }: Asked): Promise<DataInput> {
  const { data, query } = request
  if (data !== undefined) return namedData(data, query === undefined ? {} : { query })
  const name = versionName(subject.state.model, subject.version.version)
  return trainingRows(project, store, subject, (why) =>
    usage({
      code: 'CALIBRATION_DATA_MISSING',
      message: `Which data are known to be fine? The training data of ${name} cannot be taken: ${why}.`,
      hint: `Name them: mlops drift calibrate ${name} --data FILE; or take periods of the prediction log: --window 90d --every 7d`,
    }),
  )
}

function sizeOf(
  { rows, falseAlarms }: CalibrateRequest,
  typical: { rows: number; from: string } | undefined,
  total: number,
) {
  if (rows !== undefined) return { rows, from: 'as --rows says' }
  if (typical !== undefined) return typical
  const most = Math.floor(total / chunksNeeded(falseAlarms))
  return {
    rows: Math.max(FEWEST_ROWS, Math.min(ASSUMED_ROWS, most)),
    from: 'assumed: nothing is logged or checked yet; say with --rows what a window in production has',
  }
}

function planOf({ chunks, seed }: CalibrateRequest, rows: number, total: number): ChunkPlan {
  const plan = { total, rows, chunks: Math.min(chunks ?? MOST_CHUNKS, Math.floor(total / rows)) }
  return seed === undefined ? plan : { ...plan, seed }
}

function chunkName(plan: ChunkPlan, chunk: number): string {
  if (plan.seed !== undefined) return `draw ${chunk + 1}`
  const first = firstRowOf(plan, chunk)
  return `rows ${count(first + 1)} to ${count(first + plan.rows)}`
}

function compareChunk({ reference, options }: PreparedCheck, chunk: Profile, isOwn: boolean, name: string) {
  // A part of the baseline against the whole of it would look better than any other batch.
  const other = (isOwn ? restOf(reference.profile, chunk) : undefined) ?? reference.profile
  const check = compareProfiles(other, chunk, options)
  return { compared: keptOf(check), result: { ...resultOf(check), name, rows: chunk.rows } }
}

const resultOf = ({
  verdict,
  columns,
}: ReturnType<typeof compareProfiles>): Pick<ChunkResult, 'verdict' | 'drifted'> => ({
  verdict,
  drifted: columns.flatMap((each) => (each.verdict === 'drift' || each.verdict === 'broken' ? [each.column] : [])),
})

function assertRelated(source: Source, expected: readonly string[]): void {
  const present = source.keys ?? new Set(source.columns.map(({ name }) => name))
  if (expected.some((name) => present.has(name))) return
  throw failed({
    code: 'DATA_UNRELATED',
    message: `${source.name} has no column in common with the baseline.`,
    hint: 'Check that it is the right file and that its first line holds the column names',
  })
}

const count = (value: number): string => value.toLocaleString('en-US')

const noRows = ({ state }: Subject, where: string): MlopsError =>
  inconclusive({
    code: 'CALIBRATION_EMPTY',
    message: `There are no answers of this version in ${where}: there is nothing to calibrate by.`,
    hint: `See what was logged: mlops predictions stats ${state.model}; or name data: mlops drift calibrate ${state.model} --data FILE`,
  })

const tooFewRows = ({ state }: Subject, name: string, total: number, rows: number): MlopsError =>
  inconclusive({
    code: 'CALIBRATION_EMPTY',
    message: `${name} has ${count(total)} rows, and one chunk alone would take ${count(rows)}.`,
    hint: `Name more data: mlops drift calibrate ${state.model} --data FILE; or smaller chunks: --rows ${Math.max(1, Math.floor(total / 20))}`,
  })
