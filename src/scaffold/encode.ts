/**
 * A value, written so that it stays a value in the language of the file it goes into. Names of models, features and
 * categories come from data, and may hold quotes, line breaks, `${{`, `{%` or a whole statement: none may become code.
 * A language that cannot write a value refuses it. Which template wants what is not decided here.
 */

export type Encoder = (value: unknown) => string

/** A value that the language of the file cannot hold, or that a template took for something it is not. */
export class NotEncodable extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'NotEncodable'
  }
}

/**
 * What no file shows as it is: control and format characters (right-to-left overrides, zero-width ones), private use,
 * line and paragraph separators, odd blanks. Languages disagree on which of them end a line.
 */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu

/** By the name of the generated file. Unknown names take plain words alone. */
export function encoderFor(path: string): Encoder {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const extension = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : ''
  if (/^(?:docker|compose|docker-compose)[^/]*\.ya?ml$/.test(name)) return composeValue
  if (/^(?:dockerfile|containerfile)(?:\.|$)/.test(name) || extension === 'dockerfile') return dockerWord
  if (/(?:^|\/)\.github\//.test(path) && /^ya?ml$/.test(extension)) return actionsValue
  if (/^crontab/.test(name) || extension === 'cron') return cronWord
  return BY_EXTENSION[extension] ?? plainWord
}

/** As Python writes it; text in double quotes, always one line. */
export function pythonLiteral(value: unknown): string {
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'number') return Number.isFinite(value) ? numeral(value) : `float("${pythonName(value)}")`
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quoted(value, 'python')
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  return `{${membersOf(value)
    .map(([key, each]) => `${quoted(key, 'python')}: ${pythonLiteral(each)}`)
    .join(', ')}}`
}

/** JSON on one line, readable as a YAML flow value, a TOML string and a JavaScript literal too. */
export const jsonValue = (value: unknown): string => flow(value, 'json')

/** A YAML flow value: text is always quoted, so that `no`, `1e3`, `&a`, `*b` and `!!python` are text. */
export const yamlValue = (value: unknown): string => flow(value, 'yaml')

/** Of a workflow: GitHub replaces expressions inside quoted text too, so an opening one is written as an expression. */
export const actionsValue = (value: unknown): string =>
  flow(
    mapText(value, (text) => literalExpression(text)),
    'yaml',
  )

/** Of a compose file, where `$NAME` inside a value is replaced. */
export const composeValue = (value: unknown): string =>
  flow(
    mapText(value, (text) => text.replaceAll('$', '$$$$')),
    'yaml',
  )

const tomlValue = (value: unknown): string => {
  if (value === null || (typeof value === 'object' && !Array.isArray(value)))
    throw new NotEncodable('TOML has no form for it')
  return flow(value, 'yaml')
}

