/**
 * Held-out rows from a file or from the store. How the values of the columns become classes, numbers and groups is in
 * `read-columns.ts`; what is computed of them in the other files of this folder. The file is described in
 * docs/evaluation.md.
 */
import { stat } from 'node:fs/promises'
import { notFound, usage } from '../core/errors.ts'
import { type Source, withPlace, withSource } from '../data/source.ts'
import { makeSpool } from '../data/spool.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import { readColumns } from './read-columns.ts'
import { type ColumnHints, rolesOf } from './roles.ts'
import type { HeldOut } from './types.ts'

/** More rows do not make a comparison better, only slower. */
export const MOST_ROWS = 5_000_000

export interface ReadOptions {
  /** Read these group columns alone; default: every one. */
  readonly by?: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * The answers that a version recorded on its test set.
 * @throws notFound `NO_TEST_PREDICTIONS`; as `Objects.exportTo`; as `readHeldOutFile`
 */
export async function readHeldOut(
  store: Store,
  manifest: Pick<Manifest, 'model' | 'testPredictions' | 'target' | 'prediction'>,
  options: ReadOptions = {},
): Promise<HeldOut> {
  const { model, testPredictions } = manifest
  if (testPredictions === undefined) {
    throw notFound({
      code: 'NO_TEST_PREDICTIONS',
      message: `This version of ${model} has no recorded answers on its test set.`,
      hint: `Register it with them: mlops register ${model} --test-predictions FILE`,
    })
  }
  const name = `the test predictions of ${model}`
  const copy = await makeSpool(name)
  try {
    await store.objects.exportTo(testPredictions.sha256, copy.path)
    const { size, mtimeMs } = await stat(copy.path)
    // An object has no name and so no ending: its format shows in its first bytes.
    const place = { isMany: false, files: [{ path: copy.path, label: name, size, mtimeMs }], notes: [] }
    return await withPlace(name, place, { cwd: '/', ...signalOf(options) }, (source) => read(source, manifest, options))
  } finally {
    copy.remove()
  }
}

/**
 * The same from a file that is not in the store yet.
 * @param cwd absolute: what a relative path is relative to
 * @throws usage `HELD_OUT_…`; as `withSource`
 */
export function readHeldOutFile(
  path: string,
  hints: ColumnHints,
  { cwd = '/', ...options }: ReadOptions & { readonly cwd?: string } = {},
): Promise<HeldOut> {
  return withSource(path, { cwd, ...signalOf(options) }, (source) => read(source, hints, options))
}

const signalOf = ({ signal }: ReadOptions) => (signal === undefined ? {} : { signal })

async function read(source: Source, hints: ColumnHints, options: ReadOptions): Promise<HeldOut> {
  const roles = rolesOf(
    source.columns.map(({ name }) => name),
    hints,
    source.name,
  )
  const [row] = await source.duck.rows(`SELECT count(*) FROM ${source.relation}`)
  const rows = Number(row?.[0] ?? 0)
  if (rows === 0) {
    throw usage({ code: 'HELD_OUT_EMPTY', message: `${source.name} has no rows.`, hint: 'Check what writes it' })
  }
  if (rows > MOST_ROWS) {
    throw usage({
      code: 'HELD_OUT_TOO_LARGE',
      message: `${source.name} has ${rows.toLocaleString('en-US')} rows; at most ${MOST_ROWS.toLocaleString('en-US')} are compared.`,
      hint: 'Record a random part of the test set',
    })
  }
  const { by } = options
  const groups = by === undefined ? roles.groups : roles.groups.filter((name) => by.includes(name))
  return readColumns(source, { ...roles, groups }, rows)
}
