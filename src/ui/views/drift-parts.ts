/** What stands around the columns of a check: periods, segments, the service, the labels, what was told to whom. */
import type { CheckResult, HealthVerdict } from '../../drift/types.ts'
import type { AlertReport, PeriodResult } from '../../monitor/types.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'

/** Segments shown one by one. */
const SEGMENTS = 12

function mark({ style }: Ui, verdict: HealthVerdict | 'drift' | 'stable' | 'small', text: string): string {
  const { symbols } = style
  if (verdict === 'breach' || verdict === 'drift') return style.bad(`${symbols.bad} ${text}`)
  if (verdict === 'inconclusive') return style.warn(`${symbols.unknown} ${text}`)
  return verdict === 'small' ? style.dim(`${symbols.dash} ${text}`) : style.good(`${symbols.ok} ${text}`)
}

/**
 * One line for each finding: what is fine is said too, what cannot be said is not passed over. Findings that all wait
 * for the same thing (the first window has none before it) share a line.
 */
export function healthLines(ui: Ui, { health }: Pick<CheckResult, 'health'>): string[] {
  const findings = health?.findings ?? []
  const reasons = new Set(findings.map(({ summary }) => afterSemicolon(summary)))
  const [reason] = reasons
  if (findings.length > 1 && reasons.size === 1 && reason !== '' && health?.verdict === 'inconclusive') {
    const figures = findings.map(({ summary }) => summary.slice(0, -`; ${reason}`.length)).join(', ')
    return [ui.wrap(mark(ui, 'inconclusive', ui.text(`${figures}; ${reason}`)), 2)]
  }
  return findings.map(({ verdict, summary }) => ui.wrap(mark(ui, verdict, ui.text(summary)), 2))
}

const afterSemicolon = (text: string): string => text.split('; ').slice(1).join('; ')

export function qualityLines(ui: Ui, { quality }: Pick<CheckResult, 'quality'>): string[] {
  return quality === undefined ? [] : [ui.wrap(mark(ui, quality.verdict, ui.text(`quality: ${quality.summary}`)), 2)]
}

export function segmentTable(ui: Ui, { segments }: Pick<CheckResult, 'segments'>): string {
  if (segments === undefined) return ''
  const shown = segments.results.slice(0, SEGMENTS)
  const more = segments.results.length - shown.length
  const table = ui.table(
    [
      { title: ui.text(segments.column.toUpperCase()), value: ({ value }) => value },
      {
        title: 'VERDICT',
        value: ({ verdict }) => verdict,
        paint: (text, { verdict }) => paintVerdict(ui, verdict, text),
      },
      { title: 'BEFORE', value: ({ reference }) => reference.toLocaleString('en-US'), align: 'right' },
      { title: 'AFTER', value: ({ rows }) => rows.toLocaleString('en-US'), align: 'right' },
      { title: 'WHAT', value: ({ summary }) => summary, shrink: true },
    ],
    shown,
  )
  return more > 0 ? `${table}\n${ui.style.dim(`${ui.style.symbols.bullet} and ${more} more`)}` : table
}

function paintVerdict({ style }: Ui, verdict: string, text: string): string {
  if (verdict === 'drift' || verdict === 'breach') return style.bad(text)
  return verdict === 'inconclusive' ? style.warn(text) : verdict === 'small' ? style.dim(text) : style.good(text)
}

/** The trend: one line per period, and over all of them the largest effect in units of its threshold. */
export function periodTable(ui: Ui, periods: readonly PeriodResult[]): string {
  if (periods.length === 0) return ''
  const days = periods.every(({ since }) => since.endsWith('T00:00:00.000Z'))
  const name = ({ since, running }: PeriodResult) =>
    `${days ? since.slice(0, 10) : day(since).slice(0, 16)}${running ? ' (not over)' : ''}`
  const table = ui.table<PeriodResult>(
    [
      { title: 'FROM (UTC)', value: name },
      { title: 'ROWS', value: ({ rows }) => rows.toLocaleString('en-US'), align: 'right' },
      {
        title: 'VERDICT',
        value: ({ verdict }) => verdict,
        paint: (text, { verdict }) => paintVerdict(ui, verdict, text),
      },
      { title: 'SERVICE', value: (row) => service(row), paint: (text, row) => paintVerdict(ui, service(row), text) },
      { title: 'EFFECT', value: ({ effect }) => (effect === null ? '' : `${effect.toFixed(1)}x`), align: 'right' },
      { title: 'WORST COLUMNS', value: ({ drifted }) => named(drifted), shrink: true },
    ],
    periods,
  )
  const effects = ui.sparkline(periods.map(({ effect }) => effect ?? 0))
  const rows = ui.sparkline(periods.map(({ rows }) => rows))
  return `${table}\n\neffect ${effects}   rows ${rows}   ${ui.style.dim('1.0x is the threshold')}`
}

const service = ({ health, quality }: PeriodResult): string =>
  health === 'breach' || quality === 'breach' ? 'breach' : (health ?? '')

const named = (columns: readonly string[]): string =>
  columns.length > 3 ? `${columns.slice(0, 3).join(', ')} and ${columns.length - 3} more` : columns.join(', ')

/** What was told to whom, and what was not; what a channel asks to be printed is printed. */
export function alertLines(ui: Ui, alerts: readonly AlertReport[]): string[] {
  const { style } = ui
  const told = alerts.filter(({ trouble, deliveries }) => trouble || deliveries.length > 0)
  return told.flatMap(({ kind, state, reason, deliveries }) => {
    const what = `${kind} alert${state === 'recovered' ? ' (recovered)' : ''}`
    if (deliveries.length === 0) return [style.dim(ui.wrap(`${style.symbols.dash} no ${what}: ${ui.text(reason)}`, 2))]
    return deliveries.map(({ channel, delivered, attempts, error, print }) => {
      if (print !== undefined) return print.split('\n').map(ui.text).join('\n')
      if (delivered) return `${style.good(style.symbols.ok)} ${what} sent to ${ui.text(channel)}`
      const tries = `in ${attempts} attempt${attempts === 1 ? '' : 's'}`
      const failure = `${style.symbols.bad} ${what} did not reach ${ui.text(channel)} ${tries}: ${ui.text(error ?? 'no answer')}`
      return style.bad(ui.wrap(failure, 2))
    })
  })
}
