/**
 * Realised quality: the answers of a window against the labels that have arrived, by version, computed in DuckDB from
 * counts, so that memory stays flat. Judging the figures is in `src/monitor/`.
 *
 * Formulas are those of scikit-learn 1.x (`sklearn.metrics`): accuracy_score, precision_score, recall_score, f1_score
 * (zero_division=0; macro averages for more than two classes), roc_auc_score (the Mann-Whitney statistic with ties
 * counted half), log_loss (scores clipped to [2^-52, 1-2^-52]), mean_absolute_error, root_mean_squared_error, r2_score.
 */
import { kindOfAnswers, positiveClass, SCORE_FLOOR, SCORE_NAMES, SCORE_THRESHOLD } from '../core/classes.ts'
import { sqlText } from '../data/duck.ts'
import type { Reading } from './reading.ts'
import { labelledSql, OK } from './records.ts'
import type { RealisedQuality, RowShape, VersionQuality, WindowQuery } from './types.ts'

export async function qualityOf(reading: Reading, query: WindowQuery, shape: RowShape): Promise<RealisedQuality> {
  const { duck, files, model } = reading
  const answered = `SELECT version, ${answerOf(shape)} AS answer, ${scoreOf(shape)} AS score,
      lower(json_transform(label, '"VARCHAR"')) AS label
    FROM (${labelledSql(files, model, query)}) WHERE ${OK} AND output IS NOT NULL`
  const isPair = 'label IS NOT NULL AND answer IS NOT NULL'
  const all = await duck.rows(`SELECT version, count(*) FROM (${answered}) GROUP BY version ORDER BY version`)
  await duck.rows(`CREATE TEMP TABLE pairs AS SELECT * FROM (${answered}) WHERE ${isPair}`)
  const labels = new Map(
    (await duck.rows('SELECT version, count(*) FROM pairs GROUP BY version')).map(([version, n]) => [version, n]),
  )
  const counts = all.map(([version, rows]) => [version, rows, labels.get(version) ?? 0])
  const versions: VersionQuality[] = []
  for (const [version, rows, labelled] of counts) {
    const pairs = `SELECT lower(answer) AS answer, TRY_CAST(answer AS DOUBLE) AS value, TRY_CAST(score AS DOUBLE) AS score,
        label, TRY_CAST(label AS DOUBLE) AS truth
      FROM pairs WHERE version = ${Number(version)}`
    const none = { task: null, metrics: {}, notes: [] }
    const judged = Number(labelled) === 0 ? none : await judge(reading, pairs, shape.threshold ?? SCORE_THRESHOLD)
    versions.push({ version: Number(version), rows: Number(rows), labelled: Number(labelled), ...judged })
  }
  const sum = (of: (version: VersionQuality) => number) => versions.reduce((total, version) => total + of(version), 0)
  return { rows: sum(({ rows }) => rows), labelled: sum(({ labelled }) => labelled), versions }
}

type Judged = Pick<VersionQuality, 'task' | 'metrics' | 'notes'>

const asText = (json: string): string => `json_transform(${json}, '"VARCHAR"')`
const member = (name: string): string =>
  asText(`json_extract(output, ${sqlText(`$."${name.replaceAll('"', '\\"')}"`)})`)

/** The answer: a bare output, the member named as the prediction column, or the only member. */
function answerOf({ prediction }: RowShape): string {
  const only = `CASE WHEN len(json_keys(output)) = 1 THEN ${asText("json_extract(output, '$.*')[1]")} END`
  const named = prediction === undefined ? member('prediction') : member(prediction)
  return `CASE WHEN json_type(output) = 'OBJECT' THEN coalesce(${named}, ${only}) ELSE ${asText('output')} END`
}

/** Beside a class, a member that says how sure the model was. */
function scoreOf({ prediction }: RowShape): string {
  const members = SCORE_NAMES.filter((name) => name !== prediction).map(member)
  return `CASE WHEN json_type(output) = 'OBJECT' THEN coalesce(${members.join(', ')}) END`
}

async function judge(reading: Reading, pairs: string, threshold: number): Promise<Judged> {
  const [row] = await reading.duck.rows(
    `SELECT count(DISTINCT label), count(*) FILTER (truth IS NULL), count(*) FILTER (value IS NULL),
       count(*) FILTER (truth <> floor(truth)), count(*) FILTER (value < 0 OR value > 1 OR isnan(value)),
       count(*) FILTER (value <> floor(value)), count(DISTINCT answer)
     FROM (${pairs})`,
  )
  const [labels = 0, wordLabels = 0, wordAnswers = 0, fractionLabels = 0, outside = 0, fractionAnswers = 0] = (
    row ?? []
  ).map(Number)
  const kind = kindOfAnswers({ labels, wordLabels, wordAnswers, fractionLabels, fractionAnswers, outside })
  if (kind === 'scores') return binaryOfScores(reading, pairs, 'value', threshold)
  return kind === 'quantities' ? regression(reading, pairs) : classes(reading, pairs)
}

async function regression(reading: Reading, pairs: string): Promise<Judged> {
  const [row] = await reading.duck.rows(
    `SELECT avg(abs(value - truth)), sqrt(avg((value - truth) ** 2)), sum((value - truth) ** 2), var_pop(truth) * count(*),
       count(*), count(*) FILTER (NOT isfinite(value) OR NOT isfinite(truth))
     FROM (SELECT * FROM (${pairs})) WHERE isfinite(value) AND isfinite(truth)`,
  )
  const [mae, rmse, residual = 0, total = 0, count = 0] = (row ?? []).map(Number)
  if (count === 0) return { task: 'regression', metrics: {}, notes: ['no pair of answer and label is finite'] }
  const r2 = total > 0 ? { r2: 1 - residual / total } : {}
  return { task: 'regression', metrics: finite({ mae, rmse, ...r2 }), notes: [] }
}

