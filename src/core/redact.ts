/**
 * Takes secrets of known shapes out of text that is about to be recorded: arguments, remotes, patches, environment,
 * parameters, messages. templates/python/mlops/_redact.py has the same rules; a test compares.
 *
 * Pattern matching cannot find every secret; what a run must never hold (environment variables beyond the allowlist,
 * data, `.env` files) is not recorded in the first place. This is the second line.
 */

import {
  FLAG,
  HEADED,
  INLINE,
  LONG_FLAG,
  NAMED_LITERALS,
  NAMED_WORDS,
  NO_SECRET,
  PRIVATE_KEY,
  PROSE,
  SAID,
  TOKENS,
  URL_USER,
} from './redact-rules.ts'

export const REDACTED = '[redacted]'

/** Words before `token` that mean a piece of text, or a count of them, as language models have them. */
const TEXT_TOKENS = new Set(
  'pad eos bos unk mask sep cls stop start end special image max min num n new per first last next out in'.split(' '),
)
/** Last words that make it something about a secret, not the secret. */
const ABOUT = new Set(
  'length len count file path dir column col name id env var policy strength type min max provider regex pattern prefix suffix format'.split(
    ' ',
  ),
)
const KEY_OF = new Set('api access auth private account encryption signing secret client'.split(' '))

const PASS_OF = new Set(
  'db user smtp mail email ftp root admin ssh mysql pg redis login auth basic proxy http'.split(' '),
)

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
  if (
    words.some((word, at) => word === 'pass' && PASS_OF.has(words[at - 1] ?? '')) ||
    /^(?:db|user|smtp|ftp|root)pass$/.test(last)
  )
    return true
  if (words.some((word, at) => /^keys?\d*$/.test(word) && KEY_OF.has(words[at - 1] ?? ''))) return true
  if (/^(?:api|access|auth|private|account|encryption|secret)keys?$/.test(last)) return true
  return /^[a-z]*token$/.test(last) && !TEXT_TOKENS.has(before) && !TEXT_TOKENS.has(last.slice(0, -'token'.length))
}

const FILLED_IN = /^(?:(?:bearer|basic|token) )?(?:\$?\{+[^{}]*\}+|\$\w+|%(?:\(\w+\))?[sdr]|<[^<>]*>|[\s:/@+-])+$/i
/** `args.token`: an expression rather than a value. */
const EXPRESSION =
  /^(?:self|cls|this|args?|opts?|options|cfg|config|conf|settings|params|kwargs|env|os|process|secrets|hparams|flags)\.[\w.]+$/i

/** Does a value say itself that it is none: `{token}`, `<your key>`, `***`, a type, the name of the field or variable? */
function isNoSecret(name: string, value: string): boolean {
  if (value.includes(REDACTED) || NO_SECRET.has(value.toLowerCase())) return true
  if (FILLED_IN.test(value) || EXPRESSION.test(value) || /^[.*xX\u2022\u2026]+$/.test(value)) return true
  const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '')
  if (/^[A-Za-z_.-]+$/.test(value) && letters(name).includes(letters(value))) return true
  return /^[A-Z]+(?:_[A-Z]+)+$/.test(value) && isSecretName(value)
}

