/**
 * The ids of held-out rows: each names one row. A row that counts twice makes every interval shorter than it is, and a
 * comparison surer than anybody can be. Bringing two files together by them is in `pair-rows.ts`.
 */
import { usage } from '../core/errors.ts'
import type { Table } from './answer-kind.ts'
import { rowsOf } from './few.ts'

/**
 * @param id the hash of each id, NaN where it is missing
 * @throws usage `HELD_OUT_IDS` naming the first that stands in two rows
 */
export async function soundIds(
  table: Table,
  id: Float64Array,
): Promise<{ readonly id: Float64Array | null; readonly notes: readonly string[] }> {
  const column = table.roles.id
  if (column === undefined) return { id: null, notes: [] }
  const present = id.filter((value) => !Number.isNaN(value))
  const isRepeated = hasRepeats(present)
  if (isRepeated) await refuseRepeated(table, column)
  const absent = id.length - present.length
  if (absent > 0) return { id: null, notes: [`${column} is not used: it is missing in ${rowsOf(absent)}`] }
  // All ids differ, and the hashes of two do not.
  return isRepeated ? { id: null, notes: [`${column} is not used: two ids have one hash`] } : { id, notes: [] }
}

function hasRepeats(values: Float64Array): boolean {
  const sorted = values.slice().sort()
  return sorted.some((value, at) => at > 0 && value === sorted[at - 1])
}

async function refuseRepeated({ duck, relation, name, rows }: Table, column: string): Promise<void> {
  const [row] = await duck.rows(
    `WITH repeated AS (SELECT id_text, count(*) AS times, min(place) AS first, max(place) AS last
       FROM ${relation} WHERE id_text IS NOT NULL GROUP BY id_text HAVING count(*) > 1)
     SELECT left(id_text, 40), first, last, (SELECT count(*) FROM repeated), (SELECT sum(times - 1) FROM repeated)
     FROM repeated ORDER BY first LIMIT 1`,
  )
  if (row === undefined) return
  const [first, last, ids, surplus] = row.slice(1).map(Number) as [number, number, number, number]
  const many = ids === 1 ? '1 id stands' : `${ids} ids stand`
  throw usage({
    code: 'HELD_OUT_IDS',
    message: `${name}: ${many} in more than one row of ${JSON.stringify(column)}, ${surplus} of ${rowsOf(rows)} too many; the first is ${JSON.stringify(row[0])}, in rows ${first + 1} and ${last + 1}.`,
    hint: 'A row that counts twice makes every interval too short: write each row once, with an id of its own; what several rows share (a customer) goes into a column of another name',
    details: { column, repeated: ids, surplus, rows, first: first + 1 },
  })
}
