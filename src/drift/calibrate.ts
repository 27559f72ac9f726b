/**
 * From checks of data known to be fine to thresholds that keep a promised rate of false alarms. Pure: what the chunks
 * are is decided in `src/monitor/`, how they are counted in `count-chunks.ts`, what a threshold still detects in
 * `detectable.ts`. The reasoning is in docs/drift-calibrate.md.
 */
import { binomialAtLeast, clopperPearson, type Interval, rateWith } from '../core/binomial.ts'
import type { CheckResult, ColumnResult } from './types.ts'
import { COLUMN_ALPHA } from './verdict.ts'

/** What is kept of a chunk's check: hundreds of them are held at once. */
export interface ComparedChunk {
  readonly verdict: CheckResult['verdict']
  readonly columns: readonly ChunkColumn[]
  /** Rows with which it could have said something; null where it did, or where no number of rows would do. */
  readonly rowsNeeded: number | null
}
export type ChunkColumn = Pick<
  ColumnResult,
  'column' | 'type' | 'role' | 'verdict' | 'metric' | 'effect' | 'threshold' | 'noise' | 'pAdjusted'
>

export const keptOf = ({ verdict, columns }: Pick<CheckResult, 'verdict' | 'columns'>): ComparedChunk => ({
  verdict,
  rowsNeeded: verdict === 'inconclusive' ? rowsToJudge(columns) : null,
  columns: columns.map(({ column, type, role, verdict, metric, effect, threshold, noise, pAdjusted }) => ({
    ...{ column, type, role, verdict, metric, effect, threshold, noise, pAdjusted },
  })),
})

/** As many as leave no prediction and at most half of the columns open: the rule of `judgeCheck`. */
function rowsToJudge(columns: readonly ColumnResult[]): number | null {
  const compared = columns.filter(({ verdict }) => verdict !== 'skipped')
  const open = compared.filter(({ verdict }) => verdict === 'inconclusive')
  const rowsOf = ({ rowsNeeded }: ColumnResult): number => rowsNeeded ?? Number.POSITIVE_INFINITY
  const sorted = open.map(rowsOf).sort((a, b) => a - b)
  const forHalf = sorted[open.length - Math.floor(compared.length / 2) - 1] ?? 0
  const rows = Math.max(forHalf, ...open.filter(({ role }) => role === 'prediction').map(rowsOf))
  return rows > 0 && Number.isFinite(rows) ? rows : null
}

/** One column over all chunks. */
export interface ColumnEffects {
  readonly column: string
  /** Applies today. */
  readonly threshold: number
  /** By chunk: the effect where it is beyond chance, else 0: what a threshold is compared with. */
  readonly effects: readonly number[]
  /** By chunk: fires whatever the threshold (`broken`). */
  readonly fixed: readonly boolean[]
  /** The 95 % bound of the effect under no drift: the largest over the chunks. */
  readonly noise: number
  /** False where PSI stands in for the configured measure: its threshold is no setting. */
  readonly isSettable: boolean
}

export interface Rate extends Interval {
  readonly events: number
  readonly of: number
}

/** `events` of `of`, with the exact 95 % interval. */
export const rateOf = (events: number, of: number): Rate =>
  of === 0 ? { events, of, low: 0, high: 1 } : { events, of, ...clopperPearson(events, of) }

export interface Proposal {
  /** The promise: at most this share of checks fires on data that is fine. */
  readonly falseAlarms: number
  /** For all columns without an entry of their own. */
  readonly threshold: number
  /** Entries that are new or another than today. */
  readonly columns: Readonly<Record<string, number>>
  /** Whether anything differs from today. */
  readonly isChanged: boolean
  /** How many of these very chunks would fire: they were looked at, so this flatters. */
  readonly alarms: number
  /**
   * Of new chunks like these: the mean rate is at most `mean`, and the rate is below `upper` with 95 % confidence. For
   * thresholds that stay as they are, the rate that was seen and the end of its interval.
   */
  readonly sure: { readonly mean: number; readonly upper: number }
  /** Columns that fire too often whatever the threshold. */
  readonly beyondHelp: readonly string[]
  /** False: because of these no thresholds keep the promise, and none are proposed. */
  readonly isPossible: boolean
}

export interface ProposeOptions {
  readonly falseAlarms: number
  /** The default that applies today. */
  readonly threshold: number
  /** Columns with an entry of their own today. */
  readonly configured: ReadonlySet<string>
  /** Thresholds may fall, too: down to the noise. */
  readonly tighten: boolean
}

