/**
 * Text on its way to people: free of secrets and control characters, cut between characters and never within one.
 * What a channel does to its own markup is in the file of the channel.
 */
import { REDACTED, redactText } from '../core/redact.ts'
import type { Alert } from './types.ts'

const ELLIPSIS = '…'
// biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the point
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Without control characters, halves of surrogate pairs, and what would turn the direction of writing around. */
export const clean = (text: string): string => wellFormed(text).replace(/\r\n?/g, '\n').replace(CONTROL, '')

/** As `clean`, on one line. */
export const oneLine = (text: string): string =>
  clean(text.replace(/[\r\n\u2028\u2029]+/g, ' '))
    .replace(/\t/g, ' ')
    .trim()

const wellFormed = (text: string): string =>
  text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')

/** At most `max` UTF-16 units; what is cut ends with an ellipsis and never in the middle of a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  return max <= 0 ? '' : `${upTo(text, max - ELLIPSIS.length)}${ELLIPSIS}`
}

/**
 * As `cut`, measured after `toEntity` was applied to each character, so that no entity is cut in two.
 * @param toEntity gets one code point
 */
export function cutEscaped(text: string, max: number, toEntity: (character: string) => string): string {
  let out = ''
  // What is left of `out` when an ellipsis has to follow.
  let safe = ''
  for (const character of text) {
    const next = out + toEntity(character)
    if (next.length > max) return `${safe}${ELLIPSIS}`
    out = next
    if (out.length <= max - ELLIPSIS.length) safe = out
  }
  return out
}

function upTo(text: string, max: number): string {
  const code = text.charCodeAt(max - 1)
  // The first half of a pair must not stay behind alone.
  return text.slice(0, code >= 0xd800 && code <= 0xdbff ? max - 1 : max)
}

/** The alert as it may leave: every text cleaned, and what looks like a secret taken out. */
export function cleanAlert(alert: Alert): Alert {
  const line = (text: string): string => redactText(oneLine(text))
  const url = alert.url === undefined ? undefined : httpUrl(alert.url)
  const { url: _, ...rest } = alert
  return {
    ...rest,
    title: line(alert.title),
    summary: redactText(clean(alert.summary)),
    findings: alert.findings.map(line),
    evidence: alert.evidence.map(({ label, value }) => ({ label: line(label), value: line(value) })),
    next: line(alert.next),
    ...(url === undefined ? {} : { url }),
  }
}

/** The address without user and password; undefined for what no browser should follow. */
function httpUrl(text: string): string | undefined {
  try {
    const url = new URL(oneLine(text))
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
    url.username = ''
    url.password = ''
    return redactText(url.href)
  } catch {
    return undefined
  }
}

/** Takes the given secrets, also as they stand in URLs and in base64, and what looks like one, out of a message. */
export function conceal(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) {
    if (secret.length < 3) continue
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      out = out.split(form).join(REDACTED)
    }
  }
  return redactText(oneLine(out))
}

/** What of an address is not for everybody: itself, its path and query, and the long parts of both. */
export function secretsOfAddress(address: string): string[] {
  if (!URL.canParse(address)) return [address]
  const { pathname, search, searchParams, username, password } = new URL(address)
  const parts = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= 8)
  const whole = [pathname, search].filter((part) => part.length >= 5)
  return [address, ...whole, ...parts, ...[username, password].filter((part) => part !== '').map(decoded)]
}

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
