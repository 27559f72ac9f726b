/** How the records of the log become the columns that a baseline knows: prediction, target and its classes. */
import { takenColumns } from '../drift/columns.ts'
import type { Unlogged } from '../drift/compare.ts'
import { recordedExamples } from '../drift/examples.ts'
import type { Profile } from '../drift/profile.ts'
import type { RowShape } from '../predictions/types.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'

export type BaselineColumns = Profile['columns'] | undefined

/** Of the version, else of the model; undefined without either. */
export async function baselineColumns(store: Store, { state, manifest }: Subject): Promise<BaselineColumns> {
  const profile = manifest.baseline?.profile ?? state.baseline?.profile.sha256
  return profile === undefined ? undefined : (await store.objects.readJson<Profile>(profile)).columns
}

/**
 * Columns of the baseline that no prediction of the version has: its service does not ask for them, or does not log them.
 * Missing in the log they are no damage.
 * @throws failed for examples that are damaged
 */
export async function unloggedColumns(
  project: Project,
  store: Store,
  { state, manifest }: Pick<Subject, 'state' | 'manifest'>,
): Promise<Readonly<Record<string, Unlogged>>> {
  const { schema, predictions } = modelConfig(project, state.model)
  const drop = predictions?.drop ?? []
  const digest = manifest.baseline?.profile ?? state.baseline?.profile.sha256
  if (digest === undefined || (manifest.examples === undefined && drop.length === 0)) return {}
  const { unasked } = takenColumns({
    profile: await store.objects.readJson<Profile>(digest),
    examples: await recordedExamples(store, manifest),
    answers: [manifest.target, manifest.prediction, schema.target, schema.prediction],
    drop,
  })
  const all = [
    ...unasked.map((name) => [name, 'not asked for'] as const),
    ...drop.map((name) => [name, 'dropped'] as const),
  ]
  return Object.fromEntries(all)
}

/** How logged answers become the columns of the baseline: as mlops.yaml says today, else as it said at registering. */
export function shapeOf(project: Project, { state, manifest }: Subject, baseline: BaselineColumns): RowShape {
  const { schema } = modelConfig(project, state.model)
  const prediction = schema.prediction ?? manifest.prediction
  const target = schema.target ?? manifest.target
  // The label comes by its own way; looked for among the features it would be a column of nothing.
  const columns = baseline?.flatMap(({ name }) => (name === target ? [] : [name]))
  return {
    ...(prediction === undefined ? {} : { prediction }),
    ...(target === undefined ? {} : { target, ...classesOf(baseline?.find(({ name }) => name === target)) }),
    ...(columns === undefined ? {} : { columns }),
  }
}

/** How the baseline spells the labels; a whole number that is 0 or 1 is a class. */
export function classesOf(target: Profile['columns'][number] | undefined): Pick<RowShape, 'targetClasses'> {
  if (target?.type === 'categorical') return { targetClasses: target.categories }
  if (target?.type !== 'numeric') return {}
  const isClass = target.resolution === 'integer' && target.range?.map(Number).join() === '0,1'
  return { targetClasses: isClass ? ['0', '1'] : 'numbers' }
}
