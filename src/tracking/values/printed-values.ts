/**
 * Metrics and parameters that a command prints: `auc: 0.91` lines and lines that are one JSON object.
 *
 * Metrics are also read off lines that are several pairs, `Epoch 1/2 - loss: 0.5 - acc: 0.9`.
 *
 * Deliberately narrow. A metric that was never measured is worse than one that has to be logged by the client, so
 * nothing is taken from the middle of a line, and log records are left alone. docs/python-client.md states the rules.
 */
import { parseLenientJson } from './lenient-json.ts'
import { flattenMetrics, flattenParams } from './value-maps.ts'

export interface PrintedMetric {
  readonly key: string
  readonly value: number
  readonly step?: number
}
export interface PrintedValues {
  readonly metrics: readonly PrintedMetric[]
  readonly params: readonly { readonly key: string; readonly value: string | number | boolean | null }[]
  /** The name of a number like `1e400`: finite as it was written, and beyond what a double holds. */
  readonly tooLarge?: string
}

/** `Epoch 3/10 - `, `step 100: `, `[epoch 3] `, `Iter: 7, `, `[100]` and a tab as XGBoost has it: what comes before the pairs of a line, and their step. */
const COUNTER =
  /^(?:\[?(?:epoch|step|iter(?:ation)?)\s*[:=#]?\s*(\d{1,15})(?:\s*\/\s*\d+)?\]?(?:(?:\s*[-:|,;])+\s+|\s+)|\[(\d{1,15})\]\t)(?=[A-Za-z_])/i
/** Between the pairs of one line. */
const BETWEEN = /\s*[,;|]\s*|\s+-\s+|\s+/y
const NUMBER = '[-+]?(?:(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][-+]?\\d+)?|nan|inf(?:inity)?)'
/** The whole line, without colours and surrounding spaces: a name, `:` or `=`, a number. */
const PAIR = new RegExp(`^([A-Za-z_][\\w./-]{0,63})\\s*[:=]\\s*(${NUMBER})$`, 'i')
/** One of several pairs of a line: nothing may touch the number but what stands between pairs. */
const ONE_OF = new RegExp(`([A-Za-z_][\\w./-]{0,63})(?:\\s*=\\s*|\\s*:\\s+|:)(${NUMBER})(?=$|[\\s,;|])`, 'iy')
/** Characters of a line of several pairs. Looking for them costs the square of blanks without end. */
const LONGEST_PAIRS = 1_000
const COUNTERS = /^(?:epoch|step|iter|iteration)$/i
/** Words before a colon that begin a log line, or say when or where, never what was measured. */
const NOT_METRICS =
  /^(?:info|debug|warn|warning|error|critical|fatal|trace|notice|note|hint|todo|fixme|date|time|timestamp|datetime|pid|tid|port|line|row|col|column|id|uid|gid|http|https|file)$/i
/** Members that make a JSON line a record of a logger. */
const LOGGER_MEMBERS = ['msg', 'message', 'level', 'levelname', 'severity', 'logger', 'log']
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is removed
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g

const NOTHING: PrintedValues = { metrics: [], params: [] }

/** @param line without its line end */
export function readPrintedLine(line: string): PrintedValues {
  const text = (line.includes('\u001b') ? line.replace(ESCAPES, '') : line).trim()
  if (text.startsWith('{')) return text.endsWith('}') ? readJsonLine(text) : NOTHING
  return readPair(text) ?? readPairs(text) ?? NOTHING
}

function readPair(text: string): PrintedValues | undefined {
  const pair = PAIR.exec(text)
  const key = pair?.[1]
  if (key === undefined) return undefined
  if (NOT_METRICS.test(key)) return NOTHING
  const written = pair?.[2] ?? ''
  const value = readPrintedNumber(written)
  if (Math.abs(value) === Number.POSITIVE_INFINITY && !/inf/i.test(written)) return { ...NOTHING, tooLarge: key }
  return { metrics: [{ key, value }], params: [] }
}

/**
 * `loss: 0.5, acc: 0.9`, `Epoch 1/2 - loss: 0.5 - acc: 0.9`, `f1=0.5 auc=0.7`: the *whole* line is pairs, perhaps behind a
 * counter, or it is nothing. A unit, a percent sign, a bar or a word more, and the line means something else.
 */
function readPairs(text: string): PrintedValues | undefined {
  if (text.length > LONGEST_PAIRS) return undefined
  const counter = COUNTER.exec(text)
  let step = counter === null ? undefined : Number(counter[1] ?? counter[2])
  let at = counter?.[0].length ?? 0
  const metrics = new Map<string, number>()
  while (at < text.length) {
    ONE_OF.lastIndex = at
    const [whole, key, written] = ONE_OF.exec(text) ?? []
    if (whole === undefined || key === undefined || written === undefined) return undefined
    const value = readPrintedNumber(written)
    const isTooLarge = Math.abs(value) === Number.POSITIVE_INFINITY && !/inf/i.test(written)
    // Twice the same name is a table of something, a word of a log line no name of a metric.
    if (isTooLarge || metrics.has(key) || NOT_METRICS.test(key)) return undefined
    if (COUNTERS.test(key)) step = Number.isSafeInteger(value) ? value : step
    else metrics.set(key, value)
    at += whole.length
    if (at === text.length) break
    BETWEEN.lastIndex = at
    at += BETWEEN.exec(text)?.[0].length ?? 0
  }
  return { metrics: listMetrics(Object.fromEntries(metrics), step), params: [] }
}

/** A number as Python, R or C print it: also `nan`, `inf`, `-Infinity` in any case. */
function readPrintedNumber(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const bare = text.replace(/^[-+]/, '').toLowerCase()
  if (bare === 'nan') return Number.NaN
  return sign * (bare.startsWith('inf') ? Number.POSITIVE_INFINITY : Number(bare))
}

/**
 * `{"auc": 0.91, "step": 3}`: every number is a metric, `step` (or `epoch`) is their step, text is ignored. `{"metrics": {…},
 * "params": {…}}` names both. `{"metric": "auc", "value": 0.91, "step": 3}` is one.
 */
function readJsonLine(text: string): PrintedValues {
  const tooLarge: string[] = []
  const parsed = parseLenientJson(text, (name) => tooLarge.push(name))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return NOTHING
  const values = valuesOf(parsed as Record<string, unknown>)
  return tooLarge[0] === undefined ? values : { ...values, tooLarge: tooLarge[0] }
}

function valuesOf(record: Record<string, unknown>): PrintedValues {
  const step = stepOf(record)
  const named = isMap(record.metrics) || isMap(record.params)
  if (named) {
    const metrics = isMap(record.metrics) ? flattenMetrics(record.metrics) : {}
    const params = isMap(record.params) ? flattenParams(record.params) : {}
    return {
      metrics: listMetrics(metrics, step),
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
    }
  }
  const single = record.metric ?? record.name
  if (typeof single === 'string' && typeof record.value === 'number') {
    return { metrics: listMetrics({ [single]: record.value }, step), params: [] }
  }
  if (LOGGER_MEMBERS.some((name) => name in record)) return NOTHING
  const { step: _step, epoch: _epoch, time: _time, timestamp: _timestamp, ...rest } = record
  return { metrics: listMetrics(flattenMetrics(rest), step), params: [] }
}

function stepOf(record: Record<string, unknown>): number | undefined {
  const step = record.step ?? record.epoch
  return typeof step === 'number' && Number.isSafeInteger(step) ? step : undefined
}

const listMetrics = (metrics: Readonly<Record<string, number>>, step: number | undefined): PrintedMetric[] =>
  Object.entries(metrics).map(([key, value]) => ({ key, value, ...(step === undefined ? {} : { step }) }))

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
