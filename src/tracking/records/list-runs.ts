/** Lists of runs. How one run stands is in `run-summary.ts`. Reads only. */
import type { Context } from '../../core/context.ts'
import type { Store } from '../../store/store.ts'
import { type RunRow, rowOf } from './run-row.ts'

/** @param limit the newest so many; 0 for all */
export async function listRuns(
  ctx: Context,
  store: Store,
  options: { readonly limit: number; readonly model?: string | undefined },
): Promise<{ runs: RunRow[]; total: number }> {
  const ids = await store.runs.list()
  const runs: RunRow[] = []
  for (const id of ids) {
    if (options.limit > 0 && runs.length >= options.limit) break
    const folder = await store.runs.read(id).catch((error: unknown) => {
      ctx.warn(error instanceof Error ? error.message : String(error))
    })
    if (folder === undefined) continue
    if (options.model !== undefined && folder.start.model !== options.model) continue
    runs.push(await rowOf(ctx, store, folder))
  }
  return { runs, total: ids.length }
}
