/** Named things of several runs side by side: one row per name, one cell per run. Pure. */
import type { ParamValue } from '../../store/run-records.ts'

/** A null cell: that run has none of this name. */
export interface Row<Cell> {
  readonly name: string
  /** In the order of the runs. */
  readonly cells: readonly (Cell | null)[]
  /** Every run has it, and the same. */
  readonly same: boolean
}

/** Wrapped, because a parameter that is null is another thing than one that is not there. */
export interface ValueCell {
  readonly value: ParamValue
}

export interface ValueRow extends Row<ValueCell> {
  /** The values read alike and are of different types: 6 and "6". */
  readonly typeOnly: boolean
}

/** `A` to `Z`: how runs are called throughout a comparison. */
export const labelOf = (at: number): string => String.fromCharCode(65 + at)

export type Values = Readonly<Record<string, ParamValue | undefined>>

/** In order of names: digits by value, so that `layer10` follows `layer9`. */
export function namesOf(sides: readonly Iterable<string>[]): string[] {
  const { compare } = new Intl.Collator('en', { numeric: true })
  return [...new Set(sides.flatMap((side) => [...side]))].sort((a, b) => compare(a, b) || (a < b ? -1 : 1))
}

export function valueRow(name: string, values: readonly (ParamValue | undefined)[]): ValueRow {
  const cells = values.map((value) => (value === undefined ? null : { value }))
  const [first] = values
  const present = values.filter((value) => value !== undefined)
  const same = first !== undefined && values.every((value) => value !== undefined && Object.is(value, first))
  const typeOnly = !same && present.length > 1 && new Set(present.map(String)).size === 1 && new Set(present).size > 1
  return { name, cells, same, typeOnly }
}

/** One row for each name that any side has; a member that is undefined is not there. */
export function valueRows(sides: readonly Values[], names = namesOf(sides.map(Object.keys))): ValueRow[] {
  return names
    .map((name) =>
      valueRow(
        name,
        sides.map((side) => (Object.hasOwn(side, name) ? side[name] : undefined)),
      ),
    )
    .filter(({ cells }) => cells.some((cell) => cell !== null))
}

/** @param identity what of a cell decides whether two are the same */
export function rowOfCells<Cell>(
  name: string,
  cells: readonly (Cell | null)[],
  identity: (cell: Cell) => unknown,
): Row<Cell> {
  const [first] = cells
  const same = first != null && cells.every((cell) => cell !== null && identity(cell) === identity(first))
  return { name, cells, same }
}
