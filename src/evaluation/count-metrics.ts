/**
 * Metrics that are formulas of counts: how often each class was said, was true, and both. So a draw of the bootstrap only
 * counts cells. Formulas: `sklearn.metrics` 1.7 with zero_division=0, macro averages for more than two classes.
 */
import type { Weights } from './resample.ts'
import type { HeldOut } from './types.ts'

/** By class. */
export interface ClassCounts {
  readonly rows: number
  readonly hit: Float64Array
  readonly said: Float64Array
  readonly was: Float64Array
}

export type CountFormula = (counts: ClassCounts, positive: number) => number

/** Where the positive class stands among the classes; -1 of other tasks. */
export const positiveIndex = ({ classes, positive }: HeldOut): number =>
  positive === null ? -1 : classes.indexOf(positive)

const at = (values: Float64Array, place: number): number => values[place] ?? 0
/** A share of nothing is 0, as scikit-learn's zero_division=0 has it. */
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
const f1 = ({ hit, said, was }: ClassCounts, label: number): number =>
  share(2 * at(hit, label), at(said, label) + at(was, label))
const precision: CountFormula = ({ hit, said }, label) => share(at(hit, label), at(said, label))
const recall: CountFormula = ({ hit, was }, label) => share(at(hit, label), at(was, label))

/** Over the classes that were said or true at all. */
const macro =
  (of: CountFormula): CountFormula =>
  (counts) => {
    let sum = 0
    let met = 0
    for (let label = 0; label < counts.was.length; label++) {
      if (at(counts.said, label) + at(counts.was, label) === 0) continue
      sum += of(counts, label)
      met++
    }
    return share(sum, met)
  }

export const COUNT_METRICS: Readonly<Record<string, CountFormula>> = {
  accuracy: ({ rows, hit }) => hit.reduce((sum, count) => sum + count, 0) / rows,
  precision,
  recall,
  f1,
  precision_macro: macro(precision),
  recall_macro: macro(recall),
  f1_macro: macro(f1),
}

/** Counts of the rows, each as often as it was drawn. */
export function countsOf({ rows, classes, truth, answer }: HeldOut, weights: Weights): ClassCounts {
  const [hit, said, was] = [0, 1, 2].map(() => new Float64Array(classes.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let drawn = 0
  for (let row = 0; row < rows; row++) {
    const weight = weights[row] as number
    const [label, says] = [truth[row] as number, answer[row] as number]
    drawn += weight
    said[says] = at(said, says) + weight
    was[label] = at(was, label) + weight
    if (label === says) hit[label] = at(hit, label) + weight
  }
  return { rows: drawn, hit, said, was }
}

/** The metric of any draw: the rows are gathered into cells of equal truth and answer once. */
export function weightedCounts(heldOut: HeldOut, formula: CountFormula): (weights: Weights) => number {
  const { rows, classes, truth, answer } = heldOut
  const positive = positiveIndex(heldOut)
  const cells = new Map<number, number>()
  const cellOf = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    const code = (truth[row] as number) * classes.length + (answer[row] as number)
    const cell = cells.get(code) ?? cells.size
    if (cell === cells.size) cells.set(code, cell)
    cellOf[row] = cell
  }
  const small: HeldOut = {
    ...heldOut,
    rows: cells.size,
    truth: Float64Array.from(cells.keys(), (code) => Math.floor(code / classes.length)),
    answer: Float64Array.from(cells.keys(), (code) => code % classes.length),
  }
  const counted = new Float64Array(cells.size)
  return (weights) => {
    counted.fill(0)
    for (let row = 0; row < rows; row++) {
      const cell = cellOf[row] as number
      counted[cell] = (counted[cell] as number) + (weights[row] as number)
    }
    return formula(countsOf(small, counted), positive)
  }
}
