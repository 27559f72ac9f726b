/**
 * The answers of a version to be on its test set, and its examples: named by flags, else logged by the script. Whether
 * they can be read is found out here and not by a gate at night. Nothing is concluded from them but whether they agree
 * with the metrics that were recorded.
 */
import { resolve } from 'node:path'
import { readNumber } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { isMlopsError, usage } from '../../core/errors.ts'
import type { HeldOut } from '../../evaluation/types.ts'
import type { SchemaConfig } from '../../project/config.ts'
import type { DataFact, Manifest, TableFormat } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import { whyOtherRows } from '../gate/test-set.ts'
import type { LoggedTest, RunSource } from './run-source.ts'
import type { RegisteredHeldOut, RegisterRequest } from './types.ts'

export interface HeldOutEvidence {
  readonly testPredictions: Manifest['testPredictions']
  readonly examples: Manifest['examples']
  /** What the answers say; null without any. */
  readonly heldOut: RegisteredHeldOut | null
}

export interface HeldOutRequest {
  readonly model: string
  readonly schema: SchemaConfig
  readonly request: Pick<RegisterRequest, 'testPredictions' | 'examples'>
  readonly run: RunSource | undefined
  /** What the version will say of its data: how many rows the test set has. */
  readonly data: readonly DataFact[]
  /** Those that the version will have. */
  readonly metrics: Manifest['metrics']
  /** Takes sentences for a person. */
  readonly notes: string[]
}

/** @throws usage `HELD_OUT_…`, failed `DATA_…` for a file that was named; what was logged and cannot be used is noted */
export async function heldOutEvidence(ctx: Context, store: Store, asked: HeldOutRequest): Promise<HeldOutEvidence> {
  const { request, notes } = asked
  const found =
    request.testPredictions === undefined
      ? await loggedPredictions(ctx, store, asked)
      : await namedPredictions(ctx, store, asked, request.testPredictions)
  const heldOut = found?.rows === undefined ? null : await recomputed(found.rows, found.from, asked.metrics)
  notes.push(...(heldOut === null ? [] : disagreements(heldOut)))
  return { testPredictions: found?.pin, examples: await examplesOf(ctx, store, asked), heldOut }
}

interface Found {
  readonly pin: NonNullable<Manifest['testPredictions']>
  /** Undefined: they were logged and say nothing. */
  readonly rows: HeldOut | undefined
  readonly from: RegisteredHeldOut['from']
}

async function namedPredictions(
  ctx: Context,
  store: Store,
  { schema, data }: HeldOutRequest,
  path: string,
): Promise<Found> {
  const { readHeldOutFile } = await import('../../evaluation/held-out.ts')
  ctx.progress?.(`reading ${path}`)
  const rows = await readHeldOutFile(path, hintsOf(schema), { cwd: ctx.cwd, ...signalOf(ctx) })
  const other = whyOtherRows(rows.rows, { data })
  if (other !== undefined) {
    throw usage({
      code: 'HELD_OUT_ROWS',
      message: `${path} is not of the test set: ${other}.`,
      hint: 'Write one answer for each row of the test set, or name the rows that were answered: --test FILE',
    })
  }
  const format = await formatOf(ctx, path)
  const pin = await store.objects.putFile(resolve(ctx.cwd, path))
  return { pin: { ...pin, ...(format === undefined ? {} : { format }) }, rows, from: 'file' }
}

async function loggedPredictions(
  ctx: Context,
  store: Store,
  { model, schema, run, data, notes }: HeldOutRequest,
): Promise<Found | undefined> {
  const logged = run?.test
  if (logged === undefined) return undefined
  const pin = pinOf(logged)
  try {
    const { readHeldOut } = await import('../../evaluation/held-out.ts')
    const rows = await readHeldOut(store, { model, testPredictions: pin, ...hintsOf(schema) }, signalOf(ctx))
    const other = whyOtherRows(rows.rows, { data })
    if (other === undefined) return { pin, rows, from: 'run' }
    notes.push(saysNothing(other))
    return { pin, rows: undefined, from: 'run' }
  } catch (error) {
    // Without them a gate would ask nothing. It finds them, and says what ails them.
    if (isMlopsError(error) && error.code.startsWith('HELD_OUT_')) {
      notes.push(saysNothing(error.message.replace(/\.$/, '')))
      return { pin, rows: undefined, from: 'run' }
    }
    notes.push(unreadable('held-out answers', 'log_test', error))
    return undefined
  }
}

