/** The baseline of a version to be: which table it is counted from, and its profile in the objects. */
import type { Context } from '../../core/context.ts'
import { isMlopsError, type MlopsError, usage } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { SchemaConfig } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import { type CountedBaseline, countBaseline } from './count-baseline.ts'
import type { RunSource } from './run-source.ts'
import type { RegisteredBaseline, RegisterRequest } from './types.ts'

/** A run's folder is all its files, a table's the data files alone: with a README between them the digests differ. */
const CHANGED_FOLDER = 'is not the folder that the run read any more, or holds more than data files'

/**
 * The table to profile: `--baseline`, else the run's data declared as `train`, when it is still the file the run read.
 * What was named must be readable; what was only declared for the run may be missing, and the version says so.
 */
export async function baselineOf(
  ctx: Context,
  request: RegisterRequest,
  columns: { readonly schema: SchemaConfig; readonly by: string | undefined },
  run: RunSource | undefined,
  notes: string[],
): Promise<CountedBaseline | undefined> {
  const profile = (source: string, cwd: string) => countBaseline(ctx, source, { cwd, ...columns })
  if (request.baseline === false) return undefined
  if (request.baseline !== undefined) return profile(request.baseline, ctx.cwd)
  const train = run?.data.find(({ name }) => name === 'train')
  if (run === undefined || train === undefined) {
    const advice = request.baselineAdvice ?? 'name it with --baseline DATA'
    notes.push(`no baseline: the data it was trained on is not known; ${advice}, and its drift can be checked`)
    return undefined
  }
  const without = (why: string): undefined => {
    const advice = request.baselineAdvice ?? 'name a table with --baseline DATA'
    notes.push(`no baseline: ${train.path}, which the run declared as train, ${why}; ${advice}`)
    return undefined
  }
  try {
    const counted = await profile(train.path, run.cwd)
    if (counted.baseline.data.sha256 === train.sha256) return counted
    const isFile = train.kind === 'file'
    return without(isFile ? 'is not the file that the run read any more' : CHANGED_FOLDER)
  } catch (error) {
    if (!isMlopsError(error) || error.exit === 'interrupted') throw error
    return without(`cannot be profiled (${error.message.replace(/\.$/, '')})`)
  }
}

export async function storeBaseline(
  store: Store,
  { baseline: { profile, bytes, data, notes }, segments }: CountedBaseline,
  schema: SchemaConfig,
  request: RegisterRequest,
): Promise<RegisteredBaseline> {
  const columns = profile.columns.map(({ name }) => name)
  // A column of mlops.yaml may belong to another form of the data; one that was typed now is meant for this one.
  for (const [flag, column] of [
    ['--target', request.target],
    ['--prediction', request.prediction],
  ] as const) {
    if (column !== undefined && !columns.includes(column)) throw noSuchColumn(flag, column, columns, data.source)
  }
  const { sha256 } = await store.objects.put(bytes)
  const kept = segments === undefined ? undefined : await store.objects.put(segments.bytes)
  const fact = { name: 'baseline', sha256: data.sha256, rows: data.rows, columns: data.columns }
  const absent = [schema.target, schema.prediction].filter((name) => name !== undefined && !columns.includes(name))
  const missing = absent.map((name) => `${name} of mlops.yaml is not a column of ${data.source}`)
  return {
    source: data.source,
    profile: sha256,
    data: fact,
    ...(kept === undefined || segments === undefined
      ? {}
      : { segments: { by: segments.by, sha256: kept.sha256, size: kept.size, values: segments.values } }),
    notes: [...notes, ...missing.filter((note) => !notes.includes(note))],
  }
}

function noSuchColumn(flag: string, column: string, columns: readonly string[], source: string): MlopsError {
  const close = nearest(column, columns)
  return usage({
    code: 'COLUMN_NOT_FOUND',
    message: `${flag} ${JSON.stringify(column)} is not a column of ${source}.`,
    hint:
      close === undefined
        ? `It has ${columns.slice(0, 12).join(', ')}${columns.length > 12 ? ' …' : ''}`
        : `Did you mean ${close}?`,
    details: { column, columns: columns.slice(0, 100) },
  })
}
