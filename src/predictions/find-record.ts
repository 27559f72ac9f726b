/**
 * One line or row of the log as the prediction it says, or why it is none (docs/prediction-log.md, section 2). Pure.
 * Where lines are looked for is in `find.ts`.
 */

/** A prediction as it was logged, nothing hidden yet. */
export interface FoundRecord {
  readonly id: string
  readonly model: string
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** 0: the service did not know. */
  readonly version: number
  readonly variant: string | null
  readonly features: Readonly<Record<string, unknown>> | null
  readonly output: unknown
  /** Milliseconds. */
  readonly latency: number | null
  readonly status: string
  readonly error: string | null
  readonly user: string | null
  readonly segment: string | null
  readonly tokens: number | null
  readonly cost: number | null
  readonly tags: Readonly<Record<string, unknown>> | null
  readonly sampleRate: number | null
  /** Where it stands: `predictions/…/py-….jsonl, line 12`. */
  readonly place: string
}

/** Members of a record by the names that the log has for them. */
export type Members = Readonly<Record<string, unknown>>

/** The day of the folder; undefined where days are no folders. */
type Day = { readonly date: string } | undefined

/** @returns why these members are no record of the model and day; undefined when they are one */
export function recordProblem(members: Members, model: string, day: Day): string | undefined {
  if (isDeeper(members, DEEPEST)) return `it is nested more than ${DEEPEST} deep`
  const { version, features, output, status } = members
  const time = timeOf(members.time)
  if (time === undefined) return `its time ${short(members.time)} cannot be read`
  if (day !== undefined && !time.startsWith(day.date)) return `its time ${time} is of another day than its folder`
  const number = versionOf(version)
  if (!Number.isInteger(number) || number < 0 || number > 2_147_483_647) {
    return `its version ${short(version)} is no version number`
  }
  if (members.model !== model) return `it names another model, ${short(members.model)}`
  const isOk = typeof status !== 'string' || status === 'ok'
  if (isOk && (features ?? null) === null && (output ?? null) === null) return 'it has neither features nor output'
  return undefined
}

/** Of members that `recordProblem` found nothing wrong with: one of a wrong type counts as absent. */
export function recordOf(members: Members, place: string): FoundRecord {
  return {
    id: String(members.id),
    model: String(members.model),
    time: timeOf(members.time) ?? '',
    version: versionOf(members.version),
    variant: textOf(members.variant),
    features: objectOf(members.features),
    output: members.output ?? null,
    latency: numberOf(members.latency_ms),
    status: textOf(members.status) ?? 'ok',
    error: textOf(members.error),
    user: textOf(members.user),
    segment: textOf(members.segment),
    tokens: numberOf(members.tokens),
    cost: numberOf(members.cost),
    tags: objectOf(members.tags),
    sampleRate: numberOf(members.sample_rate),
    place,
  }
}

/** Digits as a text are a number to DuckDB too; `true`, `[1]` and the empty text are none to anybody who asks who answered. */
const versionOf = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && /^\d{1,10}$/.test(value)) ? Number(value) : Number.NaN

/** Levels. Who shows a record walks through all of it. */
const DEEPEST = 200

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)))

/** The object of a line; undefined for what is none. */
export function objectIn(text: string): Members | undefined {
  try {
    return objectOf(JSON.parse(text)) ?? undefined
  } catch {
    return undefined
  }
}

const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?$/

/** A time without a zone is UTC, as DuckDB reads it. */
function timeOf(value: unknown): string | undefined {
  const zone = typeof value === 'string' ? TIME.exec(value) : null
  if (typeof value !== 'string' || zone === null) return undefined
  const time = Date.parse(`${value.replace(' ', 'T')}${zone[1] === undefined ? 'Z' : ''}`)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const objectOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null

const short = (value: unknown): string => (value === undefined ? '(missing)' : JSON.stringify(value).slice(0, 60))
