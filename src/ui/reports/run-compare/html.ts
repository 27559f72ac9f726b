/** A comparison of runs as one self-contained page. Text of users goes through the `html` template only. */
import type { CodeDiff } from '../../../tracking/compare/code-diff.ts'
import type { RunComparison } from '../../../tracking/compare/compare.ts'
import { duration } from '../../time.ts'
import { type Html, html } from '../html/escape.ts'
import { page } from '../html/page.ts'
import { moment, plain, plural } from '../words.ts'
import { overlay, SERIES_CSS, swatch } from './chart.ts'
import { differing, nothingDiffers, SEED_DRAWN, sectionsOf, seedIsDrawn } from './sections.ts'
import type { Cell, ComparisonShown, Line, Section, SectionRow } from './types.ts'

/** Lines of each diff: with more the page would be slow, and nobody would read them. */
const LINES = 5000
/** Charts that stand open. */
const CHARTS = 30

const CSS = `${SERIES_CSS}
.cmp{overflow-x:auto}.cmp table{table-layout:fixed}.cmp code{white-space:nowrap}
.cmp .rows td,.cmp .rows th{padding:7px 0;vertical-align:top}
.cmp .rows td+td,.cmp .rows th+td,.cmp .rows th+th{padding-left:20px}
.cmp td{font-variant-numeric:tabular-nums}.cmp .good,.cmp ins{font-weight:650}
.cmp .rows th.in{padding-left:16px;color:var(--soft)}
.sec.cmp thead th:first-child{width:24%}.runs table{table-layout:auto;min-width:860px}.sec.runs thead th:first-child{width:auto}
@media (max-width:600px){.best th:last-child,.best td:last-child{position:sticky;right:0;background:var(--card);padding-right:6px}}
.charts.few{grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}
.lns{padding:8px 0 10px}.lns li{padding:3px 0;white-space:pre-wrap}.lns b{display:inline-block;min-width:1.4em}
.lns ins,.lns del{text-decoration:none;border-radius:3px;padding:0 3px}.lns ins{background:var(--good-bg);color:var(--good)}.lns del{background:var(--bad-bg);color:var(--bad)}
.diff{margin:0;padding:6px 0;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:normal}
.diff span{display:block;white-space:pre}.diff .p{color:var(--good);background:var(--good-bg)}.diff .m{color:var(--bad);background:var(--bad-bg)}.diff .h{font-weight:650;margin-top:10px}.diff .k{color:var(--soft)}
`.replaceAll('\n', '')

export function renderHtmlComparison({ comparison, diffs }: ComparisonShown, all: boolean): string {
  const sections = sectionsOf(comparison, { all })
  const title = `Comparison of ${comparison.runs.map(({ run, version }) => version ?? run).join(', ')}`
  const body = sections.map(
    (each) => html`${sectionBody(each, comparison)}${each.title === 'Metrics' && charts(comparison, all)}`,
  )
  const first = sections.some((each) => each.title === 'Metrics') ? html`` : charts(comparison, all)
  const code = (diffs ?? []).map(diffBody)
  return page(plain(title), html`${head(comparison)}${first}${body}${code}`, CSS)
}

