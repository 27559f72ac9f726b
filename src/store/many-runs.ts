/**
 * Reading many runs at once, for lists: in few calls, without the seal's check (which `verify` and `pin` make), and without
 * an error for each that cannot be read: `runs.read` says what is wrong with one.
 */
import type { Backend } from './backend.ts'
import { annotationsFolder, runFolder } from './layout.ts'
import { readableOf } from './readable.ts'
import { annotations } from './run-annotations.ts'
import type { Annotation, RunEnd, RunStart } from './run-records.ts'
import { isRunEnd, startProblem, wholeStart } from './run-shapes.ts'
import type { RunFolder } from './store.ts'

const NEWLINE = 10

/** @returns undefined where there is no end, or where it cannot be read */
export async function readEnds(backend: Backend, ids: readonly string[]): Promise<(RunEnd | undefined)[]> {
  const files = await readableOf(
    backend,
    ids.map((id) => `${runFolder(id)}/end.json`),
  )
  return files.map((bytes) => {
    const record = parsed(bytes)
    return record === undefined || isRunEnd(record, '') !== undefined ? undefined : (record as RunEnd)
  })
}

/** @returns undefined where the run has not ended, or cannot be read: both need a closer look */
export async function readEnded(backend: Backend, ids: readonly string[]): Promise<(RunFolder | undefined)[]> {
  const [starts, ends] = await Promise.all([
    readableOf(
      backend,
      ids.map((id) => `${runFolder(id)}/run.json`),
    ),
    readEnds(backend, ids),
  ])
  return ends.map((end, at) => {
    const start = end === undefined ? undefined : parsed(starts[at])
    if (start === undefined || end === undefined || startProblem(start, ids[at] ?? '') !== undefined) return undefined
    return endedRun(wholeStart(start), end)
  })
}

/** What was still being computed when the run began stands in its end. */
export function endedRun(start: RunStart, end: RunEnd): RunFolder {
  const model = start.model ?? end.model
  const whole =
    end.late === undefined && model === start.model
      ? start
      : { ...start, ...end.late, ...(model === undefined ? {} : { model }) }
  return { start: whole, end, silent: undefined }
}

/** Nearly no run has any: that is asked first. */
export async function annotationsOf(backend: Backend, ids: readonly string[]): Promise<(readonly Annotation[])[]> {
  const there = await backend.existing(ids.map(annotationsFolder))
  return Promise.all(ids.map((id, at) => (there[at] === true ? annotations(backend, id) : NONE)))
}

const NONE: readonly Annotation[] = []

/** With its member `self`, which does no harm where single members are read: leaving it out would copy the record. */
function parsed(bytes: Buffer | undefined): object | undefined {
  if (bytes?.at(-1) !== NEWLINE) return undefined
  try {
    const record: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof record === 'object' && record !== null && 'self' in record ? record : undefined
  } catch {
    return undefined
  }
}
