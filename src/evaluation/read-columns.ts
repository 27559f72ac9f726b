/**
 * The values of a held-out file: what kind of answers they are, by the rules that realised quality follows
 * (`core/classes.ts`), then one pass over the rows into typed arrays.
 */
import { SCORE_THRESHOLD } from '../core/classes.ts'
import { usage } from '../core/errors.ts'
import { type Duck, isPresent } from '../data/duck.ts'
import type { Source } from '../data/source.ts'
import { type Kind, kindOf, look, type Table } from './answer-kind.ts'
import { idTextOf, keyOf, numberOf, placeAmong, textOf } from './column-sql.ts'
import { refuseDamagedScores } from './damaged-cells.ts'
import { type Naming, namingOf } from './naming.ts'
import { groupReader } from './read-groups.ts'
import type { Roles } from './roles.ts'
import { soundIds } from './row-ids.ts'
import type { HeldOut } from './types.ts'

/** More names are no classes that a metric could be averaged over. */
const MOST_NAMES = 1_000

/** @throws usage `HELD_OUT_MISSING`, `HELD_OUT_ANSWERS`, `HELD_OUT_CLASSES`, `HELD_OUT_IDS` */
export async function readColumns(source: Source, roles: Roles, rows: number): Promise<HeldOut> {
  const column = (name: string | undefined) => source.columns.find((each) => each.name === name)
  const answer = roles.answer ?? roles.either ?? roles.score
  // Beside an answer, the manifest's prediction can only be the score.
  const score = roles.score ?? (roles.answer === undefined ? undefined : roles.either)
  const pair = (name: string | undefined, letter: string) =>
    `${textOf(column(name))} AS ${letter}, ${numberOf(column(name))} AS ${letter}_number`
  const reader = await groupReader(source, roles.groups, rows)
  const groups = reader.list.map((sql, index) => `${sql} AS g${index}`)
  const list = [
    pair(roles.truth, 't'),
    pair(answer, 'a'),
    pair(score, 's'),
    `${keyOf(column(roles.id))} AS id`,
    `${idTextOf(column(roles.id))} AS id_text`,
    ...groups,
  ]
  const relation = `(SELECT ${list.join(', ')}, row_number() OVER () - 1 AS place FROM ${source.relation})`
  const table: Table = { duck: source.duck, relation, rows, name: source.name, roles }
  const seen = await look(table)
  const kind = await kindOf(table, seen)
  const naming = kind.values === 'quantities' ? undefined : await namesIn(table, kind.values)
  const task = naming === undefined ? 'regression' : naming.classes.length > 2 ? 'multiclass' : 'binary'
  // Of more classes, and of numbers to be hit, no score is looked at.
  if (task === 'binary') await refuseDamagedScores(table, seen)
  const filled = await fill(table, kind, naming, reader)
  const { id, notes } = await soundIds(table, filled.id)
  const usable = task === 'binary' ? filled.score : null
  const dropped =
    filled.score !== null && usable === null ? [`${score} is not used: there are more than two classes`] : []
  return {
    ...{ rows, task, truth: filled.truth, answer: filled.answer, score: usable, id, groups: reader.columns },
    ...{ classes: naming?.classes ?? [], positive: naming?.positive ?? null },
    notes: [...source.notes, ...kind.notes, ...dropped, ...notes],
  }
}

async function namesIn({ duck, relation, name }: Table, values: Kind['values']): Promise<Naming & Spellings> {
  const distinct = async (letter: string): Promise<string[]> => {
    const found = await duck.rows(`SELECT DISTINCT ${letter} FROM ${relation} LIMIT ${MOST_NAMES + 1}`)
    if (found.length <= MOST_NAMES) return found.map(([text]) => String(text)).sort()
    throw usage({
      code: 'HELD_OUT_CLASSES',
      message: `${name} has more than ${MOST_NAMES} classes.`,
      hint: 'A quantity must be a number in every row; an answer in words must be one of a few',
    })
  }
  const labels = await distinct('t')
  const answers = values === 'classes' ? await distinct('a') : []
  return { ...namingOf(labels, answers), labels, answers }
}

interface Spellings {
  readonly labels: readonly string[]
  readonly answers: readonly string[]
}

interface Filled {
  readonly truth: Float64Array
  readonly answer: Float64Array
  readonly score: Float64Array | null
  /** NaN where it is missing. */
  readonly id: Float64Array
}

async function fill(
  { duck, relation, rows }: Table,
  { values, score }: Kind,
  naming: (Naming & Spellings) | undefined,
  reader: Awaited<ReturnType<typeof groupReader>>,
): Promise<Filled> {
  const filled = {
    truth: new Float64Array(rows),
    answer: new Float64Array(rows),
    id: new Float64Array(rows).fill(Number.NaN),
  }
  const scores = score === null ? null : new Float64Array(rows)
  const truthSql = naming === undefined ? 't_number' : placeAmong('t', naming.labels)
  const answerSql = values === 'classes' && naming !== undefined ? placeAmong('a', naming.answers) : 'a_number'
  const placeOf = (words: readonly string[]) => words.map((text) => naming?.indexOf(text) ?? -1)
  const [labels, answers] = [placeOf(naming?.labels ?? []), placeOf(naming?.answers ?? [])]
  const positive = naming?.classes.indexOf(naming.positive ?? '') ?? -1
  const truth = (value: number): number => (naming === undefined ? value : (labels[value] ?? -1))
  const answer = (value: number): number => {
    if (values === 'classes') return answers[value] ?? -1
    return values === 'scores' ? (value >= SCORE_THRESHOLD ? positive : 1 - positive) : value
  }
  const list = [
    'place',
    truthSql,
    answerSql,
    score ?? 'NULL::DOUBLE',
    'id',
    ...reader.list.map((_, index) => `g${index}`),
  ]
  await duck.stream(`SELECT ${list.join(', ')} FROM ${relation}`, (chunk) => {
    const [places, truths, said, scored, id] = [0, 1, 2, 3, 4].map(chunk.vector) as [
      Vector,
      Vector,
      Vector,
      Vector,
      Vector,
    ]
    const rowAt = (row: number): number => Number(places.longs[row])
    for (let row = 0; row < chunk.rows; row++) {
      const place = rowAt(row)
      filled.truth[place] = truth(truths.items[row] as number)
      filled.answer[place] = answer(said.items[row] as number)
      if (scores !== null) scores[place] = scored.items[row] as number
      if (isPresent(id.mask, row)) filled.id[place] = id.items[row] as number
    }
    reader.take(chunk, 5, rowAt)
  })
  return { ...filled, score: scores }
}

type Vector = ReturnType<Parameters<Parameters<Duck['stream']>[1]>[0]['vector']>
