/**
 * What a version takes and gives, as far as its examples and its baseline tell (`drift/columns.ts`: as its service takes it), and
 * what of it a newer version breaks for whoever asks it: a column that is gone or newly wanted, another type, a value that
 * may not be missing any more, another answer. Pure but for reading what was recorded.
 */
import type { Digest } from '../../core/digest.ts'
import { MlopsError } from '../../core/errors.ts'
import { kindOfExamples, type OutputKind } from '../../drift/answers.ts'
import { columnType, type FeatureType, isNullable, isWhole, type Recorded, takenColumns } from '../../drift/columns.ts'
import { recordedExamples } from '../../drift/examples.ts'
import { type ColumnProfile, type Profile, parseProfile } from '../../drift/profile.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { BaselineBody } from '../../store/events.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'

export interface ContractColumn {
  readonly name: string
  readonly type: FeatureType
  /** By the baseline alone, in which values have fewer types than in examples; null where it has no such column. */
  readonly counted: FeatureType | null
  /** A value was missing in the training data. */
  readonly nullable: boolean
}

export interface Contract {
  readonly columns: readonly ContractColumn[]
  /** What the columns were told by. */
  readonly from: 'examples' | 'baseline'
  /** Features of the baseline that no example has: a service does not ask for them. */
  readonly unasked: readonly string[]
  /** What the examples hold as answers; null without examples that tell. */
  readonly kind: OutputKind | null
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
  /** `unknown`: one of the two has neither examples nor a baseline. */
  readonly verdict: 'same' | 'compatible' | 'breaking' | 'unknown'
  /** Breaking ones first. */
  readonly changes: readonly ContractChange[]
}

export const UNKNOWN_CONTRACT: ContractDiff = { verdict: 'unknown', changes: [] }

/** What mlops.yaml says of the columns of a model today. */
export type ContractSettings = Pick<Recorded, 'answers' | 'drop'>

export function contractSettings(project: Project, model: string): ContractSettings {
  const { schema, predictions } = modelConfig(project, model)
  return { answers: [schema.target, schema.prediction], drop: predictions?.drop ?? [] }
}

type Pinned = Pick<Manifest, 'baseline' | 'examples' | 'target' | 'prediction'>

/** @returns null without a baseline or examples that can be read */
export async function readContract(
  store: Pick<Store, 'objects'>,
  manifest: Pinned,
  modelBaseline: BaselineBody | undefined,
  settings: ContractSettings,
): Promise<Contract | null> {
  const digest = manifest.baseline?.profile ?? modelBaseline?.profile.sha256
  try {
    const examples = await recordedExamples(store, manifest)
    const profile = digest === undefined ? undefined : await profileOf(store, digest)
    return contractOf(profile, manifest, { ...settings, examples })
  } catch (error) {
    // Damage is for the commands to name that cannot do without it.
    if (error instanceof MlopsError) return null
    throw error
  }
}

const profileOf = async (store: Pick<Store, 'objects'>, digest: Digest): Promise<Profile> =>
  parseProfile(await store.objects.read(digest), 'the baseline')

/** @returns null where nothing says which columns are taken */
export function contractOf(
  profile: Profile | undefined,
  { target, prediction }: Pick<Manifest, 'target' | 'prediction'>,
  { examples = [], answers = [], drop = [] }: Partial<Omit<Recorded, 'profile'>> = {},
): Contract | null {
  const taken = takenColumns({ profile, examples, answers: [target, prediction, ...answers], drop })
  if (taken.from === 'nothing') return null
  const columns = new Map(profile?.columns.map((column) => [column.name, column]))
  const isTruth = ({ name, role }: ColumnProfile) => name === target || (target === undefined && role === 'target')
  const truth = profile?.columns.find(isTruth)
  const classes = truth === undefined ? null : classesOf(truth)
  return {
    columns: taken.names.flatMap((name): ContractColumn[] => {
      const column = columns.get(name)
      const type = columnType(name, column, examples)
      if (type === undefined) return []
      const counted = column === undefined ? null : (columnType(name, column, []) ?? null)
      return [{ name, type, counted, nullable: isNullable(name, column, examples) }]
    }),
    from: taken.from,
    unasked: taken.unasked,
    kind: kindOfExamples(examples, classes?.map(plainClass) ?? null) ?? null,
    output: prediction ?? null,
    classes,
    target: truth === undefined ? 'unknown' : classes === null ? 'quantity' : 'classes',
  }
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

/** As a model that was trained on numbers answers. */
const plainClass = (text: string): string | number => (/^-?\d+$/.test(text) ? Number(text) : text)

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
    const { name, nullable } = now
    const old = was.get(name)
    if (old === undefined) {
      const said = nullable
        ? 'is new, and may be missing; a generated service takes it when it is generated again'
        : 'is new, and must be given'
      return [change('added', name, !nullable, said)]
    }
    const [from, to] = comparedTypes(old, now, before.from === after.from)
    // A whole number is a number; the other way round it may be refused.
    const widens = from === 'integer' && to === 'number'
    return [
      ...(from === to ? [] : [change('type', name, !widens, `${TYPE_WORDS[from]} -> ${TYPE_WORDS[to]}`)]),
      ...(old.nullable === nullable
        ? []
        : [change('nullable', name, !nullable, nullable ? 'may be missing now' : 'must not be missing any more')]),
    ]
  })
  return [...removed, ...others]
}

/** Examples tell `34` from `34.0`, a baseline does not: where one of the two has none, both baselines are asked. */
function comparedTypes(old: ContractColumn, now: ContractColumn, isAlike: boolean): [FeatureType, FeatureType] {
  if (isAlike || old.counted === null || now.counted === null) return [old.type, now.type]
  return [old.counted, now.counted]
}

const TYPE_WORDS: Readonly<Record<FeatureType, string>> = {
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  string: 'text',
  datetime: 'time',
}

function outputChanges(before: Contract, after: Contract): ContractChange[] {
  const changes: ContractChange[] = []
  if (before.output !== after.output && before.output !== null && after.output !== null) {
    changes.push(change('output', after.output, true, `the answer was called ${before.output}`))
  }
  if (before.kind !== after.kind && before.kind !== null && after.kind !== null) {
    const said = `was a ${before.kind}, is a ${after.kind}`
    changes.push(change('output', after.output ?? 'the answer', true, said))
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
