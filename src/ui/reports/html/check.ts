/** One check of a page: verdict and what to do, then the columns, then everything else. */
import type { ColumnResult, ColumnVerdict } from '../../../drift/types.ts'
import type { ReportedCheck } from '../types.ts'
import {
  advice,
  arrows,
  checkName,
  count,
  currentName,
  HEADLINE,
  isDrifted,
  limitText,
  metricName,
  moment,
  plain,
  plural,
  tally,
} from '../words.ts'
import { columnCard, columnList } from './column.ts'
import { type Html, html, raw, type Value } from './escape.ts'
import { icon, tag, tone } from './mark.ts'
import {
  healthSection,
  identitySection,
  notesSection,
  periodsSection,
  qualitySection,
  segmentsSection,
} from './sections.ts'

export interface CheckOptions {
  /** 0 where the page is about this check alone, 1 where it is one of several. */
  readonly depth: 0 | 1
  /** Prefix of its anchors. */
  readonly id: string
  /** Columns drawn as cards; more are listed, so that a page stays small and quick. */
  readonly cards: number
}

export function checkBody(check: ReportedCheck, { depth, id, cards }: CheckOptions): Html {
  const title = (text: Value, anchor?: string): Html => {
    const at = anchor === undefined ? '' : html` id="${id}${anchor}"`
    return depth === 0 ? html`<h2${at}>${text}</h2>` : html`<h3 class="h2"${at}>${text}</h3>`
  }
  const plainTitle = (text: Value): Html => title(text)
  return html`${head(check, depth, id)}${columns(check, title, depth, cards)}${periodsSection(check, plainTitle)}${segmentsSection(check, plainTitle)}${healthSection(check, plainTitle)}${qualitySection(check, plainTitle)}${notesSection(check, plainTitle)}${identitySection(check, plainTitle)}`
}

function head(check: ReportedCheck, depth: 0 | 1, id: string): Html {
  const { verdict } = check
  const words = html`${icon(verdict)}${HEADLINE[verdict]}`
  const headline =
    depth === 0
      ? html`<h1 class="verdict ${tone(verdict)}">${words}</h1>`
      : html`<h2 class="verdict ${tone(verdict)}">${words}</h2>`
  return html`<header id="${id}top"><p class="over"><b>${checkName(check)}</b> checked on ${moment(check.time)}</p>${headline}<p class="lead">${arrows(plain(check.summary, 1500))}</p>${tallyBar(check, id)}${sideVerdicts(check)}${todo(check, depth)}${facts(check)}</header>`
}

const TALLY_TONE: Readonly<Record<ColumnVerdict, string>> = {
  broken: 'bad',
  drift: 'bad',
  inconclusive: 'warn',
  negligible: 'mild',
  stable: 'good',
  skipped: 'none',
}

/** How many columns got which verdict: the key says it, the bar shows it. */
function tallyBar(check: ReportedCheck, id: string): Html {
  const entries = tally(check.columns)
  if (entries.length === 0) return html``
  const bar = entries.map(
    ({ verdict, columns }) => html`<i class="${TALLY_TONE[verdict]}" style="flex:${columns}"></i>`,
  )
  const key = entries.map(
    ({ verdict, columns }) =>
      html`<li><span class="${tone(verdict)}">${icon(verdict)}</span><a href="#${id}${anchorOf(verdict)}"><b>${count(columns)}</b> ${verdict}</a></li>`,
  )
  return html`<div class="tally" aria-hidden="true">${bar}</div><ul class="keys" aria-label="Columns by verdict">${key}</ul>`
}

const anchorOf = (verdict: ColumnVerdict): string =>
  verdict === 'drift' || verdict === 'broken' ? 'drift' : verdict === 'inconclusive' ? 'open' : 'rest'

function sideVerdicts({ health, quality }: ReportedCheck): Html {
  const sides = [
    ...(health === undefined ? [] : [html`<li>Service health ${tag(health.verdict)}</li>`]),
    ...(quality === undefined ? [] : [html`<li>Realised quality ${tag(quality.verdict)}</li>`]),
  ]
  return sides.length === 0 ? html`` : html`<ul class="keys" style="margin-top:8px">${sides}</ul>`
}

const todo = (check: ReportedCheck, depth: 0 | 1): Html =>
  html`<section class="card do">${depth === 0 ? raw('<h2>What to do</h2>') : raw('<h3>What to do</h3>')}<p>${advice(check)}</p>${check.next !== undefined && html`<code>${plain(check.next, 2000)}</code>`}</section>`

function facts(check: ReportedCheck): Html {
  const thresholds = new Set(
    check.columns.filter(({ metric }) => metric === check.metric).map((each) => each.threshold),
  )
  const limit = thresholds.size === 1 ? `limit ${limitText([...thresholds][0] ?? 0)}` : 'limits by column'
  return html`<dl class="facts"><div><dt>Checked</dt><dd>${plural(check.current.rows, 'row')}<span class="n">${currentName(check)}</span></dd></div><div><dt>Compared with</dt><dd>${plural(check.reference.rows, 'row')}<span class="n">${plain(check.reference.name)}</span></dd></div><div><dt>Measure</dt><dd>${metricName(check.metric)}<span>${limit}</span></dd></div></dl>`
}

function columns(
  check: ReportedCheck,
  title: (text: Value, anchor?: string) => Html,
  depth: 0 | 1,
  cards: number,
): Html {
  const level = depth === 0 ? 'h3' : 'h4'
  const bad = check.columns.filter(isDrifted)
  // What the model answers is looked at first, whatever became of it.
  const answers = check.columns.filter((column) => column.role === 'prediction' && isQuiet(column))
  const open = check.columns.filter(({ verdict }) => verdict === 'inconclusive')
  const rest = check.columns.filter((column) => isQuiet(column) && !answers.includes(column))
  const part = (name: string, anchor: string, members: readonly ColumnResult[], body: () => Html): Html =>
    members.length === 0
      ? html``
      : html`${title(html`${name} <small>${plural(members.length, 'column')}</small>`, anchor)}${body()}`
  const list = (members: readonly ColumnResult[]): Html =>
    members.length === 0 ? html`` : html`<div class="card list">${columnList(members)}</div>`
  const drawn = (members: readonly ColumnResult[]): Html[] => members.map((column) => columnCard(column, level))
  return html`${part('Shifted', 'drift', bad, () => html`${drawn(bad.slice(0, cards))}${list(bad.slice(cards))}`)}${part('Prediction', 'answer', answers, () => html`${drawn(answers)}`)}${part('Cannot be judged yet', 'open', open, () => list(open))}${part('No drift', 'rest', rest, () => folded(rest))}`
}

const isQuiet = (column: ColumnResult): boolean => !isDrifted(column) && column.verdict !== 'inconclusive'

/** A few are simply shown. */
const FEW = 6

function folded(rest: readonly ColumnResult[]): Html {
  if (rest.length <= FEW) return html`<div class="card list">${columnList(rest)}</div>`
  const names = rest
    .slice(0, 4)
    .map(({ column }) => plain(column, 40))
    .join(', ')
  return html`<details class="card fold"><summary>Show them <span>${names} and ${count(rest.length - 4)} more</span></summary><div>${columnList(rest)}</div></details>`
}
