/** One column: as a card when it needs a look, as a row of a list when it does not. */
import type { ColumnResult } from '../../../drift/types.ts'
import { arrows, figure, limitText, metricName, plain, whatChanged } from '../words.ts'
import { bullet, bulletLegend, groupTable, miniHistogram } from './drawings.ts'
import { type Html, html } from './escape.ts'
import { tag } from './mark.ts'

/** @param heading `h3`, or one lower where several checks share the page */
export function columnCard(column: ColumnResult, heading: 'h3' | 'h4'): Html {
  const [summary, ...more] = whatChanged(column)
  const title = html`<span class="n">${plain(column.column, 120)}</span>`
  const name = heading === 'h3' ? html`<h3>${title}</h3>` : html`<h4>${title}</h4>`
  return html`<article class="card col"><div class="top">${name}<span class="kind">${kindOf(column)}</span>${tag(column.verdict)}</div><p class="say">${summary}</p>${column.groups.length === 0 ? html`<div class="ev">${causes(column, more)}</div>` : html`<div class="two"><div>${groupTable(column.groups)}</div><div class="ev">${bullet(column, 26)}${bulletLegend(column)}${causes(column, more)}${measures(column)}</div></div>`}</article>`
}

function kindOf({ type, role, importance }: ColumnResult): string {
  const weight = importance === undefined ? [] : [`importance ${figure(importance)}`]
  return [...(role === 'feature' ? [] : [role]), type, ...weight].join(', ')
}

function causes(column: ColumnResult, more: readonly string[]): Html {
  const informs = column.informs.map((text) => arrows(plain(text)))
  if (more.length + informs.length === 0) return html``
  return html`<ul>${more.map((text) => html`<li>${text}</li>`)}${informs.map((text) => html`<li class="soft">${text} (seen, without proof)</li>`)}</ul>`
}

const SHOWN_MEASURES = ['psi', 'js', 'ks_lower', 'ks_upper', 'wasserstein', 'linf', 'chi2']

function measures(column: ColumnResult): Html {
  const known = SHOWN_MEASURES.flatMap((name) => {
    const value = column.measures[name]
    return value === null || value === undefined ? [] : [[metricName(name), figure(value)] as const]
  })
  const p = column.pAdjusted === null ? [] : [['p, adjusted', figure(column.pAdjusted)] as const]
  if (known.length === 0) return html``
  return html`<details class="more"><summary>All measures</summary><dl>${[...known, ...p].map(([name, value]) => html`<dt class="soft">${name}</dt><dd>${value}</dd>`)}</dl></details>`
}

/** Columns that need no picture of their own. */
export function columnList(columns: readonly ColumnResult[]): Html {
  const metrics = new Set(columns.map(({ metric }) => metric))
  const [only] = metrics
  const effect = metrics.size === 1 && only !== undefined ? metricName(only) : 'Effect'
  return html`<table class="rows"><thead><tr><th scope="col">Column</th><th scope="col" class="mini">Before, after</th><th scope="col" class="eff">${effect}</th><th scope="col" class="is"><span>Verdict</span></th></tr></thead><tbody>${columns.map((column) => columnRow(column))}</tbody></table>`
}

function columnRow(column: ColumnResult): Html {
  const role = column.role === 'feature' ? '' : ` (${column.role})`
  const limit = column.effect === null ? '' : html`<span class="lim"> of ${limitText(column.threshold)}</span>`
  return html`<tr><th scope="row"><b class="n">${plain(column.column, 80)}</b>${role}<span>${whatChanged(column).join('; ')}</span></th><td class="mini">${miniHistogram(column.groups)}</td><td class="eff">${figure(column.effect)}${limit}${bullet(column, 14)}</td><td class="is">${tag(column.verdict)}</td></tr>`
}