const saysNothing = (why: string): string =>
  `the held-out answers that the script logged with log_test cannot be used, and a gate that looks at a metric will not pass: ${why}; name others: --test-predictions FILE`

const pinOf = ({ data, rowsDigest }: LoggedTest): Found['pin'] => ({
  ...data,
  format: 'jsonl',
  ...(rowsDigest === undefined ? {} : { rowsDigest }),
})

const hintsOf = ({ target, prediction }: SchemaConfig) => ({
  ...(target === undefined ? {} : { target }),
  ...(prediction === undefined ? {} : { prediction }),
})

const signalOf = ({ signal }: Context) => (signal === undefined ? {} : { signal })

/** An object has no name from which a reader could tell. */
async function formatOf(ctx: Context, path: string): Promise<TableFormat | undefined> {
  const { withSource } = await import('../../data/source.ts')
  const options = { cwd: ctx.cwd, ...signalOf(ctx) }
  return withSource(path, options, async ({ format }) => (format === 'postgres' ? undefined : format))
}

async function examplesOf(
  ctx: Context,
  store: Store,
  { request, run, notes }: HeldOutRequest,
): Promise<Manifest['examples']> {
  if (request.examples !== undefined) return store.objects.putFile(resolve(ctx.cwd, request.examples))
  const logged = run?.examples
  if (logged === undefined) return undefined
  try {
    return { ...(await store.objects.verify(logged.data.sha256)), format: 'jsonl' }
  } catch (error) {
    notes.push(unreadable('examples', 'log_examples', error))
    return undefined
  }
}

/** What a script logged hours ago must not keep its version out: it is left out, and that is said. */
function unreadable(what: string, call: string, error: unknown): string {
  if (!isMlopsError(error) || error.exit === 'interrupted') throw error
  return `no ${what}: what the script logged with ${call} cannot be read (${error.message.replace(/\.$/, '')})`
}

/** The metrics of the answers beside those of the same name that were recorded. */
async function recomputed(
  rows: HeldOut,
  from: RegisteredHeldOut['from'],
  recorded: Manifest['metrics'],
): Promise<RegisteredHeldOut> {
  const { metricOf, metricsOf } = await import('../../evaluation/metrics.ts')
  const differing = Object.entries(recorded).flatMap(([metric, said]) => {
    const computed = metricOf(rows, metric)
    const value = readNumber(said)
    const isSettled = value === undefined || computed === undefined || agrees(value, computed)
    return isSettled ? [] : [{ metric, recorded: said, computed }]
  })
  return { from, rows: rows.rows, task: rows.task, metrics: metricsOf(rows), differing, notes: rows.notes }
}

/** Whoever records 0.84 has often rounded 0.8412; a digit that is written must be right. */
export function agrees(recorded: number, computed: number): boolean {
  const fraction = /^-?\d+(?:\.(\d+))?$/.exec(String(recorded))?.[1]?.length ?? 0
  // As many digits as were written, but 0.8 and 1 may be 0.80 and 1.00, of which the zeros are lost.
  const digits = Math.max(fraction, Math.abs(recorded) <= 1 ? 2 : 1)
  return Math.abs(recorded - computed) <= 0.5 * 10 ** -digits + 1e-9 * Math.abs(computed)
}

const disagreements = ({ differing, rows }: RegisteredHeldOut): string[] =>
  differing.map(({ metric, recorded, computed }) => {
    const figure = String(Number(computed.toPrecision(6)))
    return `${metric} was recorded as ${recorded}, and the ${rows.toLocaleString('en-US')} held-out answers give ${figure}`
  })
