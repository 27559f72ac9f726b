/** The rows of today against the baseline of a version: the data that a person named, else a window of the log. */
import type { Context } from '../../core/context.ts'
import type { CheckResult } from '../../drift/types.ts'
import type { Project } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import type { FitRequest } from './fit.ts'

export interface InputsFit {
  readonly verdict: 'fits' | 'drifted' | 'inconclusive'
  readonly rows: number
  /** How many columns were compared. */
  readonly compared: number
  /** Those that differ, worst first. */
  readonly drifted: readonly { readonly column: string; readonly summary: string }[]
}

/** @throws failed with what there is not to look at; what reading and comparing throw */
export async function compareInputs(
  ctx: Context,
  project: Project,
  store: Store,
  request: Pick<FitRequest, 'model' | 'version' | 'from' | 'current'>,
): Promise<InputsFit> {
  const found = await check(ctx, project, store, request)
  if (found === undefined) {
    throw new Error('no recent data was named and none is logged; pass --current DATA to compare with it')
  }
  const drifted = found.columns
    .filter((each) => each.verdict === 'drift' || each.verdict === 'broken')
    .map(({ column, summary }) => ({ column, summary }))
  return {
    verdict: found.verdict === 'drift' ? 'drifted' : found.verdict === 'stable' ? 'fits' : 'inconclusive',
    rows: found.current.rows,
    compared: found.columns.filter((each) => each.verdict !== 'skipped').length,
    drifted,
  }
}

async function check(
  ctx: Context,
  project: Project,
  store: Store,
  { model, version, from, current }: Pick<FitRequest, 'model' | 'version' | 'from' | 'current'>,
): Promise<CheckResult | undefined> {
  if (current === undefined) {
    const { compareNow } = await import('../../monitor/latest.ts')
    return compareNow(ctx, project, store, { model, version })
  }
  const { compareBatch, prepareCheck, storeCheck } = await import('../../drift/check.ts')
  const prepared = await prepareCheck(ctx, project, store, { ref: { model, selector: { version } }, current })
  const found = await compareBatch(ctx, prepared, current)
  // The answer counts also where there is no room to keep it. Of the version that is left nobody asked for a check.
  if (version !== from) {
    await storeCheck(ctx, store, prepared, { ...found, purpose: 'rollback' }, { purpose: 'rollback' }).catch(
      (error: Error) => ctx.warn(`This check was not kept: ${error.message}`),
    )
  }
  return found
}
