/** The history of checks as a person reads it: the checks newest first, then the columns with their effect over time. */
import type { Trend, TrendCheck, TrendColumn } from '../../drift/trend.ts'
import { newestOver, othersText, seriesText } from '../reports/trend/series.ts'
import { figure, limitText } from '../reports/words.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'

/** Columns with a line of their own; the rest is in the file and in --json. */
const COLUMNS = 10
/** More points than this are no sparkline. */
const POINTS = 60

export function renderTrend(ui: Ui, trend: Trend): string {
  const { style } = ui
  const version = trend.version ?? trend.series?.version
  const name = style.name(version === undefined ? trend.model : `${trend.model}@${version}`)
  const newest = newestOver(trend.checks)
  if (newest === undefined) {
    return `There is no check of ${name} in this span.\n\nNext: ${style.command(`mlops drift ${trend.model} --current FILE`)}`
  }
  const count = trend.checks.length
  const head = `${name}  ${count === 1 ? '1 check' : `${count} checks, newest first`}${trend.more ? `; older ones with --limit ${2 * count}` : ''}`
  if (ui.quiet) return head
  const next = `Next: ${style.command(`mlops drift report ${trend.model} --check ${newest.key.slice(0, 8)}`)}`
  const ofWhat = trend.series === null ? '' : style.dim(ui.wrap(ui.text(seriesText(trend.series)), 0))
  const others =
    trend.others.length === 0
      ? ''
      : ui.wrap(
          `OTHERS  ${othersText(trend.others)}; see them: ${style.command(`mlops drift report ${trend.model} --all-checks`)}`,
          8,
        )
  const top = [head, ofWhat].filter((line) => line !== '').join('\n')
  return [top, checkTable(ui, trend), columnTable(ui, trend), others, next].filter((part) => part !== '').join('\n\n')
}

function checkTable(ui: Ui, { checks, version }: Trend): string {
  const { style } = ui
  const { symbols } = style
  const marks = { drift: symbols.bad, inconclusive: symbols.unknown, stable: symbols.ok }
  const paint = (text: string, { verdict }: TrendCheck): string =>
    verdict === 'drift' ? style.bad(text) : verdict === 'stable' ? style.good(text) : style.warn(text)
  const hasSide = checks.some(({ health, quality }) => health === 'breach' || quality === 'breach')
  return ui.table<TrendCheck>(
    [
      { title: 'ROWS OF', value: rowsOf, shrink: true },
      ...(version === null && new Set(checks.map((check) => check.version)).size > 1
        ? [{ title: 'VERSION', value: (check: TrendCheck) => `@${check.version}` }]
        : []),
      ...(new Set(checks.map(({ reference }) => reference)).size > 1
        ? [{ title: 'REFERENCE', value: ({ reference }: TrendCheck) => reference, shrink: true }]
        : []),
      { title: 'ROWS', value: ({ rows }) => rows.toLocaleString('en-US'), align: 'right' },
      { title: 'VERDICT', value: ({ verdict }) => `${marks[verdict]} ${verdict}`, paint },
      { title: 'DRIFTED', value: ({ drifted, compared }) => `${drifted} of ${compared}` },
      { title: 'WORST COLUMN', value: ({ worst }) => worst?.column ?? '', shrink: true },
      { title: 'EFFECT', value: ({ worst }) => (worst === null ? '' : figure(worst.effect)), align: 'right' },
      ...(hasSide ? [{ title: 'BESIDES', value: besides, paint: (text: string) => style.bad(text) }] : []),
      { title: 'CHECK', value: ({ key }) => key.slice(0, 8), paint: (text) => style.dim(text) },
    ],
    checks.toReversed(),
  )
}

/** The window, else the file and when it was checked. */
function rowsOf({ window, source, time, running }: TrendCheck): string {
  if (window === null) return `${source} (${day(time)})`
  const [since, until] = [day(window.since), day(window.until)]
  const isDays = since.endsWith(' 00:00 UTC') && until.endsWith(' 00:00 UTC')
  const open = running ? ' (not over)' : ''
  return isDays
    ? `${since.slice(0, 10)} to ${until.slice(0, 10)}${open}`
    : `${since.replace(/ UTC$/, '')} to ${until}${open}`
}

function besides({ health, quality }: TrendCheck): string {
  return [...(health === 'breach' ? ['health'] : []), ...(quality === 'breach' ? ['quality'] : [])].join(', ')
}

function columnTable(ui: Ui, { columns, checks }: Trend): string {
  if (checks.length < 2) return ''
  const { style } = ui
  const last = (column: TrendColumn) => column.points.at(-1)
  const line = (column: TrendColumn): string => {
    const points = column.points.slice(-POINTS)
    // With the limit on the same scale: what is far below it stays low.
    const heights = [...points.map((point) => point?.effect ?? 0), last(column)?.threshold ?? 0]
    return ui.sparkline(heights).slice(0, points.length)
  }
  const isBad = (column: TrendColumn): boolean => ['drift', 'broken'].includes(last(column)?.verdict ?? '')
  return ui.table<TrendColumn>(
    [
      { title: 'COLUMN', value: ({ column }) => column, shrink: true },
      { title: 'EFFECT, OLDEST TO NEWEST', value: line },
      {
        title: 'NOW',
        value: (column) => figure(last(column)?.effect),
        align: 'right',
        paint: (text, column) => (isBad(column) ? style.bad(text) : text),
      },
      { title: 'LIMIT', value: (column) => limitText(last(column)?.threshold ?? Number.NaN), align: 'right' },
      { title: 'DRIFTED', value: ({ drifted }) => `${drifted} of ${checks.length}` },
    ],
    columns.slice(0, COLUMNS),
  )
}
