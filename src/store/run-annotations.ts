/**
 * What people and later runs say of a run: tags, notes, that it was repeated. Records of their own beside what the run
 * wrote, which never changes; so they may come at any time, from anybody, and never conflict.
 */
import { notFound } from '../core/errors.ts'
import { isUlid } from '../core/ulid.ts'
import type { Backend } from './backend.ts'
import { annotationsFolder, runFolder } from './layout.ts'
import { readableOf } from './readable.ts'
import type { Annotation } from './run-records.ts'
import { isAnnotation } from './run-shapes.ts'
import { openSealed, seal, sealProblem } from './sealed.ts'

/** Oldest first. A damaged one says nothing here; `verify` names it. */
export async function annotations(backend: Backend, id: string): Promise<Annotation[]> {
  const folder = annotationsFolder(id)
  const names = (await backend.list(folder)).map(({ name }) => name).filter((name) => isUlid(name.slice(0, -5)))
  const files = await readableOf(
    backend,
    names.map((name) => `${folder}/${name}`),
  )
  return files.flatMap((bytes) => {
    const record = bytes === undefined || sealProblem(bytes) !== undefined ? undefined : openSealed(bytes)
    return record === undefined || isAnnotation(record, '') !== undefined ? [] : [record as unknown as Annotation]
  })
}

/** @throws notFound `RUN_NOT_FOUND`; RangeError for an id that is no ULID, or was used before */
export async function annotate(backend: Backend, annotation: Annotation): Promise<void> {
  if (!isUlid(annotation.id)) throw new RangeError(`${annotation.id} is no id of an annotation`)
  const { run } = annotation
  if (!isUlid(run) || (await backend.stat(`${runFolder(run)}/run.json`)) === undefined) {
    throw notFound({ code: 'RUN_NOT_FOUND', message: `There is no run ${run}.`, hint: 'See the runs: mlops run list' })
  }
  const key = `${annotationsFolder(run)}/${annotation.id}.json`
  if (!(await backend.putIfAbsent(key, seal({ ...annotation })))) throw new RangeError(`${key} exists already`)
}
