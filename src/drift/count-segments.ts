/**
 * Counting data by the values of one column into the definitions of a baseline, and the stored form of such counts
 * (docs/profile-format.md, Segments). What the counts mean is decided in `segments.ts`.
 */
import { canonicalBytes } from '../core/canonical-json.ts'
import { failed, notFound, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { sqlText } from '../data/duck.ts'
import { asInput, type DataInput } from '../data/input.ts'
import type { Source } from '../data/source.ts'
import { canonicalCounts, spellings } from './categories.ts'
import { countInto } from './count.ts'
import { CATEGORY_CAP, type ColumnProfile, type Profile } from './profile.ts'
import { MAX_SEGMENTS, type Segment, type SegmentCounts } from './segments.ts'

export interface CountSegmentsOptions {
  /** Absolute: what a relative source is relative to. */
  readonly cwd: string
  readonly signal?: AbortSignal
  readonly progress?: (step: string, fraction?: number) => void
  /** The segments to count, everything else being "others": those of the reference. Undefined: the largest ones. */
  readonly values?: readonly (string | null)[]
}

/**
 * Counts the rows of each value of the column `by` into the definitions of `baseline`: one pass for each segment.
 * A baseline's own data, a later batch and an earlier window are all counted by this.
 * @throws notFound `SEGMENT_COLUMN_MISSING` when the data have no such column; usage `SEGMENTS_TOO_MANY` when `values` is
 *   undefined and the column has more than 10,000 values; and what opening data throws
 */
export async function countSegments(
  data: string | DataInput,
  by: string,
  baseline: Profile,
  options: CountSegmentsOptions,
): Promise<SegmentCounts> {
  const input = asInput(data)
  const expected = [...new Set([...baseline.columns.map(({ name }) => name), by])]
  return input.open({ ...options, expected }, async (source) => {
    const column = source.columns.find(({ name }) => name === by)
    if (column === undefined || source.keys?.has(by) === false) throw missingColumn(source, by)
    const text = `CAST(${column.sql} AS VARCHAR)`
    const rowsByValue = await countValues(source, text, by, options.values === undefined)
    const values = options.values ?? [...rowsByValue.keys()].slice(0, MAX_SEGMENTS)
    const count = async (condition: string): Promise<Profile> => {
      const part = { ...source, relation: `(SELECT * FROM ${source.relation} WHERE ${condition})` }
      return {
        format: 1,
        kind: 'profile',
        definition: baseline.definition,
        ...(await countInto(baseline.columns, part)),
      }
    }
    const segments: Segment[] = []
    for (const [i, value] of values.entries()) {
      options.progress?.(`Counting ${source.name} by ${by}`, i / (values.length + 1))
      segments.push({ value, profile: await count(valueCondition(text, value)) })
    }
    const listed = values.flatMap((value) => (value === null ? [] : spellings(value)))
    const isOther = [
      values.includes(null) ? `${text} IS NOT NULL` : undefined,
      listed.length === 0 ? undefined : `(${text} IS NULL OR ${text} NOT IN (${listed.map(sqlText).join(', ')}))`,
    ].filter((condition) => condition !== undefined)
    const known = new Set(values)
    const otherValues = [...rowsByValue.keys()].filter((value) => !known.has(value)).length
    const others =
      otherValues === 0 ? null : { values: otherValues, profile: await count(isOther.join(' AND ') || 'true') }
    await source.assertUnchanged()
    const rows = segments.reduce((sum, { profile }) => sum + profile.rows, others?.profile.rows ?? 0)
    return { format: 1, kind: 'segments', by, rows, segments, others }
  })
}

const valueCondition = (text: string, value: string | null): string =>
  value === null ? `${text} IS NULL` : `${text} IN (${spellings(value).map(sqlText).join(', ')})`

/** Rows by value, most first, ties by value, nulls after a value that is as frequent. */
async function countValues(
  source: Source,
  text: string,
  by: string,
  isLimited: boolean,
): Promise<Map<string | null, number>> {
  const found = await source.duck.rows(
    `SELECT ${text} AS value, count(*) AS n FROM ${source.relation} GROUP BY value ORDER BY n DESC, value LIMIT ${2 * CATEGORY_CAP + 1}`,
  )
  const nulls = Number(found.find(([value]) => value === null)?.[1] ?? 0)
  const counts = canonicalCounts(
    found.flatMap(([value, n]) => (value === null ? [] : [[String(value), Number(n)] as const])),
  )
  if (isLimited && counts.size > CATEGORY_CAP) {
    throw usage({
      code: 'SEGMENTS_TOO_MANY',
      message: `The column ${JSON.stringify(by)} of ${source.name} has more than ${CATEGORY_CAP.toLocaleString('en-US')} values: it has no segments that could be judged.`,
      hint: 'Name a column with a few values, such as a region or a plan',
    })
  }
  const all: (readonly [string | null, number])[] = [...counts, ...(nulls > 0 ? [[null, nulls] as const] : [])]
  return new Map(all.sort(([a, n], [b, m]) => m - n || (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1)))
}

const NAMED = 8

/** The first of them, and how many more there are. */
export function namesCut(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
  return `${names.slice(0, NAMED).join(', ')}${more}`
}

function missingColumn(source: Source, by: string) {
  const names = source.keys === undefined ? source.columns.map(({ name }) => name) : [...source.keys]
  const close = nearest(by, names)
  return notFound({
    code: 'SEGMENT_COLUMN_MISSING',
    message: `${source.name} has no column ${JSON.stringify(by)} to look at the rows by.`,
    hint: close === undefined ? `Its columns: ${namesCut(names)}` : `Did you mean --by ${close}?`,
  })
}

/** The object that is stored beside a baseline: the counts alone, the definitions stand in the profile. */
export function segmentsBytes(counts: SegmentCounts): Buffer {
  const bare = (profile: Profile) => ({
    ...profile,
    columns: profile.columns.map((column) => {
      const { name: _name, role: _role, type: _type, ...rest } = column
      if (!('counts' in rest)) return rest
      if ('edges' in rest) {
        const { resolution: _resolution, edges: _edges, singles: _singles, range: _range, ...only } = rest
        return only
      }
      const { categories: _categories, complete: _complete, ...only } = rest
      return only
    }),
  })
  const { others } = counts
  return canonicalBytes({
    ...counts,
    segments: counts.segments.map(({ value, profile }) => ({ value, profile: bare(profile) })),
    others: others === null ? null : { ...others, profile: bare(others.profile) },
  })
}

/**
 * @param baseline the profile whose definitions the counts belong to, with the roles as they are today
 * @throws failed `PROFILE_UNREADABLE`
 */
export function parseSegments(bytes: Uint8Array, baseline: Profile, name: string): SegmentCounts {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    value = undefined
  }
  const stored = value as SegmentCounts | undefined
  const profiles = [
    ...(stored?.segments ?? []).map(({ profile }) => profile),
    ...(stored?.others ? [stored.others.profile] : []),
  ]
  const isOurs = stored?.kind === 'segments' && stored.format === 1
  if (!isOurs || profiles.some(({ definition }) => definition !== baseline.definition)) {
    throw failed({
      code: 'PROFILE_UNREADABLE',
      message: `The segments of ${name} are not counted into its baseline, or were written by a newer mlops.`,
      hint: 'Check the store: mlops store verify',
    })
  }
  const whole = (profile: Profile): Profile => ({
    ...profile,
    columns: baseline.columns.map((column, i) => ({ ...column, ...profile.columns[i] }) as ColumnProfile),
  })
  return {
    ...stored,
    segments: stored.segments.map((segment) => ({ ...segment, profile: whole(segment.profile) })),
    others: stored.others === null ? null : { ...stored.others, profile: whole(stored.others.profile) },
  }
}