/** With fewer chunks no threshold can be told from luck: with n chunks the largest of n + 1 is the new one once in n + 1. */
export const chunksNeeded = (falseAlarms: number): number => Math.max(2, Math.ceil(1 / falseAlarms - 1 - 1e-9))

export function effectsOf(chunks: readonly ComparedChunk[], metric: ColumnResult['metric']): ColumnEffects[] {
  const byColumn = new Map<string, ChunkColumn[]>()
  for (const { columns } of chunks) {
    for (const column of columns) {
      const list = byColumn.get(column.column)
      if (list === undefined) byColumn.set(column.column, [column])
      else list.push(column)
    }
  }
  return [...byColumn].flatMap(([column, results]) => {
    const [first] = results
    if (first === undefined || results.every(({ verdict }) => verdict === 'skipped')) return []
    const measured = results.find(({ effect }) => effect !== null)
    return [
      {
        column,
        threshold: (measured ?? first).threshold,
        effects: results.map(({ effect, pAdjusted }) => ((pAdjusted ?? 1) <= COLUMN_ALPHA ? (effect ?? 0) : 0)),
        fixed: results.map(({ verdict }) => verdict === 'broken'),
        noise: Math.max(0, ...results.map(({ noise }) => noise ?? 0)),
        isSettable: measured === undefined || measured.metric === metric,
      },
    ]
  })
}

/** How many chunks would fire, with these thresholds by column. */
export function countAlarms(columns: readonly ColumnEffects[], thresholdOf: (column: ColumnEffects) => number): number {
  const chunks = columns[0]?.effects.length ?? 0
  let alarms = 0
  for (let k = 0; k < chunks; k++) {
    const fires = (column: ColumnEffects) => column.fixed[k] === true || (column.effects[k] ?? 0) >= thresholdOf(column)
    if (columns.some(fires)) alarms++
  }
  return alarms
}

/**
 * Thresholds under which a new chunk, exchangeable with the n ones seen, fires with a probability of at most j/(n+1),
 * where j = floor(falseAlarms (n + 1)): distribution-free and for all columns together. Each chunk is scored by how far
 * it exceeds what the *other* chunks alone would have made the thresholds; the j-th largest score scales them. (The new
 * chunk's score among n + 1 is as likely to be any rank as another; the others' scores can only fall when it joins them.)
 * @returns undefined with fewer than `chunksNeeded` chunks
 */
export function proposeThresholds(columns: readonly ColumnEffects[], options: ProposeOptions): Proposal | undefined {
  const chunks = columns[0]?.effects.length ?? 0
  const { falseAlarms } = options
  if (chunks < chunksNeeded(falseAlarms)) return undefined
  const allowed = Math.max(1, Math.floor(falseAlarms * (chunks + 1) + 1e-9))
  const settable = columns.filter(({ isSettable }) => isSettable)
  // What is left with the highest thresholds there are: broken columns, and those whose threshold is no setting.
  const least = (column: ColumnEffects) => (column.isSettable ? Number.POSITIVE_INFINITY : column.threshold)
  const isPossible = countAlarms(columns, least) <= falseAlarms * chunks
  const stuck = columns.map((column) => ({ column: column.column, events: countAlarms([column], least) }))
  const often = stuck.filter(({ events }) => events >= allowed)
  const beyondHelp = (often.length > 0 || isPossible ? often : stuck.filter(({ events }) => events > 0)).map(
    ({ column }) => column,
  )
  const today = countAlarms(columns, ({ threshold }) => threshold)
  if (!isPossible) return impossible({ columns, beyondHelp, options })
  if (!options.tighten && today <= falseAlarms * chunks) {
    const { high } = rateOf(today, chunks)
    const sure = { mean: today / chunks, upper: high }
    return { ...unchanged(options), beyondHelp: [], isPossible, alarms: today, sure }
  }
  const base = options.tighten ? tightest(settable, options.threshold) : options.threshold
  const floors = settable.map((column) => (options.tighten ? base : column.threshold))
  const raised = raise(settable, floors, allowed)
  const own = settable.map((column, i) => ({
    column,
    floor: floors[i] ?? base,
    wanted: raised[i] ?? { calm: true, value: base },
  }))
  // Columns that stayed calm share the default; only the others get an entry of their own.
  const calm = own.filter(({ column, floor, wanted }) => wanted.calm && floor === base && !hasOwn(column, options))
  const threshold = Math.max(base, ...calm.map(({ wanted }) => roundedUp(wanted.value, base)))
  const entries = own.flatMap(({ column, floor, wanted }): [string, number][] => {
    const value = wanted.value > floor ? Math.max(roundedUp(wanted.value, floor), roundedUp(column.noise, 0)) : floor
    const isSame = hasOwn(column, options) ? value === column.threshold : value <= threshold
    return isSame ? [] : [[column.column, value]]
  })
  const proposed = new Map(entries)
  const thresholdOf = (column: ColumnEffects) =>
    proposed.get(column.column) ??
    (hasOwn(column, options) || !column.isSettable ? column.threshold : Math.max(threshold, 0))
  return {
    falseAlarms,
    threshold,
    columns: Object.fromEntries(entries),
    isChanged: threshold !== options.threshold || entries.length > 0,
    alarms: countAlarms(columns, thresholdOf),
    sure: { mean: allowed / (chunks + 1), upper: rateWith(chunks, allowed, 0.95) },
    beyondHelp,
    isPossible,
  }
}

