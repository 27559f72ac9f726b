/**
 * Takes secrets of known shapes out of text that is about to be recorded: arguments, remotes, patches, environment.
 *
 * Pattern matching cannot find every secret; what a run must never hold (environment variables beyond the allowlist,
 * data, `.env` files) is not recorded in the first place. This is the second line.
 */

export const REDACTED = '[redacted]'

/** Tokens that announce themselves by their prefix, whoever wrote them wherever. */
const TOKENS: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, // AWS access key id
  /\bgh[pousr]_[A-Za-z0-9]{30,}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}\b/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g, // Slack
  /\bhooks\.slack\.com\/services\/[A-Za-z0-9/_-]+/g,
  /\bhf_[A-Za-z0-9]{20,}\b/g, // Hugging Face
  /\bsk-[A-Za-z0-9_-]{20,}/g, // OpenAI, Anthropic, Stripe's older form
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b/g,
  /\bAIza[0-9A-Za-z_-]{30,}/g, // Google
  /\bya29\.[0-9A-Za-z_-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{30,}\b/g,
  /\bpypi-[A-Za-z0-9_-]{30,}/g,
  /\bdapi[0-9a-f]{32}\b/g, // Databricks
  /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g, // JSON web token
]

const SECRET_WORD =
  '(?:pass(?:word|wd|phrase)|secret(?:[-_]?(?:access[-_]?)?key)?|(?:api|access|auth|private|account|encryption)[-_]?key|(?:api|access|auth|bearer|refresh|session|personal)[-_]?token|token|credentials?)'

const PRIVATE_KEY = /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g
const URL_USER = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:'"]*(?::[^\s/@'"]*)?@/gi
const AUTH_HEADER = /\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[^\s"']+/gi
/** `password = "…"`, `API_KEY: '…'` with the value in quotes: in code, an unquoted right side is an expression. */
const QUOTED = new RegExp(
  `((?<![A-Za-z])(?:[A-Za-z0-9]+[_.-])*${SECRET_WORD}["'\\]]*\\s*[:=]\\s*)(["'])(?!\\2)(?:(?!\\2)[^\\n]){3,}\\2`,
  'gi',
)
/** `PASSWORD=…`, `api_key: …` to the end of the line, as in dot-env and YAML files. */
const BARE = new RegExp(
  `^([+ -]?\\s*(?:export\\s+)?(?:[A-Za-z0-9]+[_.-])*${SECRET_WORD}(?:=|:\\s+))(?!["'\\s]|\\[redacted\\])([^\\s()[\\]{},;]{6,})(?=\\s*$)`,
  'gim',
)
const SECRET_FLAG = new RegExp(`^--?(?:[A-Za-z0-9]+[_-])*${SECRET_WORD}$`, 'i')
const SECRET_ASSIGNMENT = new RegExp(`^((?:--?)?(?:[A-Za-z0-9]+[_.-])*${SECRET_WORD}=)(.+)$`, 'is')

/** @returns the text without what looks like a secret, and how many places were changed. */
export function redact(text: string): { readonly text: string; readonly count: number } {
  let count = 0
  const counted =
    (make: (...groups: string[]) => string) =>
    (...match: unknown[]): string => {
      count++
      return make(...(match.slice(1).filter((part) => typeof part === 'string') as string[]))
    }
  let out = text.replace(
    PRIVATE_KEY,
    counted((begin, end) => `${begin}${REDACTED}${end ?? ''}`),
  )
  out = out.replace(
    URL_USER,
    counted((scheme) => `${scheme}`),
  )
  out = out.replace(
    AUTH_HEADER,
    counted((head) => `${head}${REDACTED}`),
  )
  for (const token of TOKENS) {
    out = out.replace(
      token,
      counted(() => REDACTED),
    )
  }
  out = out.replace(QUOTED, (whole, head: string, quote: string) => {
    if (whole.includes(REDACTED)) return whole
    count++
    return `${head}${quote}${REDACTED}${quote}`
  })
  out = out.replace(BARE, (_whole, head: string) => {
    count++
    return `${head}${REDACTED}`
  })
  return { text: out, count }
}

/** An argument list: also the word after `--password`, and the value of `--api-key=…` or `TOKEN=…`. */
export function redactArguments(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const before = words[index - 1]
    if (before !== undefined && SECRET_FLAG.test(before) && !word.startsWith('-')) return REDACTED
    const assignment = SECRET_ASSIGNMENT.exec(word)
    if (assignment !== null) return `${assignment[1]}${REDACTED}`
    return redact(word).text
  })
}
