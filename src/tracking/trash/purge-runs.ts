/**
 * Removing runs for good. Only from the trash, only what nothing names, and not what was deleted a moment ago: whoever
 * was making a version of it has looked again by then, and taken it out.
 */
import type { Context } from '../../core/context.ts'
import { type MlopsError, refused } from '../../core/errors.ts'
import { DAY, describeDuration, HOUR } from '../../project/duration.ts'
import type { Store } from '../../store/store.ts'
import { type DeletedRow, deletedRuns, resolveDeleted } from './deleted-runs.ts'

export interface PurgeRequest {
  /** As typed; none: all that have been in the trash for long enough. */
  readonly runs: readonly string[]
  /** Milliseconds in the trash; default 1 hour for runs that are named, else 30 days. */
  readonly olderThan?: number | undefined
}

export interface PurgePlan {
  readonly runs: readonly DeletedRow[]
  readonly kept: readonly { readonly run: string; readonly why: string }[]
  /** Seconds that a run must have been in the trash. */
  readonly olderThan: number
  /** Of the runs' own files; what they stored as objects is freed by `mlops store gc`. */
  readonly bytes: number
}

export interface PurgeResult extends PurgePlan {
  readonly purged: boolean
}

const NAMED = HOUR
const ALL = 30 * DAY

/** @throws as `resolveDeleted`; refused `RUN_REFERENCED`, `RUN_JUST_DELETED` for a run that was named */
export async function planPurge(ctx: Context, store: Store, request: PurgeRequest): Promise<PurgePlan> {
  const named = await Promise.all(request.runs.map((run) => resolveDeleted(store, run)))
  const rows = (await deletedRuns(store)).filter(({ run }) => named.length === 0 || named.includes(run))
  const olderThan = request.olderThan ?? (named.length > 0 ? NAMED : ALL)
  const now = ctx.now().getTime()
  const old: DeletedRow[] = []
  const young: { run: string; why: string }[] = []
  for (const row of rows) {
    const age = row.deleted === null ? undefined : now - Date.parse(row.deleted.time)
    if (age === undefined ? named.length > 0 : age >= olderThan) old.push(row)
    else
      young.push({ run: row.run, why: age === undefined ? 'it is not known since when it is there' : inTrashFor(age) })
  }
  const references = await referencesTo(
    store,
    old.map(({ run }) => run),
  )
  const isNeeded = (row: DeletedRow): boolean => references.has(row.run)
  const needed = old
    .filter(isNeeded)
    .map(({ run }) => ({ run, why: `${references.get(run)?.slice(0, 3).join('; ')} names it` }))
  if (named.length > 0 && needed.length > 0) throw notPurged('RUN_REFERENCED', needed)
  if (named.length > 0 && young.length > 0) throw notPurged('RUN_JUST_DELETED', young)
  const runs = old.filter((row) => !isNeeded(row))
  const bytes = runs.reduce((sum, row) => sum + row.bytes, 0)
  return { runs, kept: [...needed, ...young], olderThan: olderThan / 1000, bytes }
}

/** Looks again at each before it goes. */
export async function applyPurge(ctx: Context, store: Store, plan: PurgePlan): Promise<PurgeResult> {
  const [gone, kept] = [[] as DeletedRow[], [...plan.kept]]
  const references = await referencesTo(
    store,
    plan.runs.map(({ run }) => run),
  )
  for (const [at, row] of plan.runs.entries()) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`removing run ${row.run}`, at / plan.runs.length)
    const by = references.get(row.run)
    if (by !== undefined) kept.push({ run: row.run, why: `${by.join('; ')} names it` })
    else if (await store.trash.purge(row.run)) gone.push(row)
    else ctx.warn(`Run ${row.run} was taken out of the trash, or purged, by somebody else meanwhile.`)
  }
  const bytes = gone.reduce((sum, row) => sum + row.bytes, 0)
  return { runs: gone, kept, olderThan: plan.olderThan, bytes, purged: true }
}

/** Of whoever goes as well it does not matter what they name. Those that stay may name further ones, so again. */
async function referencesTo(store: Store, runs: readonly string[]): Promise<Map<string, string[]>> {
  const going = new Set(runs)
  const named = new Map<string, string[]>()
  const [models, others] = [await store.trash.namedByModels(going), await store.trash.namedByRuns(going)]
  for (let before = -1; before !== named.size; ) {
    before = named.size
    for (const run of runs) {
      const by = (others.get(run) ?? []).filter((other) => !going.has(other.by)).map(({ words }) => words)
      const all = [...(models.get(run) ?? []), ...by]
      if (all.length === 0) continue
      named.set(run, all)
      going.delete(run)
    }
  }
  return named
}

const inTrashFor = (age: number): string =>
  age < 1000 ? 'it has just been deleted' : `it has been in the trash for ${describeDuration(age)}`

function notPurged(
  code: 'RUN_REFERENCED' | 'RUN_JUST_DELETED',
  kept: readonly { run: string; why: string }[],
): MlopsError {
  const [first] = kept
  const others = kept.length > 1 ? ` (and ${kept.length - 1} more)` : ''
  return refused({
    code,
    message: `Run ${first?.run} is not purged: ${first?.why}${others}. Nothing was purged.`,
    hint:
      code === 'RUN_REFERENCED'
        ? `Take it out of the trash: mlops run restore ${first?.run}${first?.why.startsWith('run ') ? '. Or purge both at once' : ''}`
        : `Somebody may be making a version of it at this moment. If nobody is: mlops run purge ${first?.run} --older-than 0s`,
    details: kept.length > 1 ? { problems: kept.map(({ run, why }) => `${run}: ${why}`) } : { run: first?.run },
  })
}