/** What `make` gives in place of a value; where it gives nothing, the value may still have a secret within. */
function replaceValues(text: string, rule: RegExp, make: (name: string, value: string) => string | undefined): string {
  let [out, kept] = ['', 0]
  rule.lastIndex = 0
  for (let found = rule.exec(text); found !== null; found = rule.exec(text)) {
    const [whole, head = '', name = '', value = ''] = found
    const made = make(name, value)
    if (made === undefined) {
      // Long words would be read once for each "=" in them.
      if (value.length < 2000 || /["']$/.test(value)) rule.lastIndex = found.index + head.length
    } else {
      out += text.slice(kept, found.index) + head + made
      kept = found.index + whole.length
    }
  }
  return kept === 0 ? text : out + text.slice(kept)
}

/** @returns the text without what looks like a secret, and how many places were changed. */
export function redact(text: string): { readonly text: string; readonly count: number } {
  let count = 0
  const took = (replacement: string): string => {
    count++
    return replacement
  }
  let out = text
    .replace(PRIVATE_KEY, (_, begin: string, end: string | undefined) => took(`${begin}${REDACTED}${end ?? ''}`))
    .replace(URL_USER, (_, scheme: string) => took(scheme))
    .replace(TOKENS, () => took(REDACTED))
  for (const rule of NAMED_LITERALS) {
    out = replaceValues(out, rule, (name, literal) => {
      const [, opening = '', quote = '', value = ''] = /^(\w{0,2}("""|'''|\\?["']))([\s\S]*)\2$/.exec(literal) ?? []
      return isSecretName(name) && !isNoSecret(name, value) ? took(`${opening}${REDACTED}${quote}`) : undefined
    })
  }
  for (const rule of HEADED) out = out.replace(rule, (_, head: string) => took(`${head}${REDACTED}`))
  for (const rule of NAMED_WORDS) {
    out = replaceValues(out, rule, (name, value) =>
      isSecretName(name) && !isNoSecret(name, value) ? took(REDACTED) : undefined,
    )
  }
  // In code and in prose about it `--token is` has no value: one that nobody named with "=" or quotes has a digit.
  out = replaceValues(out, LONG_FLAG, (name, value) =>
    /\d/.test(value) && isSecretName(name) ? took(REDACTED) : undefined,
  )
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
  const named = (name: string): string | undefined => (isSecretName(name) ? REDACTED : undefined)
  const said = (noun: string, value: string): string | undefined => {
    const word = value.replace(/[.!?)]+$/, '').toLowerCase()
    const isProse = NO_SECRET.has(word) || PROSE.has(word) || /^[a-z]+(?:ed|ing)$/.test(word)
    return !isProse && (/\d/.test(word) || /^p/i.test(noun)) ? REDACTED : undefined
  }
  const clean = replaceValues(replaceValues(redact(text).text, INLINE, named), FLAG, named)
  return replaceValues(clean, SAID, said)
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
/** Programs with a flag of their own for the password, which is the next word, or stands in the same. */
const PASSWORD_FLAGS: readonly (readonly [program: RegExp, flag: string, isNext: boolean])[] = [
  [/^(?:.*[/\\])?sshpass$/, '-p', true],
  [/^(?:.*[/\\])?redis-cli$/, '-a', true],
  [/^(?:.*[/\\])?(?:mysql|mysqldump|mysqladmin|mariadb)$/, '-p', false],
]
const isFlag = (word: string | undefined): word is string => word !== undefined && /^--?[A-Za-z][\w.-]*$/.test(word)

/** An argument list: also the word after `--password`, `-u name:…`, and the value of `--api-key=…` or `TOKEN=…`. */
export function redactArguments(words: readonly string[]): string[] {
  const program = words.findIndex((word) => PASSWORD_FLAGS.some(([name]) => name.test(word)))
  const [, flag, isNext] = PASSWORD_FLAGS.find(([name]) => name.test(words[program] ?? '')) ?? []
  return words.map((word, index) => {
    const before = words[index - 1]
    if (flag !== undefined && index > program) {
      if (isNext === true && before === flag && words.indexOf(flag, program) === index - 1) return REDACTED
      if (isNext === false && word.startsWith(flag) && word !== flag) return `${flag}${REDACTED}`
    }
    if (isFlag(before) && isSecretName(before) && !word.startsWith('-')) return REDACTED
    const user = before !== undefined && USER_FLAG.test(before) ? USER_AND_PASSWORD.exec(word) : null
    if (user !== null) return `${user[1]}${REDACTED}`
    // The whole word is one assignment, whatever the value holds.
    const [, head, name] = /^((?:--?)?([A-Za-z_][\w.-]*)=)./s.exec(word) ?? []
    if (head !== undefined && name !== undefined && isSecretName(name)) return `${head}${REDACTED}`
    return redactText(word)
  })
}
