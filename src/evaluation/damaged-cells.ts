/**
 * Cells that are not what the rest of their column is: `nan`, `inf` or a word among scores, a score of 1.7. One of them would
 * make the whole file read as another kind of answers (more classes, numbers to be hit), of which the metrics that were
 * recorded cannot be computed: nobody would hold them against the rows any more. So the file is refused, naming the row.
 */
import { MOST_CLASSES } from '../core/classes.ts'
import { usage } from '../core/errors.ts'
import type { Seen, Table } from './answer-kind.ts'
import { isOdd } from './column-sql.ts'
import { rowsOf } from './few.ts'

type Damage = 'no finite number' | 'not between 0 and 1' | 'nan or infinite'

/** @throws usage `HELD_OUT_ANSWERS` */
export async function refuseDamagedAnswers(table: Table, seen: Seen): Promise<void> {
  // A class may be called so where the model says it too.
  const isClass = seen.oddAnswers > 0 && seen.wordLabels === table.rows
  if (seen.oddLabels > 0 && !isClass) await refuseCells(table, 't', 'nan or infinite')
  const damage = damageOf(seen, table.rows)
  if (damage !== undefined) await refuseCells(table, 'a', damage)
}

function damageOf(seen: Seen, rows: number): Damage | undefined {
  const { labels, wordLabels, fractionLabels, wordAnswers, fractionAnswers, oddAnswers, outside } = seen
  const isNumeric = wordLabels === 0
  if (oddAnswers > 0 && (isNumeric || wordAnswers < rows || seen.oddLabels === 0)) return 'no finite number'
  if (wordAnswers > 0) {
    const isQuantity = isNumeric && (fractionLabels > 0 || labels > MOST_CLASSES)
    const isMixed = fractionAnswers > 0 && (isNumeric || (fractionLabels === 0 && 2 * wordAnswers <= rows))
    return isQuantity || isMixed ? 'no finite number' : undefined
  }
  // Fractions that are mostly within [0, 1], for a truth of two values: scores. For a truth in words they can be nothing else.
  const isScore = labels <= 2 && fractionLabels === 0 && fractionAnswers > 0
  return isScore && outside > 0 && (!isNumeric || 2 * outside < rows) ? 'not between 0 and 1' : undefined
}

/**
 * Of two classes. A column that is called score holds one in every row; the manifest's prediction beside an answer does where
 * it has fractions. @throws usage `HELD_OUT_ANSWERS`
 */
export async function refuseDamagedScores(table: Table, seen: Seen): Promise<void> {
  const { roles, rows } = table
  if (roles.answer === undefined && roles.either === undefined) return
  if (roles.score !== undefined) {
    if (seen.scores < rows) await refuseCells(table, 's', 'no finite number')
    return
  }
  const isBeside = roles.answer !== undefined && roles.either !== undefined
  if (!isBeside || seen.fractionScores === 0) return
  if (seen.scores < rows) await refuseCells(table, 's', 'no finite number')
  const isMostlyInside = 2 * seen.scoresOutside < rows
  if (seen.scoresOutside > 0 && isMostlyInside) await refuseCells(table, 's', 'not between 0 and 1')
}

const WHERE: Readonly<Record<Damage, (letter: 't' | 'a' | 's') => string>> = {
  'no finite number': (letter) => `${letter}_number IS NULL OR isinf(${letter}_number)`,
  'not between 0 and 1': (letter) => `${letter}_number < 0 OR ${letter}_number > 1`,
  'nan or infinite': () => isOdd('t'),
}
/** Characters of a cell that are shown. */
const SHOWN = 40

/** Names how many cells of a column are damaged, and the first. @throws usage `HELD_OUT_ANSWERS`, always */
export async function refuseCells(table: Table, letter: 't' | 'a' | 's', damage: Damage): Promise<never> {
  const { duck, relation, rows, name, roles } = table
  const where = WHERE[damage](letter)
  const [row] = await duck.rows(
    `SELECT count(*), min(place), arg_min(left(coalesce(${letter}, ''), ${SHOWN}), place) FROM ${relation} WHERE ${where}`,
  )
  const [count, place] = [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)]
  const cell = String(row?.[2] ?? '')
  const column = letter === 't' ? roles.truth : letter === 's' ? (roles.score ?? roles.either) : answerOf(table)
  const shown = cell === '' ? 'where it is empty' : JSON.stringify(cell)
  throw usage({
    code: 'HELD_OUT_ANSWERS',
    message: `${name}: ${JSON.stringify(column)} is ${damage} in ${count} of ${rowsOf(rows)}; the first is row ${place + 1}, ${shown}.`,
    hint: HINT[damage],
    details: { column, damaged: count, rows, first: place + 1 },
  })
}

const answerOf = ({ roles }: Table): string | undefined => roles.answer ?? roles.either ?? roles.score

const COUNTED = 'Rows are counted from 1, without the header'
const HINT: Readonly<Record<Damage, string>> = {
  'no finite number': `${COUNTED}. Write the number that the model gave; a model that gave none has no metric on these rows`,
  'not between 0 and 1': `${COUNTED}. Write probabilities, or beside the score a column answer with the class the model says`,
  'nan or infinite': `${COUNTED}. Leave out rows of which nobody knows what came true`,
}
