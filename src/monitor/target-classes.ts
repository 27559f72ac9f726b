/** How the training data of the version that answers spell the target: what labels are meant to be. */
import { isMlopsError } from '../core/errors.ts'
import { parseModelRef } from '../core/names.ts'
import type { RowShape } from '../predictions/types.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { baselineColumns, shapeOf } from './row-shape.ts'
import { subjectOf } from './subject.ts'

/** Undefined where nothing is known: without a model, a version, or a baseline. */
export async function targetClassesOf(
  project: Project,
  store: Store,
  model: string,
): Promise<RowShape['targetClasses']> {
  try {
    const subject = await subjectOf(store, parseModelRef(model))
    return shapeOf(project, subject, await baselineColumns(store, subject)).targetClasses
  } catch (error) {
    // Labels are joined to whatever was logged.
    if (isMlopsError(error)) return undefined
    throw error
  }
}
