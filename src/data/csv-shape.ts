/** CSV files as relations. Every field is read as text: sniffed types would change from file to file. */
import { type CsvHeader, parseCsvHeader } from './csv-header.ts'
import { sqlPaths, sqlText } from './duck.ts'
import type { Part } from './part.ts'
import type { Shape } from './shape.ts'

/** @throws failed `DATA_TOO_WIDE`, `DATA_UNREADABLE` */
export function csvShapes(parts: readonly Part[]): Shape[] {
  const groups = new Map<string, { readonly header: CsvHeader; readonly parts: Part[] }>()
  for (const part of parts) {
    const header = parseCsvHeader(part.head, part.isWhole, part.label)
    const key = JSON.stringify([header.separator, header.names, header.lineEnd])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { header, parts: [part] })
    else group.parts.push(part)
  }
  return [...groups.values()].map(({ header, parts: same }) => csvShape(header, same))
}

function csvShape({ separator, names, lineEnd }: CsvHeader, parts: readonly Part[]): Shape {
  const columns = names.map((column, index) => ({
    ...{ name: column, sql: `c${index}`, physical: 'text' as const, type: 'VARCHAR' },
  }))
  const types = columns.map(({ sql }) => `'${sql}': 'VARCHAR'`).join(', ')
  const isSingle = columns.length === 1
  const read =
    `read_csv(${sqlPaths(parts.map(({ path }) => path))}, auto_detect=false, header=true, delim=${sqlText(separator)}, ` +
    `quote='"', escape='"', encoding='utf-8', compression='none', hive_partitioning=false, ` +
    `${lineEnd === undefined ? '' : `new_line=${sqlText(lineEnd.replace('\r', '\\r').replace('\n', '\\n'))}, `}allow_quoted_nulls=${isSingle ? 'false' : 'true'}, columns={${types}})`
  // With one column a blank line would be a row without a value, where with several DuckDB skips it; "" is a missing value.
  const relation = isSingle ? `(SELECT nullif(c0, '') AS c0 FROM ${read} WHERE c0 IS NOT NULL)` : read
  return { labels: parts.map(({ label }) => label), relation, columns }
}