/** Nothing is changed for a promise that these columns break whatever is proposed for the others. */
export function impossible({
  columns,
  beyondHelp,
  options,
}: {
  readonly columns: readonly ColumnEffects[]
  readonly beyondHelp: readonly string[]
  readonly options: Pick<ProposeOptions, 'falseAlarms' | 'threshold'>
}): Proposal {
  const { events, of, high } = rateOf(
    countAlarms(columns, ({ threshold }) => threshold),
    columns[0]?.effects.length ?? 0,
  )
  const sure = { mean: events / of, upper: high }
  return { ...unchanged(options), beyondHelp, isPossible: false, alarms: events, sure }
}

/** How often pure chance shows as many alarms as were seen at the 5 % that checks without drift may reach. */
export const chanceOf = (alarms: number, chunks: number): number => binomialAtLeast(alarms, chunks, 0.05)

const unchanged = ({ falseAlarms, threshold }: Pick<ProposeOptions, 'falseAlarms' | 'threshold'>) => ({
  falseAlarms,
  threshold,
  columns: {},
  isChanged: false,
})

const hasOwn = (column: ColumnEffects, { configured }: ProposeOptions): boolean => configured.has(column.column)

/** The lowest default that every column can resolve at these sizes; never above today's. */
const tightest = (columns: readonly ColumnEffects[], today: number): number =>
  Math.min(today, roundedUp(Math.max(0, ...columns.map(({ noise }) => noise)), 0))

interface Wanted {
  /** Strictly above it is enough. */
  readonly value: number
  /** No chunk exceeded the floor in this column. */
  readonly calm: boolean
}

/** The scaled maxima by column. @param allowed how many chunks may fire, j */
function raise(columns: readonly ColumnEffects[], floors: readonly number[], allowed: number): Wanted[] {
  const tops = columns.map(({ effects }) => topTwo(effects))
  const othersOf = (c: number, k: number): number => {
    const top = tops[c]
    return top === undefined ? 0 : top.at === k ? top.second : top.first
  }
  const scoresBy = (scale: (others: number, floor: number) => number): number[] =>
    (columns[0]?.effects ?? []).map((_, k) =>
      columns.reduce((score, column, c) => {
        const [effect, floor] = [column.effects[k] ?? 0, floors[c] ?? 0]
        return effect < floor ? score : Math.max(score, effect / scale(othersOf(c, k), floor))
      }, 0),
    )
  const nth = (scores: readonly number[]): number => scores.toSorted((a, b) => b - a)[allowed - 1] ?? 0
  // First the noisy columns alone: a chunk that fires where no other does cannot be helped by these and counts as infinite.
  const noisyOnly = nth(scoresBy((others, floor) => (others < floor ? 0 : others)))
  const isAll = !Number.isFinite(noisyOnly)
  const factor = isAll ? nth(scoresBy((others, floor) => Math.max(others, floor))) : noisyOnly
  return columns.map((_, c) => {
    const [first, floor] = [tops[c]?.first ?? 0, floors[c] ?? 0]
    const calm = first < floor
    if (calm) return { calm, value: isAll ? Math.max(floor, factor * floor) : floor }
    return { calm, value: Math.max(floor, factor * first) }
  })
}

function topTwo(values: readonly number[]): { first: number; second: number; at: number } {
  let [first, second, at] = [0, 0, -1]
  values.forEach((value, k) => {
    if (value > first) [first, second, at] = [value, first, k]
    else if (value > second) second = value
  })
  return { first, second, at }
}

/** Two digits, and strictly above: an effect that equals its threshold fires. @param least is left as it is */
export function roundedUp(value: number, least: number): number {
  if (value <= least || value <= 0) return least
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1)
  const rounded = Number(((Math.floor((value / unit) * (1 + 1e-9)) + 1) * unit).toPrecision(2))
  return Math.max(least, rounded)
}
