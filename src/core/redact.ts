/**
 * Takes secrets of known shapes out of text that is about to be recorded: arguments, remotes, patches, environment,
 * parameters, messages. templates/python/mlops/_redact.py has the same rules; a test compares.
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
/** Up to the last `@` before the path: passwords hold `@` and `:`. */
const URL_USER = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?'"<>]*@/gi
/** What grants access in the query of a URL. A value that a program fills in later (`{token}`, `$TOKEN`) stays. */
const URL_QUERY =
  /([?&](?:[a-z0-9]+[-_.])*(?:token|sig|signature|passw(?:or)?d|pwd|secret|credentials?|auth|jwt|(?:api|access|account|private|secret)[-_]?key|(?:access)?keyid)=)(?![{$<]|%[sd(]|\[redacted\])[^&#\s"'<>]+/gi
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
/** `NAME=value`, `name: value` anywhere in a line; whether the name is that of a secret is `isSecretName`'s to say. */
const INLINE =
  /(?<![\w.-])((?:-{1,2})?([A-Za-z_][\w.-]*)["']?(?:\s*=\s*|:\s+))(?!\[redacted\])("[^"\n]+"|'[^'\n]+'|(?![$"'{])[^\s;&,"']+)/g
/** `--password VALUE` and `--password=VALUE` in a line. A value that a program fills in later stays. */
const FLAG =
  /(?<![\w-])(--?([A-Za-z][\w.-]*)(?:[ \t]+|=))(?!\[redacted\])("[^"\n]+"|'[^'\n]+'|(?![-$"'{<%])[^\s;&|,"'`]+)/g
/** Words before `token` that mean a piece of text, or a count of them, as language models have them. */
const TEXT_TOKENS = new Set(
  'pad eos bos unk mask sep cls stop start end special image max min num n new per first last next out in'.split(' '),
)
/** Last words that make it something about a secret, not the secret. */
const ABOUT = new Set(
  'length len count file path dir column col name id env var policy strength type min max'.split(' '),
)
const KEY_OF = new Set('api access auth private account encryption signing secret client'.split(' '))

/** Is this what people call a secret: `password`, `PGPASSWORD`, `api_token`, `awsSecretAccessKey`? `pad_token` is not. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const last = words.at(-1) ?? ''
  const before = words.at(-2) ?? ''
  if (words.length > 1 && ABOUT.has(last)) return false
  if (words.some((word) => /(?:passw(?:or)?d|passphrase)s?\d*$|^(?:pwd|secrets?|credentials?|creds)\d*$/.test(word)))
    return true
  if (words.some((word, at) => /^keys?\d*$/.test(word) && KEY_OF.has(words[at - 1] ?? ''))) return true
  if (/^(?:api|access|auth|private|account|encryption|secret)keys?$/.test(last)) return true
  return /^[a-z]*token$/.test(last) && !TEXT_TOKENS.has(before) && !TEXT_TOKENS.has(last.slice(0, -'token'.length))
}

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
    URL_QUERY,
    counted((head) => `${head}${REDACTED}`),
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
  // In code and in prose about it `--token is` has no value: one that nobody named with "=" or quotes has a digit.
  out = out.replace(FLAG, (whole, head: string, name: string, value: string) => {
    if (!head.startsWith('--') || !/\d/.test(value) || !isSecretName(name)) return whole
    count++
    return `${head}${REDACTED}`
  })
  return { text: out, count }
}

/**
 * Bytes of a patch or another text file: in whatever encoding they are, what is not redacted comes out as it went in.
 * Text that is not UTF-8 is read byte by byte.
 */
export function redactBytes(bytes: Buffer): { readonly bytes: Buffer; readonly count: number } {
  const decoded = bytes.toString('utf8')
  const encoding = Buffer.from(decoded, 'utf8').equals(bytes) ? 'utf8' : 'latin1'
  const { text, count } = redact(encoding === 'utf8' ? decoded : bytes.toString('latin1'))
  return count === 0 ? { bytes, count } : { bytes: Buffer.from(text, encoding), count }
}

/** What a person or a shell wrote: also `PGPASSWORD=…`, `password: …` and `--password …` in the middle of a sentence. */
export function redactText(text: string): string {
  const named = (whole: string, head: string, name: string): string =>
    isSecretName(name) ? `${head}${REDACTED}` : whole
  return redact(text).text.replace(INLINE, named).replace(FLAG, named)
}

/**
 * Parameters of a run or version. A value under the name of a secret is left out whatever it is; numbers of tokens and
 * switches are no secrets.
 * @returns the parameters, and the names of those that were changed
 */
export function redactParams<V extends string | number | boolean | null>(
  params: Readonly<Record<string, V>>,
): { readonly params: Record<string, V | string>; readonly redacted: readonly string[] } {
  const redacted: string[] = []
  const clean = Object.entries(params).map(([key, value]): [string, V | string] => {
    const kept = typeof value === 'boolean' || value === null || value === ''
    const safe = kept ? value : isSecretName(key) ? REDACTED : typeof value === 'string' ? redactText(value) : value
    if (safe !== value) redacted.push(key)
    return [key, safe]
  })
  return { params: Object.fromEntries(clean), redacted }
}

/** The warning for what `redactParams` left out. */
export const saidRedacted = (names: readonly string[]): string =>
  `${names.length === 1 ? 'parameter' : 'parameters'} ${names.join(', ')} ${names.length === 1 ? 'looks' : 'look'} like a secret, so ${REDACTED} is stored`

const USER_FLAG = /^(?:-u|-U|--user|--auth|--proxy-user|--http-user)$/
const USER_AND_PASSWORD = /^([^\s:/\\]+:)(?![\\/])(?!\d+$).+$/s
const isFlag = (word: string | undefined): word is string => word !== undefined && /^--?[A-Za-z][\w.-]*$/.test(word)

/** An argument list: also the word after `--password`, `-u name:…`, and the value of `--api-key=…` or `TOKEN=…`. */
export function redactArguments(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const before = words[index - 1]
    if (isFlag(before) && isSecretName(before) && !word.startsWith('-')) return REDACTED
    const user = before !== undefined && USER_FLAG.test(before) ? USER_AND_PASSWORD.exec(word) : null
    if (user !== null) return `${user[1]}${REDACTED}`
    // The whole word is one assignment, whatever the value holds.
    const [, head, name] = /^((?:--?)?([A-Za-z_][\w.-]*)=)./s.exec(word) ?? []
    if (head !== undefined && name !== undefined && isSecretName(name)) return `${head}${REDACTED}`
    return redactText(word)
  })
}
