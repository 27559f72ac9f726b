/**
 * `--by COLUMN`: the rows of the reference and of the batch by the values of one column. The baseline of a version is a
 * profile without rows, so its rows are looked for where the run that trained it found them. The judging is in
 * `src/drift/segments.ts`.
 */

import type { Context } from '../core/context.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { DataInput } from '../data/input.ts'
import { compareBatch, type PreparedCheck, readingOptions } from '../drift/check.ts'
import { countSegments } from '../drift/count-segments.ts'
import { describeSegments, judgeSegments, segmentValues, verdictWithSegments } from '../drift/segments.ts'
import type { CheckResult } from '../drift/types.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'
import { trainingRows } from './training-rows.ts'

/**
 * Compares a batch as a whole and segment by segment; the batch is opened once, so that it may be standard input.
 * @param rows of the reference, where it was read from data; undefined: those of the baseline are looked for
 */
export async function compareBySegments(
  ctx: Context,
  project: Project,
  store: Store,
  asked: {
    readonly subject: Subject
    readonly prepared: PreparedCheck
    readonly by: string
    readonly batch: DataInput
    readonly rows: DataInput | undefined
  },
): Promise<CheckResult> {
  const { prepared, by, batch, subject } = asked
  const { profile } = prepared.reference
  const options = readingOptions(ctx)
  const rows = asked.rows ?? (await rowsOfBaseline(project, store, subject, by))
  const reference = await countSegments(rows, by, profile, options)
  const expected = [...new Set([...profile.columns.map(({ name }) => name), by])]
  return batch.open({ ...options, expected }, async (source) => {
    const again: DataInput = { name: batch.name, open: (_options, use) => use(source) }
    const whole = await compareBatch(ctx, prepared, again)
    const counted = await countSegments(again, by, profile, { ...options, values: segmentValues(reference) })
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

/** The rows of the baseline. @throws usage `SEGMENT_ROWS_MISSING` */
async function rowsOfBaseline(project: Project, store: Store, subject: Subject, by: string): Promise<DataInput> {
  const missing = (why: string): MlopsError =>
    usage({
      code: 'SEGMENT_ROWS_MISSING',
      message: `--by ${by} compares each value with the same value before, and the baseline of ${versionName(subject.state.model, subject.version.version)} keeps counts of whole columns: ${why}.`,
      hint: 'Name the training data: --against TRAINING.csv; or compare with the window before: --against previous',
    })
  return trainingRows(project, store, subject, missing)
}
