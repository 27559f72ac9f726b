/**
 * A check as GitHub-flavoured Markdown, for `$GITHUB_STEP_SUMMARY`, a pull request's comment or an issue; it reads well
 * raw, too. Escaping is in `markdown-escape.ts`.
 */
import type { CheckVerdict, ColumnResult, ColumnVerdict } from '../../drift/types.ts'
import { code, fold, prose, table } from './markdown-escape.ts'
import { asList, type Reported, type ReportedCheck } from './types.ts'
import {
  advice,
  arrows,
  checkName,
  count,
  currentName,
  figure,
  HEADLINE,
  isDrifted,
  limitText,
  metricName,
  moment,
  plain,
  plural,
  sidesOf,
  tally,
  whatChanged,
  windowText,
  worstOf,
} from './words.ts'

export const MARKS: Readonly<Record<CheckVerdict | ColumnVerdict | 'small' | 'breach' | 'ok', string>> = {
  broken: '❌',
  drift: '❌',
  breach: '❌',
  inconclusive: '⚠️',
  small: '➖',
  negligible: '✅',
  stable: '✅',
  ok: '✅',
  skipped: '➖',
}

/** Columns shown; the next smaller figure is taken while the text is too long. */
const LEVELS = [Number.POSITIVE_INFINITY, 400, 100, 25, 5, 0]

/** @param limit bytes of UTF-8 that it may take; GitHub drops a step summary of more than 1 MiB */
export function renderMarkdownReport(reported: Reported, limit = 1_000_000): string {
  const checks = asList(reported)
  for (const level of LEVELS) {
    const text = `${checks.map((check) => section(check, level)).join('\n\n---\n\n')}\n`
    if (Buffer.byteLength(text) <= limit) return text
  }
  const short = `${checks.map((check) => `- ${MARKS[check.verdict]} ${code(checkName(check))}: ${check.verdict}`).join('\n')}\n`
  return Buffer.byteLength(short) <= limit ? short : ''
}

