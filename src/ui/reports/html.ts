/**
 * A check as one self-contained HTML file: no script, nothing loaded, both themes, a phone, paper. The parts of the page
 * are in `html/`; text of users goes through its `html` template only.
 */
import { checkBody } from './html/check.ts'
import { type Html, html } from './html/escape.ts'
import { tag } from './html/mark.ts'
import { page } from './html/page.ts'
import { howToRead } from './html/sections.ts'
import { asList, type Reported, type ReportedCheck } from './types.ts'
import { checkName, HEADLINE, plural } from './words.ts'

/** Columns drawn large on one page: with more, the page would be slow and nobody would read them. */
const CARDS = 40

export function renderHtmlReport(reported: Reported): string {
  const checks = asList(reported)
  const [only] = checks
  if (checks.length === 1 && only !== undefined) {
    const body = html`${checkBody(only, { depth: 0, id: '', cards: CARDS })}${reading}`
    return page(`${HEADLINE[only.verdict]}: ${checkName(only)}`, body)
  }
  const cards = Math.max(3, Math.floor(CARDS / Math.max(1, checks.length)))
  const bodies = checks.map(
    (check, at) => html`<section class="one">${checkBody(check, { depth: 1, id: `m${at + 1}-`, cards })}</section>`,
  )
  return page(fleetTitle(checks), html`${index(checks)}${bodies}${reading}`)
}

const reading = html`<div style="margin-top:44px">${howToRead}</div>`

function fleetTitle(checks: readonly ReportedCheck[]): string {
  const drifted = checks.filter(({ verdict }) => verdict === 'drift').length
  return drifted === 0
    ? `No drift in ${plural(checks.length, 'check')}`
    : `Drift in ${drifted} of ${plural(checks.length, 'check')}`
}

const index = (checks: readonly ReportedCheck[]): Html =>
  html`<header><h1 class="verdict">${fleetTitle(checks)}</h1><div class="card sec"><table class="rows"><thead><tr><th scope="col">Version</th><th scope="col">Verdict</th></tr></thead><tbody>${checks.map((check, at) => html`<tr><th scope="row"><a href="#m${at + 1}-top">${checkName(check)}</a></th><td>${tag(check.verdict)}</td></tr>`)}</tbody></table></div></header>`
