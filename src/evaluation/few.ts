/** When there are too few rows to say anything: one rule for comparisons, slices and groups. */
import { positivesOf } from './area.ts'
import type { HeldOut } from './types.ts'

/** Below, no resampled interval holds what it promises (measured: docs/evaluation.md). */
export const FEWEST_ROWS = 30
/** Of each of two classes, where the metric rests on them. */
export const FEWEST_OF_A_CLASS = 10

/** `1 row`, `12 rows`. */
export const rowsOf = (count: number, kind = ''): string => `${count} ${kind}row${count === 1 ? '' : 's'}`

/** These count all rows alike, whatever their class. */
const OF_ALL_ROWS: readonly string[] = ['accuracy', 'log_loss', 'brier', 'mae', 'rmse', 'r2']

/** Why the rows are too few for a metric, in words; null where they are enough. */
export function fewFor(heldOut: HeldOut, metric: string): string | null {
  const { rows, task, truth, classes } = heldOut
  if (rows < FEWEST_ROWS) return `${rowsOf(rows)}, fewer than ${FEWEST_ROWS}`
  if (task === 'regression' || OF_ALL_ROWS.includes(metric)) return null
  if (task === 'binary') {
    const positives = positivesOf(heldOut).reduce((sum, mark) => sum + mark, 0)
    return fewOfTwo(positives, rows - positives)
  }
  const counts = classes.map(() => 0)
  for (const label of truth) counts[label] = (counts[label] ?? 0) + 1
  const rare = classes.filter((_, label) => (counts[label] ?? 0) > 0 && (counts[label] ?? 0) < FEWEST_OF_A_CLASS)
  const [first] = rare
  if (first === undefined) return null
  const more = rare.length === 1 ? '' : ` and ${rare.length - 1} more`
  return `the class ${first}${more} has fewer than ${FEWEST_OF_A_CLASS} rows`
}

export function fewOfTwo(positives: number, negatives: number): string | null {
  if (positives < FEWEST_OF_A_CLASS) return `${rowsOf(positives, 'positive ')}, fewer than ${FEWEST_OF_A_CLASS}`
  return negatives < FEWEST_OF_A_CLASS ? `${rowsOf(negatives, 'negative ')}, fewer than ${FEWEST_OF_A_CLASS}` : null
}
