/** Parquet files as relations: parts of the same schema together, whatever the order of their columns. */
import { type Duck, sqlName, sqlPath, sqlPaths } from './duck.ts'
import type { Part } from './part.ts'
import type { Shape, ShapeColumn } from './shape.ts'
import type { Physical } from './source.ts'

export async function parquetShapes(duck: Duck, parts: readonly Part[]): Promise<Shape[]> {
  const groups = new Map<string, Part[]>()
  const signatures = await signaturesOf(duck, parts)
  parts.forEach((part, index) => {
    const signature = signatures[index] ?? ''
    groups.set(signature, [...(groups.get(signature) ?? []), part])
  })
  const shapes: Shape[] = []
  for (const same of groups.values()) {
    const [first] = same
    if (first === undefined) continue
    const described = await duck.rows(
      `DESCRIBE SELECT * FROM read_parquet(${sqlPath(first.path)}, hive_partitioning=false)`,
    )
    shapes.push({
      labels: same.map(({ label }) => label),
      relation: `read_parquet(${sqlPaths(same.map(({ path }) => path))}, hive_partitioning=false)`,
      columns: described.map(([name, type]) => shapeColumn(String(name), String(type))),
    })
  }
  return shapes
}

/** One text per part: equal for parts that have the same columns of the same types in the same order. */
async function signaturesOf(duck: Duck, parts: readonly Part[]): Promise<string[]> {
  if (parts.length === 1) return ['']
  const rows = await duck.rows(
    `SELECT file_name, list([name, type, converted_type, logical_type, CAST(scale AS VARCHAR), CAST(precision AS VARCHAR),
       CAST(num_children AS VARCHAR), type_length] ORDER BY column_id)::VARCHAR
     FROM parquet_schema(${sqlPaths(parts.map(({ path }) => path))}) WHERE column_id > 0 GROUP BY file_name`,
  )
  const byPath = new Map(rows.map(([path, signature]) => [String(path), String(signature)]))
  return parts.map(({ path }) => byPath.get(path) ?? path)
}

function shapeColumn(name: string, type: string): ShapeColumn {
  const physical = physicalOf(type)
  return { name, sql: sqlName(name), physical, type }
}

function physicalOf(type: string): Physical {
  if (/[[\]]$|^(?:STRUCT|MAP|UNION|LIST|JSON|VARIANT|GEOMETRY)/.test(type)) return 'nested'
  if (/^(?:BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/.test(type)) return 'int64'
  if (/INT|^(?:FLOAT|DOUBLE|DECIMAL)/.test(type) && !type.startsWith('INTERVAL')) return 'number'
  if (type === 'BOOLEAN') return 'boolean'
  if (/^(?:DATE|TIMESTAMP)/.test(type)) return 'time'
  if (/^(?:BLOB|BIT)/.test(type)) return 'binary'
  return 'text'
}
