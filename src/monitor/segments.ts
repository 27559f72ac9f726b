/**
 * `--by COLUMN`, or `drift.by` of mlops.yaml: the rows of the reference and of the batch by the values of one column. Of
 * a baseline the counts that `register` kept are taken; without them its rows are looked for where the run that trained
 * it found them. The judging is in `src/drift/segments.ts`.
 */

import type { Context } from '../core/context.ts'
import { isMlopsError, type MlopsError, notFound, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { shellWord } from '../core/shell.ts'
import type { DataInput } from '../data/input.ts'
import type { Source } from '../data/source.ts'
import { compareBatch, type PreparedCheck } from '../drift/check.ts'
import { countSegments, namesCut, parseSegments } from '../drift/count-segments.ts'
import type { Profile } from '../drift/profile.ts'
import { readingOptions } from '../drift/reference.ts'
import {
  describeSegments,
  judgeSegments,
  type SegmentCounts,
  segmentValues,
  verdictWithSegments,
} from '../drift/segments.ts'
import type { CheckResult } from '../drift/types.ts'
import { RECORD_MEMBERS, recordMember } from '../predictions/record-member.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'
import { trainingRows } from './training-rows.ts'
import type { MonitorRequest } from './types.ts'

/** Which column a check is cut by. */
export interface SegmentColumn {
  readonly column: string
  /** Typed for this check: it cannot be made without. What mlops.yaml names for all of them is only remarked on. */
  readonly isTyped: boolean
}

export function segmentColumn(
  project: Project,
  { state }: Pick<Subject, 'state'>,
  { by }: Pick<MonitorRequest, 'by'>,
): SegmentColumn | undefined {
  if (by !== undefined) return { column: by, isTyped: true }
  const column = modelConfig(project, state.model).drift.by
  return column === undefined ? undefined : { column, isTyped: false }
}

interface Asked {
  readonly subject: Subject
  readonly prepared: PreparedCheck
  readonly by: SegmentColumn
  readonly batch: DataInput
  /** Of the reference, where it was read from data; undefined: those of the baseline are looked for. */
  readonly rows: DataInput | undefined
}

/**
 * Compares a batch as a whole and segment by segment; the batch is opened once, so that it may be standard input.
 * @throws as `compareBatch`; when the column was typed: usage `SEGMENT_ROWS_MISSING`, `SEGMENTS_TOO_MANY`, notFound
 *   `SEGMENT_COLUMN_MISSING`; failed `PROFILE_UNREADABLE`
 */
export async function compareBySegments(
  ctx: Context,
  project: Project,
  store: Store,
  asked: Asked,
): Promise<CheckResult> {
  const { prepared, batch } = asked
  const by = asked.by.column
  const { profile } = prepared.reference
  const options = readingOptions(ctx)
  const reference = await unlessImpossible(asked.by, () => referenceSegments(ctx, project, store, asked))
  const expected = [...new Set([...profile.columns.map(({ name }) => name), by])]
  return batch.open({ ...options, expected }, async (source) => {
    const again: DataInput = { name: batch.name, open: (_options, use) => use(source) }
    const whole = await compareBatch(ctx, prepared, withoutColumn(batch.name, source, profile, by))
    if (typeof reference === 'string') return { ...whole, notes: [...whole.notes, reference] }
    const values = segmentValues(reference)
    const counted = await unlessImpossible(asked.by, () => countSegments(again, by, profile, { ...options, values }))
    if (typeof counted === 'string') return { ...whole, notes: [...whole.notes, counted] }
    const results = judgeSegments(reference, counted, prepared.options)
    const verdict = verdictWithSegments(whole.verdict, results)
    const told = describeSegments(by, results)
    const isNews = verdict !== whole.verdict && told !== undefined
    return {
      ...whole,
      verdict,
      summary: isNews ? `Drift in ${told}. ${whole.summary}` : whole.summary,
      segments: { column: by, results },
    }
  })
}

/** What the rows are only looked at by is no column that the baseline lacks. */
function withoutColumn(name: string, source: Source, { columns }: Profile, by: string): DataInput {
  if (columns.some((column) => column.name === by)) return { name, open: (_options, use) => use(source) }
  const others = source.columns.filter((column) => column.name !== by)
  return { name, open: (_options, use) => use({ ...source, columns: others }) }
}

const IMPOSSIBLE: readonly string[] = ['SEGMENT_ROWS_MISSING', 'SEGMENT_COLUMN_MISSING', 'SEGMENTS_TOO_MANY']

/** A note instead, where nobody asked for it this time: the check of the whole must not be lost every night. */
async function unlessImpossible<T>({ column, isTyped }: SegmentColumn, work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (isTyped || !isMlopsError(error) || !IMPOSSIBLE.includes(error.code)) throw error
    return `not looked at by ${column} (drift.by of mlops.yaml): ${error.message}`
  }
}

/** Rows that are gone are not looked for to find that they had no such column. */
function noSuchColumn(column: string, name: string, { columns }: Profile, model: string): MlopsError {
  if (recordMember(column) !== undefined) {
    return notFound({
      code: 'SEGMENT_COLUMN_MISSING',
      message: `${column} is said by the service with each prediction; the ${name} was made of training data, which have no such column.`,
      hint: `Compare each ${column} with itself in the window before: mlops drift ${model} --by ${shellWord(column)} --against previous`,
    })
  }
  const names = columns.map((each) => each.name)
  const close = nearest(column, [...names, ...RECORD_MEMBERS])
  return notFound({
    code: 'SEGMENT_COLUMN_MISSING',
    message: `The ${name} has no column ${JSON.stringify(column)} to look at the rows by.`,
    hint: close === undefined ? `Its columns: ${namesCut(names)}` : `Did you mean --by ${close}?`,
  })
}

/**
 * Those kept with the baseline; else counted from its rows.
 * @throws usage `SEGMENT_ROWS_MISSING`; notFound `SEGMENT_COLUMN_MISSING`
 */
async function referenceSegments(
  ctx: Context,
  project: Project,
  store: Store,
  { subject, prepared, by: { column }, rows }: Asked,
): Promise<SegmentCounts> {
  const { name, profile, owner = subject.version } = prepared.reference
  const count = (data: DataInput) => countSegments(data, column, profile, readingOptions(ctx))
  if (rows !== undefined) return count(rows)
  const manifest = await store.models.manifest(owner.manifest)
  const kept = manifest.baseline?.segments
  if (kept?.by === column) return parseSegments(await store.objects.read(kept.sha256), profile, name)
  if (!profile.columns.some((each) => each.name === column))
    throw noSuchColumn(column, name, profile, subject.state.model)
  const keeps = kept === undefined ? 'counts of whole columns' : `counts of whole columns and by ${kept.by}`
  const missing = (why: string): MlopsError =>
    usage({
      code: 'SEGMENT_ROWS_MISSING',
      message: `Each value of ${column} is compared with the same value before, and the baseline of ${versionName(subject.state.model, owner.version)} keeps ${keeps}: ${why}.`,
      hint: `Name the training data: --against TRAINING.csv; or compare with the window before: --against previous. With drift: {by: ${column}} in mlops.yaml the next version keeps them`,
    })
  return count(await trainingRows(project, store, { version: owner, manifest }, missing))
}