/** Answers are scores of the positive class. */
async function binaryOfScores(reading: Reading, pairs: string, score: string, threshold: number): Promise<Judged> {
  const positive = await positiveLabel(reading, pairs)
  const isPositive = `label = ${sqlText(positive.label)}`
  const says = `${score} >= ${threshold}`
  const clipped = `greatest(least(${score}, 1 - ${SCORE_FLOOR}), ${SCORE_FLOOR})`
  const [row] = await reading.duck.rows(
    `SELECT count(*), count(*) FILTER (${isPositive} AND ${says}), count(*) FILTER (NOT ${isPositive} AND ${says}),
       count(*) FILTER (${isPositive} AND NOT ${says}), avg(-ln(CASE WHEN ${isPositive} THEN ${clipped} ELSE 1 - ${clipped} END))
     FROM (${pairs})`,
  )
  const [count = 0, hits = 0, falseAlarms = 0, missed = 0, loss] = (row ?? []).map(Number)
  const metrics = {
    ...binary(count, hits, falseAlarms, missed),
    log_loss: loss,
    ...(await auc(reading, pairs, score, isPositive)),
  }
  return { task: 'classification', metrics: finite(metrics), notes: [positive.note] }
}

/** Answers are classes, spelled as the labels are: upper and lower case, 1 and 1.0, 1 and true are the same. */
async function classes(reading: Reading, pairs: string): Promise<Judged> {
  const number = (column: string) =>
    `coalesce(TRY_CAST(${column} AS DOUBLE), CASE ${column} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)`
  const found = await reading.duck.rows(
    `SELECT label, answer, ${number('label')}, ${number('answer')}, count(*) FROM (${pairs}) GROUP BY label, answer ORDER BY label, answer`,
  )
  const spelled = new Map(
    found.filter(([, , value]) => value !== null).map(([label, , value]) => [value, String(label)]),
  )
  const cells = found.map(([label, answer, , value, count]) => ({
    label: String(label),
    answer: (value === null ? undefined : spelled.get(value)) ?? String(answer),
    count: Number(count),
  }))
  const names = [...new Set(cells.flatMap(({ label, answer }) => [label, answer]))].sort()
  const sum = (matches: (cell: (typeof cells)[number]) => boolean) =>
    cells.reduce((total, cell) => total + (matches(cell) ? cell.count : 0), 0)
  const count = sum(() => true)
  const of = (name: string) => ({
    hits: sum(({ label, answer }) => label === name && answer === name),
    falseAlarms: sum(({ label, answer }) => label !== name && answer === name),
    missed: sum(({ label, answer }) => label === name && answer !== name),
  })
  if (names.length <= 2) {
    const positive = await positiveLabel(reading, pairs, names)
    const { hits, falseAlarms, missed } = of(positive.label)
    const isPositive = `label = ${sqlText(positive.label)}`
    const [scores] = await reading.duck.rows(`SELECT count(score) FROM (${pairs})`)
    const area = Number(scores?.[0] ?? 0) === count ? await auc(reading, pairs, 'score', isPositive) : {}
    const metrics = { ...binary(count, hits, falseAlarms, missed), ...area }
    return { task: 'classification', metrics: finite(metrics), notes: [positive.note] }
  }
  const each = names.map((name) => binary(count, of(name).hits, of(name).falseAlarms, of(name).missed))
  const mean = (pick: (metrics: (typeof each)[number]) => number) =>
    each.reduce((total, metrics) => total + pick(metrics), 0) / each.length
  const metrics = {
    accuracy: sum(({ label, answer }) => label === answer) / count,
    precision_macro: mean(({ precision }) => precision),
    recall_macro: mean(({ recall }) => recall),
    f1_macro: mean(({ f1 }) => f1),
  }
  return { task: 'classification', metrics: finite(metrics), notes: [`${names.length} classes; averages over classes`] }
}

function binary(count: number, hits: number, falseAlarms: number, missed: number) {
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  return {
    accuracy: share(count - falseAlarms - missed, count),
    precision: share(hits, hits + falseAlarms),
    recall: share(hits, hits + missed),
    f1: share(2 * hits, 2 * hits + falseAlarms + missed),
  }
}

/** Counts of pairs by distinct score: exact, ties count half. Without one of the two classes there is none. */
async function auc(reading: Reading, pairs: string, score: string, isPositive: string): Promise<{ auc?: number }> {
  const [row] = await reading.duck.rows(
    `WITH scores AS (SELECT ${score} AS score, count(*) FILTER (${isPositive}) AS p, count(*) FILTER (NOT (${isPositive})) AS n
       FROM (${pairs}) GROUP BY 1),
     below AS (SELECT p, n, sum(n) OVER (ORDER BY score) - n AS under FROM scores)
     SELECT sum(p * (CAST(under AS DOUBLE) + n / 2.0)), sum(p), sum(n) FROM below`,
  )
  const [area = 0, positives = 0, negatives = 0] = (row ?? []).map(Number)
  return positives === 0 || negatives === 0 ? {} : { auc: area / (positives * negatives) }
}

async function positiveLabel(
  reading: Reading,
  pairs: string,
  names?: readonly string[],
): Promise<{ readonly label: string; readonly note: string }> {
  const found =
    names ??
    (await reading.duck.rows(`SELECT DISTINCT label FROM (${pairs}) ORDER BY 1`)).map(([label]) => String(label))
  const label = positiveClass(found)
  return { label, note: `positive class: ${label}` }
}

const finite = (metrics: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).filter(
      (entry): entry is [string, number] => entry[1] !== undefined && Number.isFinite(entry[1]),
    ),
  )
