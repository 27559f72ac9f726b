/**
 * The drawings of a column, from figures alone. A wide pale bar is before, a thin dark one after, everywhere; a hatched
 * stretch is what chance alone may show, an upright line the limit.
 */
import type { ColumnResult } from '../../../drift/types.ts'
import { figure, isDrifted, limitText, metricName, plain, share } from '../words.ts'
import { type Html, html, raw } from './escape.ts'

type Groups = ColumnResult['groups']

/** The distribution as a table: names and shares are text, the bars only show them. */
export function groupTable(groups: Groups): Html {
  const most = Math.max(...groups.flatMap(({ before, after }) => [before, after]), Number.MIN_VALUE)
  const change = ({ before, after }: Groups[number]): number => Math.abs(after - before)
  const largest = Math.max(...groups.map(change))
  return html`<table class="groups"><thead><tr><th scope="col"><span class="hide">group</span></th><th></th><th scope="col" class="r">${SWATCH_BEFORE}before</th><th scope="col" class="r">${SWATCH_AFTER}after</th></tr></thead><tbody>${groups.map(
    (group) =>
      html`<tr${largest > 0 && change(group) === largest ? raw(' class="most"') : ''}>${groupName(group)}</th><td><svg aria-hidden="true"><rect class="b" y="1" height="14" width="${part(group.before, most)}%"/><rect class="a" y="5.5" height="5" width="${part(group.after, most)}%"/></svg></td><td class="r">${share(group.before)}</td><td class="r">${share(group.after)}</td></tr>`,
  )}</tbody></table>`
}

/** What is no value of the column stands in brackets and slanted: a category may be called `missing` itself. */
const groupName = ({ label, kind }: Groups[number]): Html =>
  isValue(kind)
    ? html`<th scope="row" class="n">${plain(label, 48)}`
    : html`<th scope="row" class="n x">(${plain(label, 46)})`

const isValue = (kind: Groups[number]['kind']): boolean =>
  kind === undefined || kind === 'range' || kind === 'value' || kind === 'category'

const SWATCH_BEFORE = raw('<svg class="sw" aria-hidden="true"><rect class="b" width="14" height="12" y="0"/></svg>')
const SWATCH_AFTER = raw('<svg class="sw" aria-hidden="true"><rect class="a" width="14" height="5" y="3.5"/></svg>')

/** The same small, for a row of a list. Square units: 10 wide per group, 26 high. */
export function miniHistogram(groups: Groups): Html | undefined {
  if (groups.length === 0) return undefined
  const most = Math.max(...groups.flatMap(({ before, after }) => [before, after]), Number.MIN_VALUE)
  const bars = (value: (group: Groups[number]) => number, inset: number): string =>
    groups
      .map((group, at) => {
        const top = 26 - Math.max(value(group) > 0 ? 1 : 0, Math.round((26 * value(group)) / most))
        return `M${10 * at + inset} 26V${top}h${10 - 2 * inset}V26z`
      })
      .join('')
  const [from, to] = [groups.map(({ before }) => share(before)), groups.map(({ after }) => share(after))]
  const words = groups.length > 4 ? `${groups.length} groups` : `before ${from.join(', ')}; after ${to.join(', ')}`
  return html`<svg viewBox="0 0 ${10 * groups.length} 26" preserveAspectRatio="none" role="img" aria-label="Distribution, ${words}"><path class="b" d="${bars(({ before }) => before, 0.5)}"/><path class="a" d="${bars(({ after }) => after, 3)}"/></svg>`
}

/** Effect against limit and noise, on one scale from zero. Undefined where nothing was measured. */
export function bullet(column: ColumnResult, height: number): Html | undefined {
  const { effect, threshold, noise } = column
  if (typeof effect !== 'number' || !Number.isFinite(effect)) return undefined
  const bound = typeof noise === 'number' && Number.isFinite(noise) ? noise : 0
  const most = Math.max(effect, threshold, bound) * 1.06
  const [middle, thick] = [height / 2, height > 20 ? 9 : 6]
  const limit = part(threshold, most)
  return html`<svg class="bul" role="img" aria-label="${effectWords(column)}"><rect class="t" width="100%" y="${middle - thick}" height="${2 * thick}" rx="2"/><rect class="z" width="${part(bound, most)}%" y="${middle - thick}" height="${2 * thick}"/><rect class="e${isDrifted(column) ? '' : ' ok'}" width="${part(Math.max(effect, 0), most)}%" y="${middle - thick / 2}" height="${thick}" rx="1"/><line class="l" x1="${limit}%" x2="${limit}%" y1="0" y2="${height}"/></svg>`
}

const effectWords = ({ metric, effect, threshold, noise }: ColumnResult): string =>
  `${metricName(metric)} ${figure(effect)}; limit ${limitText(threshold)}; noise up to ${figure(noise)}`

const KEY_EFFECT = raw('<svg aria-hidden="true"><rect width="12" height="6" y="3" rx="1" fill="currentColor"/></svg>')
const KEY_LIMIT = raw('<svg aria-hidden="true"><path d="M6 0v12" stroke="currentColor" stroke-width="2.5"/></svg>')
const KEY_NOISE = raw('<svg aria-hidden="true"><rect width="12" height="12" fill="url(#hatch)"/></svg>')

/** What the bullet shows, in figures. */
export const bulletLegend = (column: ColumnResult): Html =>
  html`<dl class="legend"><div><span class="${isDrifted(column) ? 'bad' : 'after'}">${KEY_EFFECT}</span><dt>${metricName(column.metric)}</dt><dd>${figure(column.effect)}</dd></div><div>${KEY_LIMIT}<dt>limit</dt><dd>${limitText(column.threshold)}</dd></div><div>${KEY_NOISE}<dt>noise up to</dt><dd>${figure(column.noise)}</dd></div></dl>`

/** A percentage with one decimal at most. */
const part = (value: number, whole: number): number => Math.round((1000 * value) / whole) / 10
