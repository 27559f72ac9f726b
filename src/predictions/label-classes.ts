/**
 * Which class of the baseline a label is, where services and people spell classes in other ways than the training data:
 * `1` and `Yes`. Used for the target column of a window; realised quality tells positive from negative by the same words.
 */
import { classKey, NEGATIVE, POSITIVE } from '../core/classes.ts'
import { type Duck, sqlText } from '../data/duck.ts'
import type { RowShape } from './types.ts'

/** Classes beyond these are not looked at one by one: they are many names, or numbers. */
const MOST_CLASSES = 1_000
const SHOWN = 5

export interface LabelReading {
  /** The label as the baseline spells it, over `label`; undefined when it has nothing to do with the baseline's. */
  readonly sql: string | undefined
  readonly notes: readonly string[]
}

const TEXT = `json_transform(label, '"VARCHAR"')`

/** @param labelled a SELECT with the column `label` */
export async function readLabels(duck: Duck, labelled: string, shape: RowShape): Promise<LabelReading> {
  const { target = 'the target', targetClasses } = shape
  if (targetClasses === undefined) return { sql: TEXT, notes: [] }
  const known = targetClasses === 'numbers' ? 'TRY_CAST(value AS DOUBLE) IS NOT NULL' : 'true'
  const found = await duck.rows(
    `SELECT value, ${known} FROM (SELECT ${TEXT} AS value FROM (${labelled}))
     WHERE value IS NOT NULL GROUP BY value ORDER BY count(*) DESC, value LIMIT ${MOST_CLASSES}`,
  )
  const labels = found.map(([value]) => String(value))
  const leftOut = (classes: string): LabelReading => ({
    sql: undefined,
    notes: [`${target} was left out: its labels are ${listed(labels)}, in the baseline it is ${classes}`],
  })
  if (targetClasses === 'numbers') {
    return labels.length === 0 || found.some(([, isNumber]) => isNumber === true)
      ? { sql: TEXT, notes: [] }
      : leftOut('a number')
  }
  const classOf = classReader(targetClasses)
  const read = labels.flatMap((label) => {
    const known = classOf(label)
    return known === undefined ? [] : [[label, known] as const]
  })
  if (labels.length > 0 && read.length === 0) return leftOut(`one of ${listed(targetClasses)}`)
  const renamed = read.filter(([label, name]) => label !== name)
  if (renamed.length === 0) return { sql: TEXT, notes: [] }
  const cases = renamed.map(([label, name]) => `WHEN ${sqlText(label)} THEN ${sqlText(name)}`)
  const told = renamed.filter(([label, name]) => classKey(label) !== classKey(name))
  return {
    sql: `CASE ${TEXT} ${cases.join(' ')} ELSE ${TEXT} END`,
    notes:
      told.length === 0
        ? []
        : [
            `the labels of ${target} are read as its classes: ${told
              .slice(0, SHOWN)
              .map(([label, name]) => `${label} as ${name}`)
              .join(', ')}`,
          ],
  }
}

/** The class of the baseline that a label means; undefined when none is surely meant. */
export function classReader(classes: readonly string[]): (label: string) => string | undefined {
  const exact = new Set(classes)
  const byKey = new Map<string, string | undefined>()
  // Two classes that differ only in their spelling are told apart by it.
  for (const name of classes) byKey.set(classKey(name), byKey.has(classKey(name)) ? undefined : name)
  const side = (words: readonly string[]) => classes.filter((name) => words.includes(name.trim().toLowerCase()))
  const [positive, negative] = [side(POSITIVE), side(NEGATIVE)]
  const isPair = classes.length === 2 && positive.length === 1 && negative.length === 1
  return (label) => {
    if (exact.has(label)) return label
    const same = byKey.get(classKey(label))
    if (same !== undefined || !isPair) return same
    const word = label.trim().toLowerCase()
    if (POSITIVE.includes(word)) return positive[0]
    return NEGATIVE.includes(word) ? negative[0] : undefined
  }
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, SHOWN).map((value) => JSON.stringify(value.slice(0, 40)))
  const more = values.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more >= MOST_CLASSES - SHOWN ? 'many' : more} more` : ''}`
}
