/**
 * Profiling a baseline: choose types, edges and categories once from a deterministic sample, then count every row
 * into them. And counting a later batch into a baseline's definitions. Reading files is in `source.ts`.
 */
import { failed } from '../core/errors.ts'
import { asInput, type DataInput } from '../data/input.ts'
import type { OpenOptions, Source } from '../data/source.ts'
import type { SchemaConfig } from '../project/config.ts'
import { canonicalCounts, keptCategories } from './categories.ts'
import { countInto } from './count.ts'
import { chooseBigEdges, chooseEdges, cutsFor } from './edges.ts'
import { configuredType, inferType, leftOutNotes, roleOf, schemaNotes } from './infer.ts'
import { type ColumnProfile, definitionDigest, type Profile, profileBytes } from './profile.ts'
import { type SampleColumn, takeSample } from './sample.ts'
import type { DataIdentity } from './types.ts'

export interface ProfileOptions extends Omit<OpenOptions, 'expected'> {
  readonly schema: SchemaConfig
  readonly progress?: (step: string, fraction?: number) => void
}

export interface Baseline {
  readonly profile: Profile
  /** What goes into the objects: the same data registered twice has the same bytes. */
  readonly bytes: Buffer
  readonly data: DataIdentity
  /** What a person should know: how a column was read when that is not obvious. */
  readonly notes: readonly string[]
}

/**
 * Profiles data as a baseline.
 * @param data a word of the user's, or an input
 * @throws notFound `DATA_NOT_FOUND`; usage `DATA_REMOTE`, `DATA_MIXED`; failed `DATA_NO_ROWS`, `DATA_…`
 */
export async function profileBaseline(data: string | DataInput, options: ProfileOptions): Promise<Baseline> {
  const input = asInput(data)
  const source = input.name
  return input.open(options, async (opened) => {
    options.progress?.(`Looking at ${source}`)
    const sample = await takeSample(opened)
    if (sample.rows === 0) {
      throw failed({
        code: 'DATA_NO_ROWS',
        message: `${source} has a header but no rows: there is nothing to profile.`,
        hint: 'Check the program that writes it',
      })
    }
    const sorted = sample.columns.toSorted((a, b) => (a.column.name < b.column.name ? -1 : 1))
    const notes = [...opened.notes, ...schemaNotes(options.schema, namesOf(opened), source)]
    const recognised: { name: string; type: ColumnProfile['type'] }[] = []
    const draft = sorted.map((column) => {
      const configured = configuredType(options.schema, column.column.name)
      const inferred = inferType(column, configured)
      if (inferred.note !== undefined) notes.push(inferred.note)
      if (configured === undefined) {
        recognised.push({ name: column.column.name, type: inferred.type })
      }
      return draftColumn(column, inferred.type, options.schema, cutsFor(sorted.length))
    })
    notes.push(...leftOutNotes(recognised))
    const counted = await countInto(draft, opened, (rows) =>
      options.progress?.(`Counting ${source}`, rows / sample.rows),
    )
    const data = await identityOf(opened, counted.rows)
    await opened.assertUnchanged()
    const columns = counted.columns.map(asDefinition)
    for (const column of columns) {
      if (column.type === 'categorical' && !column.complete) {
        notes.push(
          `${column.name} has more categories than are kept: the ${column.categories.length} most frequent ones`,
        )
      }
    }
    const profile: Profile = {
      format: 1,
      kind: 'profile',
      definition: definitionDigest(columns),
      rows: counted.rows,
      columns,
      absent: [],
      extra: [],
    }
    return { profile, bytes: profileBytes(profile), data, notes }
  })
}

/**
 * Counts a batch into a baseline's definitions. Columns that are missing, new or of another type are recorded in the
 * result, never an error, unless no column is shared.
 * @throws as `profileBaseline`; failed `DATA_UNRELATED`. An empty batch is a profile with no rows.
 */
