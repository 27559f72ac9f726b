/**
 * What a version takes and gives, as far as its baseline tells, and what of it a newer version breaks for whoever asks it:
 * a column that is gone or newly wanted, another type, a value that may not be missing any more, another answer. Pure but
 * for reading the profile. The full contract of a service is made by `mlops scaffold fastapi`.
 */
import type { Digest } from '../../core/digest.ts'
import { MlopsError } from '../../core/errors.ts'
import { type ColumnProfile, type NumericColumn, type Profile, parseProfile, toNumber } from '../../drift/profile.ts'
import type { BaselineBody } from '../../store/events.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'

type ValueType = 'integer' | 'number' | 'text' | 'time'

export interface ContractColumn {
  readonly name: string
  readonly type: ValueType
  /** A value was missing in the training data. */
  readonly nullable: boolean
}

export interface Contract {
  readonly columns: readonly ContractColumn[]
  /** What the answer is called; null when not recorded. */
  readonly output: string | null
  /** The classes of the target, sorted; null where it is a quantity, or not recorded. */
  readonly classes: readonly string[] | null
  /** Nothing is recorded of the target: then classes cannot be compared. */
  readonly target: 'classes' | 'quantity' | 'unknown'
}

export interface ContractChange {
  readonly what: 'removed' | 'added' | 'type' | 'nullable' | 'output' | 'classes'
  readonly column: string
  /** Whoever asks as before is refused, or gets what they do not expect. */
  readonly breaking: boolean
  /** One sentence without an end: `tenure: integer -> text`. */
  readonly summary: string
}

export interface ContractDiff {
  /** `unknown`: one of the two has no baseline. */
  readonly verdict: 'same' | 'compatible' | 'breaking' | 'unknown'
  /** Breaking ones first. */
  readonly changes: readonly ContractChange[]
}

export const UNKNOWN_CONTRACT: ContractDiff = { verdict: 'unknown', changes: [] }

/** @returns null without a baseline that can be read */
export async function readContract(
  store: Pick<Store, 'objects'>,
  manifest: Pick<Manifest, 'baseline' | 'target' | 'prediction'>,
  modelBaseline: BaselineBody | undefined,
): Promise<Contract | null> {
  const digest = manifest.baseline?.profile ?? modelBaseline?.profile.sha256
  if (digest === undefined) return null
  const profile = await profileOf(store, digest)
  return profile === null ? null : contractOf(profile, manifest)
}

async function profileOf(store: Pick<Store, 'objects'>, digest: Digest): Promise<Profile | null> {
  try {
    return parseProfile(await store.objects.read(digest), 'the baseline')
  } catch (error) {
    // Damage is for the commands to name that cannot do without it.
    if (error instanceof MlopsError) return null
    throw error
  }
}

export function contractOf(
  profile: Profile,
  { target, prediction }: Pick<Manifest, 'target' | 'prediction'>,
): Contract {
  const isFeature = ({ name, role, type }: ColumnProfile): boolean =>
    role === 'feature' && name !== target && name !== prediction && type !== 'id' && type !== 'ignore'
  const truth = profile.columns.find(({ name, role }) => name === target || (target === undefined && role === 'target'))
  const classes = truth === undefined ? null : classesOf(truth)
  return {
    columns: profile.columns.filter(isFeature).map((column) => ({
      name: column.name,
      type: typeOf(column),
      nullable: column.missing > 0 || (column.type === 'numeric' && column.nan > 0),
    })),
    output: prediction ?? null,
    classes,
    target: truth === undefined ? 'unknown' : classes === null ? 'quantity' : 'classes',
  }
}

function typeOf(column: ColumnProfile): ValueType {
  if (column.type === 'numeric') return isWhole(column) ? 'integer' : 'number'
  return column.type === 'timestamp' ? 'time' : 'text'
}

const isWhole = ({ resolution, counts, singles }: NumericColumn): boolean => {
  if (resolution === 'integer' || resolution === 'bigint') return true
  const values = new Map(singles)
  return counts.every((count, bin) => count === 0 || Number.isInteger(toNumber(values.get(bin) ?? 0.5)))
}

