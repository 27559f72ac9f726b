/** The history of checks as GitHub-flavoured Markdown. */
import type { Trend, TrendCheck, TrendColumn } from '../../../drift/trend.ts'
import { sparkline } from '../../sparkline.ts'
import { MARKS } from '../markdown.ts'
import { code, table } from '../markdown-escape.ts'
import { count, figure, limitText, metricName, moment, plain, plural, windowText, worstOf } from '../words.ts'
import { newestOver, othersText, seriesText } from './series.ts'

const COLUMNS = 15
/** Points of a line of blocks. */
const POINTS = 40
/** Checks listed; the next smaller figure is taken while the text is too long. */
const LEVELS = [500, 100, 20, 0]

/** @param limit bytes that it may take */
export function renderMarkdownTrend(trend: Trend, limit = 1_000_000): string {
  const texts = LEVELS.map((most) => render(trend, most))
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? ''
}

function render(trend: Trend, most: number): string {
  const version = trend.version ?? trend.series?.version
  const name = code(plain(version === undefined ? trend.model : `${trend.model}@${version}`))
  const newest = newestOver(trend.checks)
  if (newest === undefined) return `## Checks of ${name}\n\nThere is none in this span.\n`
  const drifted = trend.checks.filter(({ verdict }) => verdict === 'drift').length
  const parts = [
    `## ${MARKS[newest.verdict]} Checks of ${name}`,
    `Drift in ${count(drifted)} of ${plural(trend.checks.length, 'check')}; the newest is ${newest.verdict}.`,
    trend.series === null ? '' : `Shown: ${plain(seriesText(trend.series))}.`,
    trend.others.length === 0 ? '' : `Others: ${othersText(trend.others)}; see them with \`--all-checks\`.`,
    `### Effect over time`,
    columnTable(trend.columns.slice(0, COLUMNS)),
    `### Checks`,
    checkTable(trend.checks.toReversed().slice(0, most)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const columnTable = (columns: readonly TrendColumn[]): string =>
  table(
    ['Column', 'Oldest to newest', '>Now', '>Limit', '>In drift'],
    columns.map((column) => {
      const last = column.points.at(-1)
      return [
        code(plain(column.column, 80)),
        line(column),
        `${metricName(column.metric)} ${figure(last?.effect)}`,
        limitText(last?.threshold ?? Number.NaN),
        `${column.drifted} of ${column.points.length}`,
      ]
    }),
  )

/** With the limit on the same scale: what is far below it stays low. */
function line({ points }: TrendColumn): string {
  const shown = points.slice(-POINTS)
  const heights = [...shown.map((point) => point?.effect ?? 0), shown.at(-1)?.threshold ?? 0]
  return sparkline(heights, true).slice(0, shown.length)
}

const hasReferences = (checks: readonly TrendCheck[]): boolean =>
  new Set(checks.map(({ reference }) => reference)).size > 1

const checkTable = (checks: readonly TrendCheck[]): string =>
  table(
    [
      '',
      'Rows of',
      ...(hasReferences(checks) ? ['Reference'] : []),
      '>Rows',
      'Verdict',
      'Worst column',
      '>Effect',
      'Check',
    ],
    checks.map((check) => [
      MARKS[worstOf(check)],
      check.window === null
        ? `${code(plain(check.source, 80))}, ${moment(check.time)}`
        : `${windowText(check.window)}${check.running ? ' (not over)' : ''}`,
      ...(hasReferences(checks) ? [code(plain(check.reference, 80))] : []),
      count(check.rows),
      `${check.verdict} (${check.drifted} of ${check.compared})`,
      check.worst === null ? '' : code(plain(check.worst.column, 80)),
      figure(check.worst?.effect),
      code(check.key.slice(0, 8)),
    ]),
  )