function section(check: ReportedCheck, most: number): string {
  const bad = check.columns.filter(isDrifted)
  const rest = check.columns.filter((column) => !isDrifted(column))
  const loud = rest.filter(
    ({ verdict, role }) => verdict === 'inconclusive' || (role === 'prediction' && verdict !== 'skipped'),
  )
  const quiet = rest.filter((column) => !loud.includes(column))
  const shown = [...bad, ...loud].slice(0, most)
  const hidden = bad.length + loud.length - shown.length
  return [
    `## ${MARKS[check.verdict]} ${HEADLINE[check.verdict]}: ${code(checkName(check))}`,
    prose(arrows(plain(check.summary, 1500))),
    `${code(currentName(check))} (${plural(check.current.rows, 'row')}) against ${prose(plain(check.reference.name))} (${plural(check.reference.rows, 'row')})`,
    todo(check),
    columnTable(check, shown),
    ...(hidden > 0 ? [`… and ${plural(hidden, 'column')} more: see the JSON or HTML report.`] : []),
    ...(quiet.length === 0 || most === 0
      ? []
      : [fold(restTitle(quiet, check.columns.length), columnTable(check, quiet.slice(0, most)))]),
    periods(check),
    health(check),
    quality(check),
    segments(check, most),
    notes(check),
    fold('What was compared', identity(check)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const todo = (check: ReportedCheck): string =>
  check.next === undefined
    ? `**What to do:** ${advice(check)}`
    : `**What to do:** ${advice(check)}\n\n\`\`\`sh\n${plain(check.next, 2000).replaceAll('```', "'''")}\n\`\`\``

const restTitle = (columns: readonly ColumnResult[], all: number): string =>
  `${tally(columns)
    .map(({ verdict, columns }) => `${count(columns)} ${verdict}`)
    .join(', ')} of ${plural(all, 'column')}`

const columnTable = (check: ReportedCheck, columns: readonly ColumnResult[]): string =>
  table(
    ['', 'Column', 'Verdict', `>${metricName(check.metric)}`, '>Limit', '>Noise', 'What changed'],
    columns.map((column) => [
      MARKS[column.verdict],
      code(plain(column.column, 80)) + (column.role === 'feature' ? '' : ` (${column.role})`),
      column.verdict,
      figure(column.effect) +
        (column.metric === check.metric || column.effect === null ? '' : ` (${metricName(column.metric)})`),
      limitText(column.threshold),
      figure(column.noise),
      whatChanged(column).map(prose).join('; '),
    ]),
  )

function periods({ periods }: ReportedCheck): string {
  if (periods === undefined || periods.length === 0) return ''
  const rows = periods.map((period) => [
    MARKS[worstOf(period)],
    windowText(period) + (period.running ? ' (not over)' : ''),
    count(period.rows),
    [period.verdict, ...sidesOf(period)].join(', '),
    figure(period.effect),
    period.drifted
      .slice(0, 5)
      .map((name) => code(plain(name, 60)))
      .join(', '),
  ])
  return `### Periods\n\n${table(['', 'Period', '>Rows', 'Verdict', '>Effect in limits', 'In drift'], rows)}`
}

function health({ health }: ReportedCheck): string {
  if (health === undefined) return ''
  const rows = health.findings.map((finding) => [
    MARKS[finding.verdict],
    finding.what,
    finding.verdict,
    prose(arrows(plain(finding.summary))),
  ])
  return `### Service health\n\n${table(['', 'What', 'Verdict', 'Finding'], rows)}`
}

function quality({ quality }: ReportedCheck): string {
  if (quality === undefined) return ''
  const rows = quality.metrics.map(({ metric, value, reference, verdict }) => [
    MARKS[verdict],
    code(plain(metric, 80)),
    verdict,
    figure(value),
    figure(reference),
  ])
  const body = table(['', 'Metric', 'Verdict', '>Now', '>When registered'], rows)
  const labels = `${count(quality.labelled)} of ${plural(quality.rows, 'prediction')} have a label.`
  return [`### Realised quality`, `${prose(arrows(plain(quality.summary)))} ${labels}`, body]
    .filter(Boolean)
    .join('\n\n')
}

function segments({ segments }: ReportedCheck, most: number): string {
  if (segments === undefined) return ''
  const rows = segments.results
    .slice(0, Math.max(5, most))
    .map((segment) => [
      MARKS[segment.verdict],
      segment.kind === 'value' ? code(plain(segment.value, 80)) : `*${segment.kind}*`,
      segment.verdict,
      count(segment.rows),
      prose(arrows(plain(segment.summary))),
    ])
  const title = `By ${code(plain(segments.column, 80))}`
  return `### ${title}\n\n${table(['', 'Segment', 'Verdict', '>Rows', 'What changed'], rows)}`
}

const notes = ({ notes }: ReportedCheck): string =>
  notes.length === 0 ? '' : `### Notes\n\n${notes.map((note) => `- ${prose(arrows(plain(note)))}`).join('\n')}`

const identity = (check: ReportedCheck): string =>
  table(
    ['', ''],
    [
      ['Version', code(checkName(check))],
      [
        'Rows checked',
        `${code(plain(check.current.source))}, ${plural(check.current.rows, 'row')}, ${plural(check.current.columns, 'column')}`,
      ],
      ['Their digest', code(`sha256:${check.current.sha256}`)],
      ...(check.window === undefined ? [] : [['Window', windowText(check.window)]]),
      ...((check.leftOut ?? 0) > 0
        ? [['Left out', `${plural(check.leftOut ?? 0, 'row')} that other versions answered`]]
        : []),
      ['Compared with', `${prose(plain(check.reference.name))}, ${plural(check.reference.rows, 'row')}`],
      ['Its profile', code(`sha256:${check.reference.profile}`)],
      ['Checked at', moment(check.time)],
      ['Measure', metricName(check.metric)],
      ['Configuration', code(`sha256:${check.configuration}`)],
    ],
  )
