/** Values of a comparison as a person reads them: metrics, differences, digests, sizes. Plain text, for every form. */
import type { MetricCell } from '../../../tracking/compare/metrics.ts'
import type { ValueCell, ValueRow } from '../../../tracking/compare/rows.ts'
import { bytes, duration } from '../../time.ts'
import { formatDelta, formatValue } from '../../views/values.ts'

/** What is not there. */
export const NOTHING = '-'

/** A text that reads like a number is told from the number by its quotes. */
export function valueText({ typeOnly }: ValueRow, cell: ValueCell | null): string {
  if (cell === null) return NOTHING
  const { value } = cell
  if (value === null) return 'null'
  if (value === '') return '""'
  return typeof value === 'string' && typeOnly ? JSON.stringify(value) : formatValue(value)
}

/** `+0.02 (+2.4 %)` */
export function differenceText({ difference, relative }: MetricCell): string {
  if (difference === null) return ''
  return relative === null ? formatDelta(difference) : `${formatDelta(difference)} (${percent(relative)})`
}

/** With its sign; one decimal below ten. @param share 0.024 for `+2.4 %` */
export function percent(share: number): string {
  const value = 100 * share
  const size = Math.abs(value)
  const sign = value < 0 ? '-' : '+'
  if (size === 0) return '0 %'
  if (size < 0.1) return `${sign}<0.1 %`
  if (size >= 1000) return `${value < 0 ? '-' : ''}x${formatValue(Number((1 + size / 100).toPrecision(2)))}`
  return `${sign}${size < 10 ? Number(size.toFixed(1)) : Math.round(size)} %`
}

/** Between two finite numbers; '' for anything else. */
export function numberDifference(from: unknown, to: unknown): string {
  if (typeof from !== 'number' || typeof to !== 'number' || from === to) return ''
  return formatDelta(Number((to - from).toPrecision(12)))
}

export function withUnit(value: number, unit: 'seconds' | 'bytes' | null): string {
  if (unit === 'bytes') return bytes(value)
  return unit === 'seconds' ? duration(value) : formatValue(value)
}

/** `+1.2 s`, `-20 MB`; '' where nothing changed that could be read. */
export function unitDifference(from: unknown, to: unknown, unit: 'seconds' | 'bytes'): string {
  if (typeof from !== 'number' || typeof to !== 'number') return ''
  const size = withUnit(Math.abs(to - from), unit)
  if (size === withUnit(0, unit)) return ''
  return `${to > from ? '+' : '-'}${size}`
}

/** As many digits as there is room for; enough to tell two apart by eye. @param runs how many stand side by side */
export const digits = (digest: string, runs: number): string => digest.slice(0, runs > 3 ? 8 : 12)
