/** How the records of the log become the columns that a baseline knows: prediction, target and its classes. */
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
