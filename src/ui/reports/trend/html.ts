/** The history of checks as one page: a line per column against its limit, then the checks, newest first. */
import type { Trend, TrendCheck, TrendColumn } from '../../../drift/trend.ts'
import { type Html, html } from '../html/escape.ts'
import { icon, tag, tone } from '../html/mark.ts'
import { page } from '../html/page.ts'
import { count, figure, HEADLINE, limitText, metricName, moment, plain, plural, windowText, worstOf } from '../words.ts'
import { trendChart } from './chart.ts'
import { newestOver, othersText, seriesText } from './series.ts'

/** Columns with a chart; the others have a line in a list. */
const CHARTS = 24
/** Checks in the list. */
const LISTED = 300

export function renderHtmlTrend(trend: Trend): string {
  const name = plain(nameOf(trend))
  const newest = newestOver(trend.checks)
  const title = `Checks of ${name}`
  if (newest === undefined) {
    return page(title, html`<h1 class="verdict">${title}</h1><p class="lead">There is none in this span.</p>`)
  }
  return page(title, html`${head(trend, name, newest)}${charts(trend)}${checkTable(trend)}`)
}

const nameOf = ({ model, version, series }: Trend): string => {
  const one = version ?? series?.version
  return one === undefined ? model : `${model}@${one}`
}

function head({ checks, more, series, others }: Trend, name: string, newest: TrendCheck): Html {
  const drifted = checks.filter(({ verdict }) => verdict === 'drift').length
  const strip = checks
    .slice(-60)
    .map(
      (check) =>
        html`<li class="${tone(worstOf(check))}" title="${spanOf(check)}: ${worstOf(check)}">${icon(worstOf(check))}<span class="hide">${worstOf(check)}</span></li>`,
    )
  const older = checks.length > 60 || more ? ' (newest ones; oldest on the left)' : ' (oldest on the left)'
  return html`<header><p class="over"><b>${name}</b> ${plural(checks.length, 'check')}, the newest of ${spanOf(newest)}</p><h1 class="verdict ${tone(newest.verdict)}">${icon(newest.verdict)}${HEADLINE[newest.verdict]}</h1><p class="lead">${plain(newest.summary, 1500).replaceAll(' -> ', ' → ')}</p><ul class="strip" aria-label="Verdicts, oldest first">${strip}</ul><p class="soft">Drift in ${count(drifted)} of ${plural(checks.length, 'check')}${older}.${series !== null && ` Shown: ${plain(seriesText(series))}.`}${others.length > 0 && ` Others: ${othersText(others)}; see them with --all-checks.`}</p></header>`
}

const spanOf = ({ window, source, time, running }: TrendCheck): string =>
  window === null ? `${plain(source, 80)}, ${moment(time)}` : `${windowText(window)}${running ? ' (not over)' : ''}`

const timeOf = ({ window, time }: TrendCheck): number => Date.parse(window?.until ?? time)

function charts({ checks, columns }: Trend): Html {
  const times = checks.map(timeOf)
  const [first, last] = [checks[0], checks.at(-1)]
  const span =
    first === undefined || last === undefined
      ? html``
      : html`<div class="span"><span>${shortTime(first, last)}</span><span>${shortTime(last, first)}</span></div>`
  const drawn = columns.slice(0, CHARTS)
  const rest = columns.slice(CHARTS)
  return html`<h2>Effect over time <small>dashed: the limit; shaded: what chance alone may show</small></h2><div class="charts">${drawn.map((column) => html`<article class="card chartbox"><h3 class="n">${plain(column.column, 80)}</h3>${figures(column)}${trendChart(column, times)}${span}</article>`)}</div>${rest.length > 0 && html`<details class="card fold"><summary>${count(rest.length)} more <span>with smaller effects</span></summary><div>${columnTable(rest)}</div></details>`}`
}

/** The day, or the time where the whole trend is of one day. */
function shortTime(check: TrendCheck, other: TrendCheck): string {
  const [mine, others] = [check, other].map((each) => new Date(timeOf(each)).toISOString())
  const isOneDay = mine?.slice(0, 10) === others?.slice(0, 10)
  return (isOneDay ? mine?.slice(11, 16) : mine?.slice(0, 10)) ?? ''
}

function figures(column: TrendColumn): Html {
  const last = column.points.at(-1)
  const verdict = last === null || last === undefined ? html`` : tag(last.verdict)
  const role = column.role === 'feature' ? '' : `${column.role}, `
  const times = column.drifted === 0 ? 'never in drift' : `in drift ${column.drifted} of ${column.points.length} times`
  return html`<p class="now">${verdict}<span class="soft">${role}${metricName(column.metric)} <b>${figure(last?.effect)}</b> of ${limitText(last?.threshold ?? Number.NaN)}, ${times}</span></p>`
}

function columnTable(columns: readonly TrendColumn[]): Html {
  const rows = columns.map((column) => {
    const last = column.points.at(-1)
    return html`<tr><th scope="row"><b class="n">${plain(column.column, 80)}</b></th><td class="r">${figure(last?.effect)}</td><td class="r">${limitText(last?.threshold ?? Number.NaN)}</td><td class="r">${column.drifted} of ${column.points.length}</td></tr>`
  })
  return html`<table class="rows"><thead><tr><th scope="col">Column</th><th scope="col" class="r">Now</th><th scope="col" class="r">Limit</th><th scope="col" class="r">In drift</th></tr></thead><tbody>${rows}</tbody></table>`
}

function checkTable({ checks, version, series }: Trend): Html {
  const hasReferences = new Set(checks.map(({ reference }) => reference)).size > 1
  const shown = checks.toReversed().slice(0, LISTED)
  const rows = shown.map(
    (check) =>
      html`<tr><th scope="row"><b class="n">${spanOf(check)}</b><span>${version === null && series === null && `version ${check.version}, `}${hasReferences && `against ${plain(check.reference, 80)}, `}${plural(check.rows, 'row')}, ${check.drifted} of ${plural(check.compared, 'column')} in drift${check.worst !== null && html`; largest effect ${figure(check.worst.effect)} in <span class="n">${plain(check.worst.column, 60)}</span>`}</span></th><td class="wide"><code>${check.key.slice(0, 8)}</code></td><td>${tag(worstOf(check))}</td></tr>`,
  )
  const less = checks.length > shown.length ? html` <small>the newest ${count(shown.length)}</small>` : html``
  return html`<h2>Checks${less}</h2><div class="card sec"><table class="rows"><thead><tr><th scope="col">Rows of</th><th scope="col" class="wide">Check</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
