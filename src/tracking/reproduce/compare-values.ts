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

/** |a - b| <= tolerance * max(1, |a|, |b|): absolute up to 1, relative beyond. */
export const withinTolerance = (a: number, b: number, tolerance: number): boolean =>
  Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))

export const toleranceOf = (name: string, { general, byName }: Tolerances): number =>
  (Object.hasOwn(byName, name) ? byName[name] : undefined) ?? general

/** The last word of a name that measures how long or how large the work was, not what came of it. */
const MEASURES =
  /(?:^|[\W_])(?:(?:fit|train|training|predict|inference|eval|evaluation|epoch|step|wall|cpu|gpu|run|total|elapsed|load|exec|execution|build|score|data)[\W_]*time|time[\W_]*(?:taken|elapsed|spent|s|sec|secs|seconds|ms)|elapsed|duration|runtime|walltime|seconds?|secs?|millis(?:econds)?|msecs?|ms|minutes?|latency(?:[\W_]*(?:ms|s|p\d+))?|timestamp|(?:samples|rows|steps|tokens|it|iterations|images)[\W_]*per[\W_]*(?:s|sec|second)|throughput|rss(?:[\W_]*\w+)?|peak[\W_]*(?:memory|mem)(?:[\W_]*\w+)?|memory[\W_]*(?:mb|gb|kb|bytes|used|usage))$|^time$/i

/** Why a metric of this name may differ between two equal trainings; undefined for what must not. */
export const measuresWork = (name: string): boolean => MEASURES.test(name.replace(/([a-z])([A-Z])/g, '$1_$2'))

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
