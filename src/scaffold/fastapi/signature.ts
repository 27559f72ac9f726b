/**
 * What a version takes and gives, from what was recorded of it: the profile of its baseline, its examples, and what
 * mlops.yaml says of the columns. Pure. Nothing is guessed silently: what could not be known stands in the notes.
 */

import { POSITIVE, positiveClass } from '../../core/classes.ts'
import { usage } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { kindOfExamples, type OutputKind } from '../../drift/answers.ts'
import { categoryType, columnType, isNullable, isWhole, takenColumns } from '../../drift/columns.ts'
import type { RecordedExample } from '../../drift/examples.ts'
import type { ColumnProfile, Profile } from '../../drift/profile.ts'
import { toNumber } from '../../drift/profile.ts'
import type { SchemaConfig } from '../../project/config.ts'
import type { Feature, FeatureType, Output, Plain, Signature } from './facts.ts'
import { fieldNames } from './fields.ts'

export interface SignatureInput {
  readonly model: string
  readonly profile: Profile | undefined
  readonly examples: readonly RecordedExample[]
  readonly schema: SchemaConfig
  /** Names of the manifest, which may differ from mlops.yaml today. */
  readonly target: string | undefined
  readonly prediction: string | undefined
  /** Columns that are never logged, so that examples lack them. */
  readonly drop: readonly string[]
  readonly refuse: readonly string[]
  readonly kind: OutputKind | undefined
}

/** Longer lists are no documentation any more. */
const MOST_CATEGORIES = 1_000

/** @throws usage `SIGNATURE_UNKNOWN`, `COLUMN_UNKNOWN`, `OUTPUT_UNKNOWN` */
export function signatureOf(input: SignatureInput): Signature {
  const notes: string[] = []
  const names = columnNames(input, notes)
  const columns = new Map(input.profile?.columns.map((column) => [column.name, column]))
  const typed = names.flatMap((name) => {
    const type = columnType(name, columns.get(name), input.examples)
    if (type !== undefined) return [{ name, type }]
    notes.push(`${name} holds lists or objects, which a request is not typed with; it is left out`)
    return []
  })
  const fields = fieldNames(typed.map(({ name }) => name))
  assertKnown(
    input.refuse,
    typed.map(({ name }) => name),
  )
  const features = typed.map(({ name, type }, index): Feature => {
    const column = columns.get(name)
    const refuse = input.refuse.includes(name)
    // What is personal is not written into files that are committed, unless it is there to be checked.
    const isHidden = input.drop.includes(name) && !refuse
    return {
      name,
      field: fields[index] ?? name,
      type,
      nullable: isNullable(name, column, input.examples),
      categories: isHidden ? null : categoriesOf(column, type),
      range: isHidden ? null : rangeOf(column, type),
      refuse,
    }
  })
  return { features, output: outputOf(input, columns), notes }
}

/** The columns a model takes, in its order where that is known. */
function columnNames(input: SignatureInput, notes: string[]): readonly string[] {
  const { schema } = input
  const taken = takenColumns({ ...input, answers: [input.target, input.prediction, schema.target, schema.prediction] })
  if (taken.from === 'examples') return taken.names
  if (taken.ids.length > 0) {
    notes.push(
      `left out as ids: ${taken.ids.join(', ')}; where the model takes one, say its type in mlops.yaml under schema.columns`,
    )
  }
  if (taken.names.length === 0) throw nothingRecorded(input.model)
  notes.push(
    'the order of the columns was not recorded (a model that knows the names of its columns does not need it); log_examples records it',
  )
  return taken.names
}

const nothingRecorded = (model: string) =>
  usage({
    code: 'SIGNATURE_UNKNOWN',
    message: `Nothing says which columns ${model} takes: this version has neither a baseline nor examples.`,
    hint: `Register it with its training data: mlops register ${model} --run @last --baseline train.csv (run.log_examples(X, y_pred) in the script is better still)`,
  })

