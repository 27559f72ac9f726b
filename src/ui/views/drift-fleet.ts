/** `mlops drift --all` as a table, worst first, and `--cron` as lines to copy. */
import type { Schedule } from '../../monitor/cron.ts'
import type { FleetEntry, FleetReport } from '../../monitor/fleet.ts'
import type { Ui } from '../ui.ts'
import { alertLines } from './drift-parts.ts'

export function renderFleet(ui: Ui, fleet: FleetReport & { readonly reports?: readonly string[] }): string {
  const { style } = ui
  const table = ui.table<FleetEntry>(
    [
      { title: 'MODEL', value: (row) => `${row.model}${row.version === null ? '' : `@${row.version}`}` },
      { title: 'VERDICT', value: verdict, paint: (text, row) => paint(ui, row, text) },
      { title: 'ROWS', value: ({ check }) => check?.current.rows.toLocaleString('en-US') ?? '', align: 'right' },
      { title: 'SERVICE', value: service },
      { title: 'WHAT', value: ({ check, error }) => error?.message ?? check?.summary ?? '', shrink: true },
    ],
    fleet.models,
  )
  const breaches = fleet.models.flatMap(({ model, check }) =>
    breachesOf(check).map((summary) =>
      ui.wrap(`${style.bad(style.symbols.bad)} ${style.name(model)}  ${ui.text(summary)}`, 2),
    ),
  )
  const told = fleet.models.flatMap(({ model, check }) =>
    alertLines(ui, check?.alerts ?? []).map((line) => `${style.name(model)}  ${line}`),
  )
  const worst = fleet.models[0]
  const next = worst === undefined || worst.exitCode === 0 ? undefined : (worst.check?.next ?? worst.error?.hint)
  const reports = (fleet.reports ?? []).map((path) => style.dim(`Report: ${ui.text(path)}`))
  if (ui.quiet) return [table, ...told].join('\n')
  return [
    table,
    breaches.join('\n'),
    told.join('\n'),
    reports.join('\n'),
    next == null ? style.good('Nothing to do.') : `Next: ${style.command(ui.text(next))}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** What is wrong besides drift, in words. */
const breachesOf = (check: FleetEntry['check']): string[] =>
  [...(check?.health?.findings ?? []), ...(check?.quality === undefined ? [] : [check.quality])].flatMap(
    ({ verdict, summary }) => (verdict === 'breach' ? [summary] : []),
  )

function verdict({ verdict, exitCode, error }: FleetEntry): string {
  if (verdict !== null) return verdict
  return exitCode === 1 ? 'failed' : error?.code === 'CURRENT_MISSING' ? 'not logged' : 'inconclusive'
}

function service({ check }: FleetEntry): string {
  if (check?.health?.verdict === 'breach') return 'breach'
  if (check?.quality?.verdict === 'breach') return 'quality breach'
  return check?.health?.verdict ?? ''
}

function paint({ style }: Ui, { exitCode }: FleetEntry, text: string): string {
  if (exitCode === 1 || exitCode === 3) return style.bad(text)
  return exitCode === 0 ? style.good(text) : style.warn(text)
}

export function renderSchedule(ui: Ui, { cron, githubActions, notes }: Schedule): string {
  const { style } = ui
  if (ui.quiet) return cron
  const known = notes.map((note) => style.dim(ui.wrap(`${style.symbols.bullet} ${note}`, 2)))
  return [
    `${style.heading('crontab -e')}\n${style.command(ui.text(cron))}`,
    `${style.heading('.github/workflows/drift.yml')}\n${githubActions}`,
    known.join('\n'),
  ].join('\n\n')
}
