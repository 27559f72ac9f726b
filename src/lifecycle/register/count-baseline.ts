/**
 * The table that a version was trained on, opened once: its profile, and its segments where `drift.by` of mlops.yaml
 * names a column. Which table that is, is decided in `baseline-evidence.ts`.
 */
import type { Context } from '../../core/context.ts'
import { isMlopsError } from '../../core/errors.ts'
import type { DataInput } from '../../data/input.ts'
import type { Baseline } from '../../drift/baseline.ts'
import type { SchemaConfig } from '../../project/config.ts'

export interface CountedSegments {
  readonly by: string
  /** What goes into the objects. */
  readonly bytes: Buffer
  /** How many values are kept one by one. */
  readonly values: number
}

export interface CountedBaseline {
  readonly baseline: Baseline
  /** Undefined: not asked for, or a note of the baseline says why not. */
  readonly segments: CountedSegments | undefined
}

/** @param word of the user's, relative to `cwd`. @throws as `profileBaseline` */
export async function countBaseline(
  ctx: Context,
  word: string,
  { cwd, schema, by }: { readonly cwd: string; readonly schema: SchemaConfig; readonly by: string | undefined },
): Promise<CountedBaseline> {
  const [{ profileBaseline }, { namedData }] = await Promise.all([
    import('../../drift/baseline.ts'),
    import('../../data/input.ts'),
  ])
  const options = {
    cwd,
    schema,
    ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    ...(ctx.stdin === undefined ? {} : { stdin: ctx.stdin }),
    ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
  }
  if (by === undefined) return { baseline: await profileBaseline(word, options), segments: undefined }
  const input = namedData(word)
  return input.open(options, async (source) => {
    // Standard input can be opened only once.
    const again: DataInput = { name: input.name, open: (_options, use) => use(source) }
    const baseline = await profileBaseline(again, options)
    try {
      return { baseline, segments: await segmentsOf(again, by, baseline, options) }
    } catch (error) {
      // The version is worth more than its segments; a check with --by says so again.
      if (!isMlopsError(error) || !SEGMENTLESS.includes(error.code)) throw error
      const note = `no segments by ${by} (drift.by of mlops.yaml): ${error.message.replace(/\.$/, '')}`
      return { baseline: { ...baseline, notes: [...baseline.notes, note] }, segments: undefined }
    }
  })
}

/** The data have no such column, or it has no segments that could be judged. */
const SEGMENTLESS: readonly string[] = ['SEGMENT_COLUMN_MISSING', 'SEGMENTS_TOO_MANY']

async function segmentsOf(
  data: DataInput,
  by: string,
  { profile }: Baseline,
  options: { readonly cwd: string },
): Promise<CountedSegments> {
  const { countSegments, segmentsBytes } = await import('../../drift/count-segments.ts')
  const counts = await countSegments(data, by, profile, options)
  return { by, bytes: segmentsBytes(counts), values: counts.segments.length }
}
