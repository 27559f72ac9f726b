/** An alert as plain text, for mail and for a terminal, and the words that several channels share. */
import { createHash } from 'node:crypto'
import type { Alert } from './types.ts'

/** Before the title: what kind of message it is. A test must never be taken for trouble. */
const prefixOf = ({ kind, state }: Pick<Alert, 'kind' | 'state'>): string =>
  kind === 'test' ? 'TEST: ' : state === 'recovered' ? 'Recovered: ' : ''

export const headline = (alert: Alert): string => `${prefixOf(alert)}${alert.title}`

/** The same message, however often it is tried, has the same name; another one has another. 32 hex digits. */
export const messageId = ({ fingerprint, state, time, since }: Alert): string =>
  createHash('sha256').update([fingerprint, state, time, since].join('\n')).digest('hex').slice(0, 32)

/** Label and value of what a person wants to know besides, in the order in which it is shown. */
export function factsOf(alert: Alert): readonly { readonly label: string; readonly value: string }[] {
  const { model, version, stage, since, time, evidence } = alert
  return [
    ...(version > 0 ? [{ label: 'version', value: `${model}@${version}${stage === null ? '' : ` in ${stage}`}` }] : []),
    { label: 'since', value: minute(since) },
    { label: 'checked', value: minute(time) },
    ...evidence,
  ]
}

/** `2026-06-01 12:30 UTC`. */
export const minute = (time: string): string => time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC')

/** Of a text that may be long: the first ones whole, then how many are left out. */
export function firstOf(items: readonly string[], most: number): readonly string[] {
  return items.length <= most ? items : [...items.slice(0, most), `and ${items.length - most} more`]
}

/** Findings that a message shows; the rest is in the report. */
export const MOST_FINDINGS = 25

export function plainText(alert: Alert): string {
  const facts = factsOf(alert)
  const width = Math.max(...facts.map(({ label }) => label.length))
  const findings = firstOf(alert.findings, MOST_FINDINGS).map((finding) => `- ${finding}`)
  return [
    headline(alert),
    alert.summary,
    findings.join('\n'),
    facts.map(({ label, value }) => `${label.padEnd(width)}  ${value}`).join('\n'),
    `Next: ${alert.next}`,
    alert.url ?? '',
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}