/** One word for a POSIX shell, in single quotes. */
export function shellQuoted(value: unknown): string {
  const text = scalarText(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no argument of a process can hold it
  if (/\u0000/.test(text)) throw new NotEncodable('a shell word cannot hold a NUL')
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** A shell word on a line of a crontab, where `%` ends the command and a line break ends the entry. */
const cronWord: Encoder = (value) => {
  if (/[\r\n]/.test(scalarText(value))) throw new NotEncodable('a line of a crontab cannot hold a line break')
  return shellQuoted(value).replaceAll('%', '\\%')
}

/**
 * A word of a Dockerfile instruction in double quotes. There is no escape for what ends a line; a blank stands for it,
 * as labels are for people.
 */
const dockerWord: Encoder = (value) =>
  `"${scalarText(value)
    .replace(HIDDEN, ' ')
    .replace(/["\\$]/g, (char) => `\\${char}`)}"`

/** Text of one line that Markdown, HTML and page generators (`{{`, `{%`) leave as it is. */
export const markdownText: Encoder = (value) =>
  scalarText(value)
    .replace(HIDDEN, ' ')
    .trim()
    .replace(/[!-/:-@[-`{-~]/g, (char) => (SAFE_IN_PROSE.has(char) ? char : char === '<' ? '&lt;' : `\\${char}`))
/** No beginning of anything in the middle of a line of prose. */
const SAFE_IN_PROSE = new Set([',', '.', ';', '/', '-', '@', '?', ':', '='])

/** Settings files without a common quoting rule (`.env`, `.ini`, lists of names): what is one plain word, or nothing. */
const plainWord: Encoder = (value) => {
  const text = scalarText(value)
  if (/^[\p{L}\p{N}_.,:@+=/~ -]*$/u.test(text) && text === text.trim() && !HIDDEN_ONCE.test(text)) return text
  throw new NotEncodable(
    `${JSON.stringify(text)} cannot be written there: only letters, digits and _ . , : @ + = / ~ -`,
  )
}
const HIDDEN_ONCE = new RegExp(HIDDEN.source, 'u')

const BY_EXTENSION: Readonly<Record<string, Encoder>> = {
  py: pythonLiteral,
  json: jsonValue,
  yml: yamlValue,
  yaml: yamlValue,
  toml: tomlValue,
  sh: shellQuoted,
  md: markdownText,
}

/** `${{` becomes an expression whose value is `${{`. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is GitHub's
const literalExpression = (text: string): string => text.replaceAll('${{', "${{ '${{' }}")

function flow(value: unknown, language: 'json' | 'yaml'): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return numeral(value)
    throw new NotEncodable(`${value} has no form there`)
  }
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return quoted(value, language)
  if (Array.isArray(value)) return `[${value.map((each) => flow(each, language)).join(', ')}]`
  const members = membersOf(value).map(([key, each]) => `${quoted(key, language)}: ${flow(each, language)}`)
  return `{${members.join(', ')}}`
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** In double quotes on one line. YAML and Python write what is beyond the first plane as one escape, JSON as two. */
function quoted(text: string, language: 'json' | 'yaml' | 'python'): string {
  if (!text.isWellFormed()) throw new NotEncodable('text with half of a character cannot be written')
  const escaped = text
    .replace(/["\\]/g, (char) => `\\${char}`)
    .replace(HIDDEN, (char) => {
      const code = char.codePointAt(0) ?? 0
      if (code > 0xffff && language !== 'json') return `\\U${hex(code, 8)}`
      return SHORT[char] ?? [...unitsOf(char)].map((unit) => `\\u${hex(unit, 4)}`).join('')
    })
  return `"${escaped}"`
}

/** JSON that was written by somebody else, on as many lines as it has: what is hidden in its strings becomes an escape. */
export const escapeHidden = (json: string): string =>
  json.replace(HIDDEN, (char) =>
    char === '\n'
      ? char
      : unitsOf(char)
          .map((unit) => `\\u${hex(unit, 4)}`)
          .join(''),
  )

const unitsOf = (char: string): number[] => Array.from({ length: char.length }, (_, index) => char.charCodeAt(index))
const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
const numeral = (value: number): string => (Object.is(value, -0) ? '-0.0' : String(value))
const pythonName = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf')

/** Text, number or truth value as text. @throws NotEncodable for anything else: a template that names nothing */
export function scalarText(value: unknown): string {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value
    throw new NotEncodable('text with half of a character cannot be written')
  }
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return numeral(value)
  throw new NotEncodable(`${value === undefined ? 'a value that nobody gave' : 'this value'} cannot be written as text`)
}

function membersOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) throw new NotEncodable(`a value that nobody gave (${typeof value})`)
  return Object.entries(value).filter(([, each]) => each !== undefined)
}

function mapText(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((each) => mapText(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [change(key), mapText(each, change)]))
}

/** What a line of text may hold as a comment: nothing that ends the line, begins an expression or names an encoding. */
export const commentText = (value: unknown): string =>
  scalarText(value)
    .replace(HIDDEN, ' ')
    .replace(/([$%{])(?=[{%#])/g, '$1 ')
    .replace(/coding(?=[:=])/gi, '$& ')
    .trim()
