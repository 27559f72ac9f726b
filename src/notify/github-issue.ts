/**
 * The text of the issue of a model: a marker that names the model, then a part per fingerprint between markers, so that
 * each alert finds and replaces its own. What comes from data or names stands in code blocks, where GitHub makes no
 * mentions, links or markup of it. Pure.
 */
import { cut } from './clean.ts'
import { factsOf, firstOf, headline, MOST_FINDINGS, minute } from './text.ts'
import type { Alert } from './types.ts'

/** "body is too long (maximum is 65536 characters)": the answer of the API. */
const BODY_MAX = 65_536
/** The API refuses a title of more than 256 characters; with two bytes to a character it counts further. */
const TITLE_MAX = 120
/** Ours: parts of all kinds and stages fit into one body. */
const PART_MAX = 8_000
const COMMENT_MAX = 10_000

export const modelMarker = (model: string): string => `<!-- mlops:model ${model} -->`
const begin = (fingerprint: string, state: string): string => `<!-- mlops:fingerprint ${fingerprint} ${state} -->`
const end = (fingerprint: string): string => `<!-- mlops:end ${fingerprint} -->`
const PART = /<!-- mlops:fingerprint ([0-9a-f]{64}) (firing|recovered) -->\n[\s\S]*?\n<!-- mlops:end \1 -->/g

interface Part {
  readonly fingerprint: string
  readonly state: string
  readonly text: string
}

const partsOf = (body: string): Part[] =>
  [...body.matchAll(PART)].map(([text, fingerprint = '', state = '']) => ({ fingerprint, state, text }))

/** How the issue stands about one fingerprint. */
export const partState = (body: string, fingerprint: string): string | undefined =>
  partsOf(body).find((part) => part.fingerprint === fingerprint)?.state

export const isFiring = (body: string): boolean => partsOf(body).some(({ state }) => state === 'firing')

export function issueTitle(model: string, body: string): string {
  const firing = partsOf(body).filter(({ state }) => state === 'firing').length
  const what = firing === 0 ? 'recovered' : firing === 1 ? 'an alert' : `${firing} alerts`
  return cut(`[mlops] ${model}: ${what}`, TITLE_MAX)
}

/** The body with the part of this alert put in; parts that are firing come first, and recovered ones go when it is full. */
export function mergedBody(body: string, alert: Alert): string {
  const mine: Part = { fingerprint: alert.fingerprint, state: alert.state, text: partOf(alert) }
  const parts = [mine, ...partsOf(body).filter(({ fingerprint }) => fingerprint !== alert.fingerprint)]
  parts.sort((a, b) => a.state.localeCompare(b.state))
  const head = `${modelMarker(alert.model)}\nAlerts of \`${alert.model}\`. This text is kept up to date by \`mlops\`; it closes the issue when all is well.`
  const out = [head]
  let length = head.length
  for (const { text } of parts) {
    if (length + text.length + 2 > BODY_MAX) continue
    out.push(text)
    length += text.length + 2
  }
  return out.join('\n\n')
}

export const commentOf = (alert: Alert): string => content(alert, COMMENT_MAX)

const partOf = (alert: Alert): string =>
  [begin(alert.fingerprint, alert.state), content(alert, PART_MAX), end(alert.fingerprint)].join('\n')

function content(alert: Alert, max: number): string {
  const facts = factsOf(alert).map(({ label, value }) => `${label}: ${value}`)
  const heading =
    alert.state === 'recovered'
      ? `### Recovered (${alert.kind}, ${minute(alert.time)})`
      : `### ${capital(alert.kind)}, since ${minute(alert.since)}`
  const findings = firstOf(alert.findings, MOST_FINDINGS).map((finding) => `- ${finding}`)
  const text = [headline(alert), alert.summary, ...findings, '', ...facts].filter((line, at) => line !== '' || at > 1)
  const link =
    alert.url === undefined ? [] : [`[The run of the check](${alert.url.replace(/[()\s<>]/g, encodeURIComponent)})`]
  return [heading, fenced(text.join('\n'), max - 1_500), 'Next:', fenced(alert.next, 500), ...link].join('\n\n')
}

/** A code block that its own content cannot end, and that holds none of our markers. */
function fenced(text: string, max: number): string {
  const safe = cut(text.replaceAll('<!--', '<! --'), max)
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}text\n${safe}\n${fence}`
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)
