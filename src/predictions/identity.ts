/**
 * The identity of a set of records: the same for the same records in whatever files and in whatever order they lie.
 * Each record gives a 64-bit number out of its md5, the numbers are added, and sum and count are hashed.
 */
import { type Digest, sha256 } from '../core/digest.ts'
import type { Duck } from '../data/duck.ts'

/**
 * @param records a relation with `ts` as TIMESTAMP
 * @param columns of `records`, in the order in which they count
 */
export async function identityOf(
  duck: Duck,
  records: string,
  columns: readonly string[],
): Promise<{
  readonly sha256: Digest
  readonly rows: number
  readonly first: string | null
  readonly last: string | null
}> {
  // What is absent differs from an empty text, and no value can look like two.
  const values = columns.map((name) => {
    const text = name === 'ts' ? 'CAST(epoch_us(ts) AS VARCHAR)' : `CAST("${name}" AS VARCHAR)`
    return `coalesce(length(${text}) || ':' || ${text}, '-')`
  })
  const [row] = await duck.rows(
    `SELECT CAST(sum(md5_number_lower(concat_ws(',', ${values.join(', ')}))) AS VARCHAR), count(*),
       CAST(min(epoch_ms(ts)) AS DOUBLE), CAST(max(epoch_ms(ts)) AS DOUBLE) FROM (${records})`,
  )
  const [sum, count, first, last] = row ?? []
  const time = (value: unknown): string | null => (typeof value === 'number' ? new Date(value).toISOString() : null)
  const rows = Number(count ?? 0)
  return {
    sha256: sha256(`prediction-log 1\n${rows}\n${String(sum ?? 0)}\n`),
    rows,
    first: time(first),
    last: time(last),
  }
}