export async function profileBatch(
  baseline: Profile,
  data: string | DataInput,
  options: Omit<ProfileOptions, 'schema'>,
): Promise<Omit<Baseline, 'bytes'>> {
  const input = asInput(data)
  const source = input.name
  const expected = baseline.columns.map(({ name }) => name)
  return input.open({ ...options, expected }, async (opened) => {
    const names = namesOf(opened)
    const present = opened.keys ?? new Set(names)
    if (!expected.some((name) => present.has(name))) {
      const shown = (list: readonly string[]) =>
        list
          .slice(0, 4)
          .map((name) => JSON.stringify(name))
          .join(', ')
      throw failed({
        code: 'DATA_UNRELATED',
        message: `${source} has no column in common with the baseline: it has ${shown([...present])}, the baseline has ${shown(expected)}.`,
        hint: 'Check that it is the right file and that its first line holds the column names',
      })
    }
    const counted = await countInto(baseline.columns, opened, () => options.progress?.(`Counting ${source}`))
    const data = await identityOf(opened, counted.rows)
    await opened.assertUnchanged()
    const profile: Profile = {
      format: 1,
      kind: 'profile',
      definition: baseline.definition,
      ...counted,
    }
    return { profile, data, notes: opened.notes }
  })
}

const namesOf = (source: Source): string[] => source.columns.map(({ name }) => name)

const identityOf = async (source: Source, rows: number): Promise<DataIdentity> => ({
  source: source.name,
  sha256: await source.sha256,
  rows,
  columns: source.keys?.size ?? source.columns.length,
})

/** A column before counting: how to count, with the sample's range and categories. */
function draftColumn(
  sample: SampleColumn,
  type: ColumnProfile['type'],
  schema: SchemaConfig,
  cuts: number,
): ColumnProfile {
  const { name } = sample.column
  const base = { name, role: roleOf(name, schema), missing: 0 }
  if (type === 'numeric') {
    const { resolution, edges, singles } =
      sample.bigs === undefined ? chooseEdges(sample.numbers, cuts) : chooseBigEdges(sample.bigs, cuts)
    const none = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0, below: 0, above: 0 }
    return { ...base, ...none, type, resolution, edges, singles, range: null, counts: [], min: null, max: null }
  }
  if (type === 'categorical') {
    const counts = canonicalCounts([...sample.words, ...(sample.numberTexts ?? numberTexts(sample))])
    const { categories } = keptCategories(counts, true)
    return { ...base, type, categories, complete: true, counts: [], other: 0, new: 0, newValues: {} }
  }
  return { ...base, type, present: 0 }
}

/** Numbers of a numeric column that the schema declares categorical, spelled as DuckDB spells whole numbers. */
function numberTexts(sample: SampleColumn): (readonly [string, number])[] {
  const values = new Set<number | bigint>(sample.bigs ?? sample.numbers)
  return [...values].map((value) => [String(value), 1] as const)
}

/** After counting: the final range, and the categories that the sample had not seen, in their final order. */
function asDefinition(column: ColumnProfile): ColumnProfile {
  if (column.type === 'numeric') {
    const range = column.min === null || column.max === null ? null : ([column.min, column.max] as const)
    return { ...column, range, below: 0, above: 0 }
  }
  if (column.type !== 'categorical') return column
  const counts = new Map(column.categories.map((category, i) => [category, column.counts[i] ?? 0]))
  for (const [category, count] of Object.entries(column.newValues ?? {})) counts.set(category, count)
  for (const [category, count] of counts) if (count === 0) counts.delete(category)
  const { categories, complete } = keptCategories(counts, column.newValues !== null)
  const kept = categories.map((category) => counts.get(category) ?? 0)
  const total = column.counts.reduce((sum, n) => sum + n, column.new)
  const other = total - kept.reduce((sum, n) => sum + n, 0)
  return { ...column, categories, complete, counts: kept, other, new: 0, newValues: {} }
}
