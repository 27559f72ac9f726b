/**
 * What the files of a source hold, as relations: the parts of one shape are read together, and different shapes are
 * put under each other by the names of their columns. A column that a part lacks is missing in its rows; a column whose
 * type differs is read as the narrowest type that holds both, in the end as text.
 */
import { sqlName } from './duck.ts'
import { listed } from './locate.ts'
import type { Physical, SourceColumn } from './source.ts'

/** How a column is read, and the SQL type it has then. */
export interface ShapeColumn extends SourceColumn {
  readonly type: string
}

/** Parts that one FROM reads. */
export interface Shape {
  readonly labels: readonly string[]
  /** What follows FROM. */
  readonly relation: string
  readonly columns: readonly ShapeColumn[]
}

export interface United {
  readonly relation: string
  readonly columns: readonly SourceColumn[]
  readonly notes: readonly string[]
}

/** @param name of the whole source, for the notes */
export function unite(shapes: readonly Shape[], name: string): United {
  const [first, ...others] = shapes
  if (first !== undefined && others.length === 0) return { relation: first.relation, columns: first.columns, notes: [] }
  const names = [...new Set(shapes.flatMap((shape) => shape.columns.map((column) => column.name)))]
  const notes: string[] = []
  const columns = names.map((column, index) => {
    const found = shapes.map((shape) => shape.columns.find((each) => each.name === column))
    const lacking = shapes.filter((_, at) => found[at] === undefined).flatMap(({ labels }) => labels)
    if (lacking.length > 0) {
      notes.push(`${column} is missing in ${listed(lacking)} of ${name}: missing in all rows there`)
    }
    const types = found.flatMap((each) => (each === undefined ? [] : [each]))
    const common = commonType(types)
    const distinct = [...new Set(types.map(({ type }) => type))]
    if (distinct.length > 1) {
      notes.push(
        `${column} has different types in the files of ${name} (${distinct.join(', ')}): read as ${wordFor(common)}`,
      )
    }
    return { name: column, sql: sqlName(`u${index}`), found, ...common }
  })
  const selects = shapes.map((shape, at) => {
    const list = columns.map(({ sql, type, found }) => {
      const own = found[at]
      if (own === undefined) return `NULL::${type} AS ${sql}`
      return `${own.type === type ? own.sql : `CAST(${own.sql} AS ${type})`} AS ${sql}`
    })
    return `SELECT ${list.join(', ')} FROM ${shape.relation}`
  })
  return {
    relation: `(${selects.join(' UNION ALL ')})`,
    columns: columns.map(({ name: column, sql, physical }) => ({ name: column, sql, physical })),
    notes:
      notes.length > 10 ? [...notes.slice(0, 9), `${notes.length - 9} more columns differ from file to file`] : notes,
  }
}

const wordFor = ({ physical, type }: { physical: Physical; type: string }): string =>
  type === 'VARCHAR' ? 'text' : physical === 'int64' ? 'whole numbers' : 'numbers'

function commonType(columns: readonly ShapeColumn[]): { readonly type: string; readonly physical: Physical } {
  const [first, ...others] = columns
  if (first === undefined) return { type: 'VARCHAR', physical: 'text' }
  if (others.every(({ type }) => type === first.type)) return { type: first.type, physical: first.physical }
  const all = (...kinds: readonly Physical[]) => columns.every(({ physical }) => kinds.includes(physical))
  if (all('number', 'int64')) {
    // As a program would that puts the parts together: whole numbers and fractions are fractions.
    if (columns.some(({ type }) => /^(?:FLOAT|DOUBLE|DECIMAL)/.test(type)))
      return { type: 'DOUBLE', physical: 'number' }
    const isWide = columns.some(({ type }) => /^(?:UBIGINT|HUGEINT|UHUGEINT)$/.test(type))
    return { type: isWide ? 'HUGEINT' : 'BIGINT', physical: 'int64' }
  }
  // Text carries every value: numbers among words, dates among times, `true` among 1.
  const physical = all('time') ? 'time' : all('nested') ? 'nested' : all('binary') ? 'binary' : 'text'
  return { type: physical === 'binary' ? 'BLOB' : 'VARCHAR', physical }
}
