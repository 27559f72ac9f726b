/** Pruning: whole sealed days with their labels go when they are older than what is kept. Plan first, then apply. */
import { join } from 'node:path'
import { DAY } from '../project/duration.ts'
import { dateOf, type LogDay, listDays, unmatchedLabels } from './days.ts'
import { hiddenName, onDisk, removeFile, removeFolder, removeLeftovers, renameFolder, syncFolder } from './disk.ts'
import type { LogContext, LogHome } from './home.ts'
import { EVERYTHING } from './window.ts'

export interface PrunePlan {
  readonly model: string
  readonly home: string
  /** As configured: `90d`. */
  readonly keep: string
  /** Days before this UTC date go. */
  readonly before: string
  /** In PostgreSQL, the rows; in files, the records that manifests count (null where only a reading would say). */
  readonly days: readonly { readonly date: string; readonly bytes: number | null; readonly records: number | null }[]
  /** Files of labels that never met their prediction and are as old; rows in PostgreSQL. */
  readonly unmatched: number
}

export interface PruneResult extends PrunePlan {
  readonly removed: boolean
}

/** A day goes when it ended before the time from which on everything is kept. */
export async function planPrune(
  ctx: LogContext,
  home: LogHome,
  model: string,
  keep: { readonly text: string; readonly milliseconds: number },
): Promise<PrunePlan> {
  // A day that is not over is never pruned, however short the time.
  const until = Math.floor((ctx.now().getTime() - keep.milliseconds) / DAY) * DAY
  const facts = { model, home: home.name, keep: keep.text, before: dateOf(until) }
  if (home.kind === 'postgres') {
    const { countBefore } = await import('./postgres.ts')
    return { ...facts, ...(await countBefore(ctx, home, model, until)) }
  }
  const days = listDays(home.folder, { ...EVERYTHING, until }).map((day) => ({
    date: day.date,
    bytes: bytesOf(day),
    records: day.lines.length > 0 ? null : day.compacted.reduce((sum, { manifest }) => sum + manifest.records, 0),
  }))
  return { ...facts, days, unmatched: oldLabels(home.folder, until).length }
}

/** Removes exactly what the plan names. */
export async function applyPrune(ctx: LogContext, home: LogHome, plan: PrunePlan): Promise<PruneResult> {
  if (home.kind === 'postgres') {
    const { deleteBefore } = await import('./postgres-write.ts')
    await deleteBefore(ctx, home, plan.model, Date.parse(plan.before))
    return { ...plan, removed: true }
  }
  const { folder } = home
  return onDisk(folder, 'prune the prediction log', async () => {
    for (const { date } of plan.days) {
      // First out of every reader's sight, whole; then piece by piece.
      const gone = join(folder, hiddenName(`pruned-${date}`))
      renameFolder(join(folder, `date=${date}`), gone)
      removeFolder(gone)
    }
    for (const file of oldLabels(folder, Date.parse(plan.before))) removeFile(file.path)
    removeLeftovers(folder, ctx.now().getTime())
    if (plan.days.length > 0) syncFolder(folder)
    return { ...plan, removed: true }
  })
}

const oldLabels = (folder: string, until: number) => unmatchedLabels(folder).filter(({ modified }) => modified < until)

function bytesOf(day: LogDay): number {
  const files = [...day.lines, ...day.replaced, ...day.labels].reduce((sum, { size }) => sum + size, 0)
  return files + day.compacted.reduce((sum, { manifest }) => sum + manifest.parquet.size, 0)
}
