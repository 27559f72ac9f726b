/**
 * Two numbers of two runs of one command: equal, near enough, different, or of no concern. Pure.
 */
import { readNumber } from '../../core/canonical-json.ts'
import type { Tolerances } from './types.ts'

export type RowVerdict = 'equal' | 'within tolerance' | 'different' | 'missing' | 'not compared' | 'ignored'

/** @param value as recorded: non-finite values are words */
export function compareNumbers(a: number | string, b: number | string, tolerance: number): RowVerdict {
  const [one, other] = [readNumber(a), readNumber(b)]
  if (one === undefined || other === undefined) return a === b ? 'equal' : 'different'
  if (Object.is(one, other) || one === other) return 'equal'
  return withinTolerance(one, other, tolerance) ? 'within tolerance' : 'different'
}

/** Two sums that should both be 0 are apart by their last bits, and no share of them says so. */
const NOISE = 1e-12

/**
 * |a - b| <= max(tolerance * max(|a|, |b|), 1e-12): relative, also for small values, since a p-value of 1e-9 is not one of
 * 9e-7. Tolerance 0 is equality.
 */
export const withinTolerance = (a: number, b: number, tolerance: number): boolean =>
  Number.isFinite(a) &&
  Number.isFinite(b) &&
  Math.abs(a - b) <= (tolerance === 0 ? 0 : Math.max(tolerance * Math.max(Math.abs(a), Math.abs(b)), NOISE))

export const toleranceOf = (name: string, { general, byName }: Tolerances): number =>
  (Object.hasOwn(byName, name) ? byName[name] : undefined) ?? general

/** What is done to a model or with it; a time of these measures the work. */
const WORK =
  'fit|train|training|predict|inference|eval|evaluation|epoch|step|wall|cpu|gpu|load|loading|exec|execution|build|search|tuning|preprocessing'

/** `fit_seconds`, `latency_ms`, `rows_per_second`: how long or how large the work was, not what came of it. */
const MEASURES = new RegExp(
  [
    // A unit alone says nothing: `median_wait_seconds` may be what the model is about.
    `(?:^|[\\W_])(?:${WORK})[\\W_]*(?:time[\\W_]*)?(?:seconds?|secs?|s|millis(?:econds)?|msecs?|ms|minutes?|duration)$`,
    `(?:^|[\\W_])(?:${WORK}|run|total|elapsed|data|score)[\\W_]*time$`,
    '(?:^|[\\W_])time[\\W_]*(?:taken|elapsed|spent)$',
    '(?:^|[/.])(?:time(?:[\\W_]*(?:s|secs?|seconds|ms))?|seconds|duration|latency)$',
    '(?:^|[\\W_])(?:elapsed|runtime|walltime|timestamp)(?:[\\W_]*(?:s|secs?|seconds|ms|minutes))?$',
    '(?:^|[\\W_])latency[\\W_]*(?:ms|s|p\\d+)$',
    '(?:^|[\\W_])(?:samples|rows|steps|tokens|it|iterations|images)[\\W_]*per[\\W_]*(?:s|sec|second)$',
    '(?:^|[\\W_])(?:throughput|rss(?:[\\W_]*\\w+)?|peak[\\W_]*(?:memory|mem)(?:[\\W_]*\\w+)?|memory[\\W_]*(?:mb|gb|kb|bytes|used|usage))$',
  ].join('|'),
  'i',
)

/** A name with one of these words is about how good the answers are, whatever their unit: `mae_minutes`. */
const QUALITY =
  /(?:^|[\W_])(?:r?mse|rmsle|rmsd|mae|mape|smape|wape|mase|mad|err|errors?|logloss|loss|bias|residuals?|deviance|accuracy|auc|precision|recall|f1|r2)(?=$|[\W_\d])/i

/** May a metric of this name differ between two equal trainings? */
export function measuresWork(name: string): boolean {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1_$2')
  return !QUALITY.test(words) && MEASURES.test(words)
}

/** `*` within a part, `**` across: `val/*`. A pattern without `/` also means the last part: `*.log`, wherever it lies. */
export function isIgnored(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*\*|\*|\?/g, (wild) => {
      if (wild === '**') return '.*'
      return wild === '*' ? '[^/]*' : '[^/]'
    })
    const matches = new RegExp(`^${source}$`)
    return matches.test(name) || (!pattern.includes('/') && matches.test(name.slice(name.lastIndexOf('/') + 1)))
  })
}