/** More values are a quantity. */
const MOST_CLASSES = 50

function classesOf(column: ColumnProfile): readonly string[] | null {
  if (column.type === 'categorical') return column.complete ? [...column.categories].sort() : null
  if (column.type !== 'numeric' || !isWhole(column) || column.singles.length > MOST_CLASSES) return null
  const values = new Map(column.singles)
  const isListed = column.counts.every((count, bin) => count === 0 || values.has(bin))
  return isListed ? column.singles.map(([, value]) => String(value)).sort() : null
}

/** @param before of the version that callers know */
export function diffContracts(before: Contract | null, after: Contract | null): ContractDiff {
  if (before === null || after === null) return UNKNOWN_CONTRACT
  const changes = [...columnChanges(before, after), ...outputChanges(before, after)]
  changes.sort((a, b) => Number(b.breaking) - Number(a.breaking))
  if (changes.length === 0) return { verdict: 'same', changes }
  return { verdict: changes.some(({ breaking }) => breaking) ? 'breaking' : 'compatible', changes }
}

function columnChanges(before: Contract, after: Contract): ContractChange[] {
  const was = new Map(before.columns.map((column) => [column.name, column]))
  const is = new Map(after.columns.map((column) => [column.name, column]))
  const removed = before.columns
    .filter(({ name }) => !is.has(name))
    .map(({ name }) => change('removed', name, true, 'is not taken any more'))
  const others = after.columns.flatMap((now): ContractChange[] => {
    const { name, type, nullable } = now
    const old = was.get(name)
    if (old === undefined) {
      const said = nullable ? 'is new, and may be missing' : 'is new, and must be given'
      return [change('added', name, !nullable, said)]
    }
    // A whole number is a number; the other way round it may be refused.
    const widens = old.type === 'integer' && type === 'number'
    return [
      ...(old.type === type ? [] : [change('type', name, !widens, `${old.type} -> ${type}`)]),
      ...(old.nullable === nullable
        ? []
        : [change('nullable', name, !nullable, nullable ? 'may be missing now' : 'must not be missing any more')]),
    ]
  })
  return [...removed, ...others]
}

function outputChanges(before: Contract, after: Contract): ContractChange[] {
  const changes: ContractChange[] = []
  if (before.output !== after.output && before.output !== null && after.output !== null) {
    changes.push(change('output', after.output, true, `the answer was called ${before.output}`))
  }
  if (before.target === 'unknown' || after.target === 'unknown') return changes
  const answer = after.output ?? 'the answer'
  if (before.target !== after.target) {
    const words = { classes: 'one of some classes', quantity: 'a quantity' }
    changes.push(change('output', answer, true, `was ${words[before.target]}, is ${words[after.target]}`))
    return changes
  }
  const gone = (before.classes ?? []).filter((each) => !after.classes?.includes(each))
  const fresh = (after.classes ?? []).filter((each) => !before.classes?.includes(each))
  if (gone.length + fresh.length > 0) {
    const list = (names: readonly string[]): string => names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '')
    const parts = [
      ...(fresh.length === 0 ? [] : [`new classes: ${list(fresh)}`]),
      ...(gone.length === 0 ? [] : [`classes that are gone: ${list(gone)}`]),
    ]
    changes.push(change('classes', answer, true, parts.join('; ')))
  }
  return changes
}

const change = (what: ContractChange['what'], column: string, breaking: boolean, said: string): ContractChange => ({
  what,
  column,
  breaking,
  summary: `${column}: ${said}`,
})

/** In one sentence, for a check and a warning. */
export function describeContract({ changes }: ContractDiff, most = 5): string {
  const breaking = changes.filter((each) => each.breaking).map(({ summary }) => summary)
  const more = breaking.length > most ? `; ${breaking.length - most} more` : ''
  return `${breaking.slice(0, most).join('; ')}${more}`
}
