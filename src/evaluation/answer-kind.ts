/**
 * What kind of answers a held-out file holds, counted before its rows are read: scores, classes or quantities, by the rules
 * that realised quality follows (`core/classes.ts`). Cells that belong to none of them are refused in `damaged-cells.ts`.
 */
import { kindOfAnswers, MOST_CLASSES, type PairCounts } from '../core/classes.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import type { Duck } from '../data/duck.ts'
import { isOdd } from './column-sql.ts'
import { refuseCells, refuseDamagedAnswers } from './damaged-cells.ts'
import { rowsOf } from './few.ts'
import type { Roles } from './roles.ts'

/** The rows as SQL: `t` truth, `a` answer, `s` score as text, the same with `_number`, `id`, `id_text`, `place` from 0. */
export interface Table {
  readonly duck: Duck
  readonly relation: string
  readonly rows: number
  readonly name: string
  readonly roles: Roles
}

export interface Seen extends PairCounts {
  readonly noLabel: number
  readonly noAnswer: number
  /** Spelled `nan`, `inf` or `-Infinity`. */
  readonly oddLabels: number
  readonly oddAnswers: number
  /** Of the scores beside an answer: finite numbers; those with a fraction; those outside of [0, 1]. */
  readonly scores: number
  readonly fractionScores: number
  readonly scoresOutside: number
}

export async function look({ duck, relation }: Table): Promise<Seen> {
  const filters = {
    noLabel: 't IS NULL',
    noAnswer: 'a IS NULL',
    wordLabels: 't IS NOT NULL AND (t_number IS NULL OR isinf(t_number))',
    wordAnswers: 'a IS NOT NULL AND (a_number IS NULL OR isinf(a_number))',
    fractionLabels: 't_number <> floor(t_number)',
    fractionAnswers: 'a_number <> floor(a_number)',
    outside: 'a_number < 0 OR a_number > 1',
    oddLabels: isOdd('t'),
    oddAnswers: isOdd('a'),
    scores: 'isfinite(s_number)',
    fractionScores: 'isfinite(s_number) AND s_number <> floor(s_number)',
    scoresOutside: 's_number < 0 OR s_number > 1',
  }
  const names = Object.keys(filters) as (keyof typeof filters)[]
  const counted = names.map((name) => `count(*) FILTER (${filters[name]})`)
  const [row] = await duck.rows(`SELECT ${counted.join(', ')} FROM ${relation}`)
  const labels = await duck.rows(
    `SELECT count(*) FROM (SELECT DISTINCT lower(t) FROM ${relation} WHERE t IS NOT NULL LIMIT ${MOST_CLASSES + 1})`,
  )
  const counts = Object.fromEntries(names.map((name, at) => [name, Number(row?.[at] ?? 0)]))
  return { ...(counts as Record<keyof typeof filters, number>), labels: Number(labels[0]?.[0] ?? 0) }
}

export interface Kind {
  readonly values: ReturnType<typeof kindOfAnswers>
  /** SQL of the score. */
  readonly score: string | null
  readonly notes: readonly string[]
}

/** @throws usage `HELD_OUT_MISSING`, `HELD_OUT_ANSWERS` */
export async function kindOf(table: Table, seen: Seen): Promise<Kind> {
  const { roles, rows, name } = table
  const answer = roles.answer ?? roles.either
  if (seen.noLabel > 0) throw missing(name, roles.truth, seen.noLabel, rows)
  if (seen.noAnswer > 0) throw missing(name, answer ?? roles.score ?? '', seen.noAnswer, rows)
  await refuseDamagedAnswers(table, seen)
  const values = kindOfAnswers(seen)
  if (answer === undefined) return kindOfScores(table, seen, values)
  const isComplete = seen.scores === rows
  // The manifest's prediction is a score only where it looks like one; a column that is called score should be one.
  const isScore = roles.score === undefined ? isComplete && seen.scoresOutside === 0 : isComplete
  const unused = roles.score !== undefined && !isComplete && values !== 'quantities'
  const notes = unused ? [`${roles.score} is not used: it holds no number in ${rowsOf(rows - seen.scores)}`] : []
  if (values === 'quantities') return { values, score: null, notes }
  return { values, score: isScore ? 's_number' : values === 'scores' ? 'a_number' : null, notes }
}

/** A score without an answer beside it. */
async function kindOfScores(table: Table, seen: Seen, values: Kind['values']): Promise<Kind> {
  const { roles, name } = table
  // Of two labels without a fraction the column's name counts: a score, though not every number can be one.
  if (values === 'quantities' && (seen.labels > 2 || seen.fractionLabels > 0)) return { values, score: null, notes: [] }
  if (seen.labels > 2) {
    throw usage({
      code: 'HELD_OUT_ANSWERS',
      message: `${name}: ${JSON.stringify(roles.score)} cannot be the answer: ${roles.truth} has ${seen.labels} classes.`,
      hint: 'Add a column answer that holds the class the model says',
    })
  }
  if (seen.wordAnswers > 0) await refuseCells(table, 'a', 'no finite number')
  if (seen.outside > 0) await refuseCells(table, 'a', 'not between 0 and 1')
  return { values: 'scores', score: 'a_number', notes: [] }
}

const missing = (name: string, column: string, count: number, rows: number): MlopsError =>
  usage({
    code: 'HELD_OUT_MISSING',
    message: `${name}: ${JSON.stringify(column)} is missing in ${count} of ${rowsOf(rows)}.`,
    hint: 'Every row needs what came true and what was answered; leave out rows that have no label yet',
  })
