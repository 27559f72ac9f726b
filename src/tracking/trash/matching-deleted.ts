/** Which runs in the trash a filter chooses. The language of filters is that of lists (`../records/where/`). Reads only. */
import type { Context } from '../../core/context.ts'
import type { Store } from '../../store/store.ts'
import type { DeletedRecords } from '../../store/trash-runs.ts'
import type { RunFacts } from '../records/where/fields.ts'
import { Columns, prepareFilter, type Values } from '../records/where/filter.ts'
import { noNames, noteNames } from '../records/where/names.ts'

/**
 * Of a run that never ended, which is told by its start alone, metrics and what was logged later are missing.
 * @param where all of them must hold
 * @returns ids, the run that began last first. @throws usage `FILTER_INVALID`
 */
export async function matchingDeleted(ctx: Context, store: Store, where: readonly string[]): Promise<string[]> {
  const columns = new Columns()
  const now = ctx.now().getTime()
  const filters = where.map((text) => prepareFilter(text, columns, now))
  const known = noNames()
  const found: { readonly id: string; readonly values: Values }[] = []
  for (const id of (await store.trash.ids()).reverse()) {
    ctx.signal?.throwIfAborted()
    const records = await store.trash.read(id)
    if (records === undefined) continue
    const facts = factsOf(records, now)
    noteNames(known, facts)
    found.push({ id, values: columns.read(facts) })
  }
  const settled = filters.map((filter) => filter.settle(known, found.length))
  for (const warning of new Set(settled.flatMap(({ warnings }) => warnings))) ctx.warn(warning)
  return found.flatMap(({ id, values }) => (settled.every(({ test }) => test(values)) ? [id] : []))
}

function factsOf({ start, end, said }: DeletedRecords, now: number): RunFacts {
  const { metrics, params, tags, artifacts } = end ?? { ...start, metrics: {}, artifacts: [] }
  const row = {
    ...{ run: start.id, model: start.model ?? null, started: start.started, command: start.command },
    ...{ status: end?.status ?? 'interrupted', duration: end?.duration ?? null, parent: start.parent ?? null },
    ...{ metrics, params, tags, artifacts, exit: end?.exit ?? null, signal: end?.signal ?? null },
  } as const
  return { row, start, end, said, now }
}
