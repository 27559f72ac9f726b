/** How a run stands, as every view of runs says it. */
import type { RunRow } from '../../tracking/records/run-row.ts'
import type { RunStatus } from '../../tracking/records/status.ts'
import type { Style } from '../style.ts'

export function howItEnded({ exit, signal }: Pick<RunRow, 'exit' | 'signal'>): string {
  if (signal !== null) return ` (${signal})`
  return exit === null || exit === 0 ? '' : ` (exit code ${exit})`
}

export function mark(style: Style, status: RunStatus): string {
  const symbol = {
    running: style.symbols.bullet,
    finished: style.symbols.ok,
    failed: style.symbols.bad,
    interrupted: style.symbols.warn,
  }
  return paint(style, status, symbol[status])
}

export function paint(style: Style, status: RunStatus, text: string): string {
  if (status === 'finished') return style.good(text)
  if (status === 'failed') return style.bad(text)
  return status === 'interrupted' ? style.warn(text) : text
}
