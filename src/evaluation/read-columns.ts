/**
 * The values of a held-out file: what kind of answers they are, by the rules that realised quality follows
 * (`core/classes.ts`), then one pass over the rows into typed arrays.
 */
import { kindOfAnswers, MOST_CLASSES, type PairCounts, SCORE_THRESHOLD } from '../core/classes.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { type Duck, isPresent } from '../data/duck.ts'
import type { Source } from '../data/source.ts'
import { keyOf, numberOf, placeAmong, textOf } from './column-sql.ts'
import { rowsOf } from './few.ts'
import { type Naming, namingOf } from './naming.ts'
import { groupReader } from './read-groups.ts'
import type { Roles } from './roles.ts'
import type { HeldOut } from './types.ts'

/** More names are no classes that a metric could be averaged over. */
const MOST_NAMES = 1_000

/** @throws usage `HELD_OUT_MISSING`, `HELD_OUT_ANSWERS`, `HELD_OUT_CLASSES` */
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
    ...groups,
  ]
  const relation = `(SELECT ${list.join(', ')}, row_number() OVER () - 1 AS place FROM ${source.relation})`
  const table: Table = { duck: source.duck, relation, rows, name: source.name, roles }
  const seen = await look(table)
  const kind = kindOf(table, seen)
  const naming = kind.values === 'quantities' ? undefined : await namesIn(table, kind.values)
  const filled = await fill(table, kind, naming, reader)
  const { id, notes } = ids(table, filled.id)
  const task = naming === undefined ? 'regression' : naming.classes.length > 2 ? 'multiclass' : 'binary'
  const usable = task === 'binary' ? filled.score : null
  const dropped =
    filled.score !== null && usable === null ? [`${score} is not used: there are more than two classes`] : []
  return {
    ...{ rows, task, truth: filled.truth, answer: filled.answer, score: usable, id, groups: reader.columns },
    ...{ classes: naming?.classes ?? [], positive: naming?.positive ?? null },
    notes: [...source.notes, ...kind.notes, ...dropped, ...notes],
  }
}

interface Table {
  readonly duck: Duck
  readonly relation: string
  readonly rows: number
  readonly name: string
  readonly roles: Roles
}

interface Seen extends PairCounts {
  readonly noLabel: number
  readonly noAnswer: number
  /** Of the scores beside an answer. */
  readonly scores: number
  readonly scoresOutside: number
}

async function look({ duck, relation }: Table): Promise<Seen> {
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (t IS NULL), count(*) FILTER (a IS NULL),
       count(*) FILTER (t IS NOT NULL AND (t_number IS NULL OR isinf(t_number))),
       count(*) FILTER (a IS NOT NULL AND (a_number IS NULL OR isinf(a_number))),
       count(*) FILTER (t_number <> floor(t_number)), count(*) FILTER (a_number <> floor(a_number)),
       count(*) FILTER (a_number < 0 OR a_number > 1), count(*) FILTER (isfinite(s_number)),
       count(*) FILTER (s_number < 0 OR s_number > 1)
     FROM ${relation}`,
  )
  const labels = await duck.rows(
    `SELECT count(*) FROM (SELECT DISTINCT lower(t) FROM ${relation} WHERE t IS NOT NULL LIMIT ${MOST_CLASSES + 1})`,
  )
  const [noLabel, noAnswer, wordLabels, wordAnswers, fractionLabels, fractionAnswers, outside, scores, scoresOutside] =
    (row ?? []).map(Number) as [number, number, number, number, number, number, number, number, number]
  return {
    ...{ noLabel, noAnswer, wordLabels, wordAnswers, fractionLabels, fractionAnswers, outside, scores, scoresOutside },
    labels: Number(labels[0]?.[0] ?? 0),
  }
}

interface Kind {
  readonly values: ReturnType<typeof kindOfAnswers>
  /** SQL of the score. */
  readonly score: string | null
  readonly notes: readonly string[]
}

function kindOf(table: Table, seen: Seen): Kind {
  const { roles, rows, name } = table
  const answer = roles.answer ?? roles.either
  if (seen.noLabel > 0) throw missing(name, roles.truth, seen.noLabel, rows)
  if (seen.noAnswer > 0) throw missing(name, answer ?? roles.score ?? '', seen.noAnswer, rows)
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
function kindOfScores({ roles, name }: Table, seen: Seen, values: Kind['values']): Kind {
  // Of two labels without a fraction the column's name counts: a score, though not every number can be one.
  if (values === 'quantities' && (seen.labels > 2 || seen.fractionLabels > 0)) return { values, score: null, notes: [] }
  const column = JSON.stringify(roles.score)
  const say = (why: string, hint: string): MlopsError =>
    usage({ code: 'HELD_OUT_ANSWERS', message: `${name}: ${column} ${why}.`, hint })
  const hint = 'Add a column answer that holds the class the model says'
  if (seen.labels > 2) throw say(`cannot be the answer: ${roles.truth} has ${seen.labels} classes`, hint)
  if (seen.wordAnswers > 0) throw say(`is no finite number in ${rowsOf(seen.wordAnswers)}`, hint)
  if (seen.outside > 0)
    throw say(`is not between 0 and 1 in ${rowsOf(seen.outside)}, so no class follows from it`, hint)
  return { values: 'scores', score: 'a_number', notes: [] }
}

const missing = (name: string, column: string, count: number, rows: number): MlopsError =>
  usage({
    code: 'HELD_OUT_MISSING',
    message: `${name}: ${JSON.stringify(column)} is missing in ${count} of ${rowsOf(rows)}.`,
    hint: 'Every row needs what came true and what was answered; leave out rows that have no label yet',
  })

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

function ids({ roles }: Table, id: Float64Array): { id: Float64Array | null; notes: readonly string[] } {
  if (roles.id === undefined) return { id: null, notes: [] }
  const absent = id.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0)
  return absent === 0
    ? { id, notes: [] }
    : { id: null, notes: [`${roles.id} is not used: it is missing in ${rowsOf(absent)}`] }
}