function assertKnown(refuse: readonly string[], names: readonly string[]): void {
  const unknown = refuse.find((name) => !names.includes(name))
  if (unknown === undefined) return
  const close = nearest(unknown, names)
  throw usage({
    code: 'COLUMN_UNKNOWN',
    message: `--refuse ${unknown}: the model takes no such column.`,
    hint: close === undefined ? `It takes ${names.slice(0, 10).join(', ')}` : `Did you mean ${close}?`,
  })
}

function categoriesOf(column: ColumnProfile | undefined, type: FeatureType): readonly Plain[] | null {
  if (column?.type !== 'categorical' || type === 'boolean' || !column.complete) return null
  const { categories } = column
  if (categories.length === 0 || categories.length > MOST_CATEGORIES) return null
  if (type === 'string') return [...categories].sort()
  const numbers = categories.map(Number)
  return numbers.every(Number.isFinite) ? numbers.sort((a, b) => a - b) : null
}

function rangeOf(column: ColumnProfile | undefined, type: FeatureType): readonly [number, number] | null {
  if (column?.type !== 'numeric' || column.range === null || (type !== 'integer' && type !== 'number')) return null
  const [low, high] = column.range
  return [toNumber(low), toNumber(high)]
}

function outputOf(input: SignatureInput, columns: ReadonlyMap<string, ColumnProfile>): Output {
  const { schema, examples } = input
  const name = input.prediction ?? schema.prediction
  const target = input.target ?? schema.target
  const truth = target === undefined ? null : classesOf(columns.get(target))
  const answer = name === undefined ? undefined : columns.get(name)
  const kind =
    input.kind ??
    kindOfExamples(examples, truth) ??
    kindOfColumn(answer) ??
    (truth === null ? undefined : 'probability')
  if (kind === undefined) {
    throw usage({
      code: 'OUTPUT_UNKNOWN',
      message: `Nothing says what ${input.model} answers: it has no examples, and no target or prediction column is recorded.`,
      hint: `Say it: mlops scaffold fastapi ${input.model} --output probability (or class, number)`,
    })
  }
  const classes = kind === 'number' ? null : (truth ?? (kind === 'class' ? classesOf(answer) : null))
  // A model that was trained on numbers in the place of the classes answers with these numbers.
  const isCoded = kind === 'class' && examples.some(({ output }) => classes?.includes(output as Plain) === false)
  return { name: name ?? 'prediction', kind, classes: isCoded ? null : classes }
}

function kindOfColumn(column: ColumnProfile | undefined): OutputKind | undefined {
  if (column?.type === 'categorical') return 'class'
  if (column?.type !== 'numeric' || column.range === null) return undefined
  const [low, high] = column.range.map(toNumber)
  const isShare = Number(low) >= 0 && Number(high) <= 1
  return isShare && !isWhole(column) ? 'probability' : isShare ? 'class' : 'number'
}

/** The values of a column that holds classes; of two the positive one last, as scikit-learn has `No` before `Yes`. */
function classesOf(column: ColumnProfile | undefined): readonly Plain[] | null {
  const values = classValues(column)
  if (values === null || values.length < 2) return null
  const [first, second, third] = values
  if (third !== undefined || first === undefined || second === undefined) return values
  const words = [first, second].map((each) => String(each).toLowerCase())
  const isTurned = POSITIVE.includes(words[0] ?? '') && positiveClass(words) === words[0] && words[0] !== words[1]
  return isTurned ? [second, first] : values
}

function classValues(column: ColumnProfile | undefined): readonly Plain[] | null {
  if (column?.type === 'categorical') {
    const type = categoryType(column)
    if (type === 'boolean') return [false, true]
    return categoriesOf(column, type)
  }
  if (column?.type !== 'numeric' || !isWhole(column) || column.singles.length > 50) return null
  const covered = column.counts.reduce((sum, count) => sum + count, 0)
  const inSingles = column.singles.reduce((sum, [bin]) => sum + (column.counts[bin] ?? 0), 0)
  return covered === inSingles ? column.singles.map(([, value]) => toNumber(value)) : null
}
