/**
 * Which column of a held-out file is what: the truth, the answer, the score, the id; every other one can cut the rows
 * into groups. By names alone; what the columns hold is judged in `held-out.ts`.
 */
import { type MlopsError, usage } from '../core/errors.ts'

/** What the manifest of a version knows of its columns. */
export interface ColumnHints {
  readonly target?: string
  readonly prediction?: string
}

/** Earlier names win. The manifest's target stands before `label`, which may name something else in its data. */
const TRUTH = ['truth', 'y_true']
const LATE_TRUTH = ['label']
const ANSWER = ['answer', 'y_pred', 'predicted']
const SCORE = ['score', 'y_score', 'probability', 'proba']
const ID = ['id', 'row_id']
const EITHER = ['prediction']

export interface Roles {
  readonly truth: string
  readonly answer: string | undefined
  readonly score: string | undefined
  /** The manifest's prediction: an answer or a score, as its values are. */
  readonly either: string | undefined
  readonly id: string | undefined
  readonly groups: readonly string[]
}

/** @throws usage `HELD_OUT_COLUMNS` naming the columns that were found */
export function rolesOf(columns: readonly string[], hints: ColumnHints, name: string): Roles {
  const taken = new Set<string>()
  const take = (...names: readonly (string | undefined)[]): string | undefined => {
    const wanted = names.filter((each) => each !== undefined)
    const free = columns.filter((column) => !taken.has(column))
    const found =
      wanted.map((each) => free.find((column) => column === each)).find((column) => column !== undefined) ??
      wanted
        .map((each) => free.find((column) => column.toLowerCase() === each.toLowerCase()))
        .find((column) => column !== undefined)
    if (found !== undefined) taken.add(found)
    return found
  }
  const truth = take(...TRUTH, hints.target, ...LATE_TRUTH)
  // Before the fixed names: where the manifest calls its prediction `score`, the values say whether it is one.
  const either = take(hints.prediction)
  const answer = take(...ANSWER)
  const score = take(...SCORE)
  const late = either ?? (answer === undefined && score === undefined ? take(...EITHER) : undefined)
  const id = take(...ID)
  if (truth === undefined) throw noColumn('what came true', [...TRUTH, ...LATE_TRUTH], hints.target, columns, name)
  if (answer === undefined && score === undefined && late === undefined) {
    throw noColumn('what the model answered', [...ANSWER, ...SCORE], hints.prediction, columns, name)
  }
  return { truth, answer, score, either: late, id, groups: columns.filter((column) => !taken.has(column)) }
}

function noColumn(
  what: string,
  names: readonly string[],
  hint: string | undefined,
  columns: readonly string[],
  name: string,
): MlopsError {
  const known = hint === undefined || names.includes(hint) ? names : [...names, hint]
  const shown = columns.slice(0, 12).map((column) => JSON.stringify(column))
  const more = columns.length > shown.length ? ` and ${columns.length - shown.length} more` : ''
  return usage({
    code: 'HELD_OUT_COLUMNS',
    message: `No column of ${name} says ${what}; there are ${shown.join(', ')}${more}.`,
    hint: `Call that column ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`,
    details: { columns: columns.slice(0, 100), expected: known },
  })
}