function head(comparison: RunComparison): Html {
  const { runs, same, unknown, remarks } = comparison
  const rows = runs.map(
    ({ label, run, version, model, status, started, duration: took, by }, at) =>
      html`<tr><th scope="row">${swatch(at)} <b>${label}</b></th><td><code>${run}</code></td><td class="n">${plain(version ?? model ?? '–')}</td><td>${status}</td><td>${moment(started)}</td><td class="n">${plain(by)}</td><td class="r">${took === null ? '–' : duration(took)}</td></tr>`,
  )
  const titles = differing(comparison)
  const nothing = titles.length === 0 ? nothingDiffers(comparison) : `${titles.join(', ').toLowerCase()} differ.`
  return html`<header><h1 class="verdict">${plural(runs.length, 'run')}, side by side</h1><p class="lead">${nothing.charAt(0).toUpperCase()}${nothing.slice(1)}</p>${same.length > 0 && html`<p class="soft">Same: ${plain(same.join(', '), 2000)}.</p>`}${seedIsDrawn(comparison) && html`<p class="soft">S${SEED_DRAWN.slice(1)}.</p>`}${unknown.map((text) => html`<p class="warn">Not known: ${plain(text)}</p>`)}${remarks.map((text) => html`<p class="warn">${plain(text)}</p>`)}</header><h2>Runs</h2><div class="card sec cmp runs"><table class="rows"><thead><tr><th scope="col"></th><th scope="col">Run</th><th scope="col">Model</th><th scope="col">Status</th><th scope="col">Started</th><th scope="col">By</th><th scope="col" class="r">Took</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function sectionBody({ title, extra, rows, lines, more }: Section, { runs }: RunComparison): Html {
  const heads = [...runs.map(({ label }) => label), ...extra]
  const table =
    rows.length > 0 &&
    html`<table class="rows${title === 'Metrics' ? ' best' : ''}" style="min-width:${7 * (heads.length + 2)}em"><thead><tr><th scope="col"><span class="hide">name</span></th>${heads.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows.map(rowBody)}</tbody></table>`
  const under =
    lines.length > 0 && html`<ul class="lns mono">${lines.map((line) => html`<li>${lineBody(line, title)}</li>`)}</ul>`
  const note = title === 'Metrics' ? html` <small>↑ higher is better, ↓ lower; bold: the better one</small>` : html``
  return html`<h2>${title}${note}</h2><div class="card sec cmp">${table}${under}${more > 0 && html`<p class="soft">${more} more rows: --all</p>`}</div>`
}

function rowBody({ name, better, cells }: SectionRow): Html {
  const arrow = better == null ? '' : better === 'higher' ? ' ↑' : ' ↓'
  const isPart = name.startsWith(' ')
  return html`<tr><th scope="row"${isPart ? IN : ''}>${isPart ? plain(name.trim()) : html`<b class="n">${plain(name)}</b>`}<span class="hide">${better == null ? '' : ` (${better} is better)`}</span>${arrow}</th>${cells.map(cellBody)}</tr>`
}

const IN = html` class="in"`

const cellBody = ({ text, tone }: Cell): Html =>
  html`<td${tone === undefined ? '' : html` class="${tone}"`}><span class="n">${plain(text)}</span></td>`

function lineBody([label, ...pieces]: Line, title: string): Html {
  const words = pieces.map(({ text, tone }, at) => {
    const blank = at === 0 ? '' : ' '
    if (title === 'Command' && tone === 'bad') return html`${blank}<del>${plain(text, 2000)}</del>`
    if (title === 'Command' && tone === 'good') return html`${blank}<ins>${plain(text, 2000)}</ins>`
    return html`${blank}<span class="${tone ?? ''}">${plain(text, 2000)}</span>`
  })
  return html`<b>${label?.text.trim()}</b>${label !== undefined && label.text.trim().length > 1 ? ' ' : ''}${words}`
}

function charts({ series, runs }: RunComparison, all: boolean): Html {
  const rows = series.filter(({ same }) => all || !same)
  if (rows.length === 0) return html``
  const box = (row: (typeof rows)[number]): Html =>
    html`<article class="card chartbox"><h3 class="n">${plain(row.name, 80)}</h3>${overlay(
      row,
      runs.map(({ label }) => label),
    )}</article>`
  const rest = rows.slice(CHARTS)
  return html`<h2>Over time</h2><div class="charts few">${rows.slice(0, CHARTS).map(box)}</div>${rest.length > 0 && html`<details class="card fold"><summary>${plural(rest.length, 'more chart')}</summary><div class="charts">${rest.map(box)}</div></details>`}`
}

function diffBody({ from, to, text, notes, left }: CodeDiff): Html {
  const said =
    notes.length > 0 &&
    html`<ul class="card sec notes">${notes.map((note) => html`<li>${plain(note, 1000)}</li>`)}</ul>`
  const same = text === '' && html`<p class="soft">The code is the same, line by line.</p>`
  const real = text !== null && text !== '' && fold('Line by line', text)
  return html`<h2>Code, ${from} → ${to}</h2>${said}${same}${real}${left.map((each) => fold(`Recorded in ${each.run} for ${each.path}`, each.text))}`
}

function fold(title: string, text: string): Html {
  const lines = text.replace(/\n$/, '').split('\n')
  const kinds: readonly (readonly [RegExp, string])[] = [
    [/^diff --git /, 'h'],
    [/^(?:index |--- |\+\+\+ |new file|deleted file|similarity|rename |@@)/, 'k'],
    [/^\+/, 'p'],
    [/^-/, 'm'],
  ]
  const kindOf = (line: string): string => kinds.find(([pattern]) => pattern.test(line))?.[1] ?? ''
  const rows = lines
    .slice(0, LINES)
    .map((line) => html`<span class="${kindOf(line)}">${plain(line.replaceAll('\t', '    ') || ' ', 2000)}</span>`)
  const more = lines.length > LINES && html`<p class="soft">${plural(lines.length - LINES, 'more line')}.</p>`
  return html`<details class="card fold" open><summary><span class="n">${plain(title)}</span></summary><div><pre class="diff">${rows}</pre>${more}</div></details>`
}
