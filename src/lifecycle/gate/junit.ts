/**
 * Counts the tests of a JUnit file: how many, how many failed, when. Only elements and attributes are looked at: no
 * entity is expanded, nothing outside of the text is read, and a document type is refused, so a hostile report can
 * neither reach out nor grow. Pure; which file is read, and what the counts mean, is in `external.ts`.
 */

export interface JunitCounts {
  readonly tests: number
  /** `<failure>` and `<error>`: test cases that hold one, or suites that could not be set up. */
  readonly failed: number
  readonly skipped: number
  /** Names of the first that failed. */
  readonly names: readonly string[]
  /** The oldest `timestamp` that says its time zone, in milliseconds; null without one. */
  readonly written: number | null
}

/** Why the text is no JUnit report. */
export interface JunitProblem {
  readonly problem: string
}

const NAMED = 3

export function readJunit(text: string): JunitCounts | JunitProblem {
  const counts = { tests: 0, failed: 0, skipped: 0, names: [] as string[], written: null as number | null }
  const open: Open[] = []
  let roots = 0
  for (const token of tokensOf(text)) {
    if ('problem' in token) return token
    if (token.kind === 'close') {
      const closed = open.pop()
      if (closed?.name !== token.name) return { problem: `</${token.name.slice(0, 40)}> closes nothing` }
      const wrong = contradiction(closed, counts.failed)
      if (wrong !== undefined) return { problem: wrong }
      continue
    }
    const { attributes } = token
    // Some writers shout; what is meant is clear, and a failure must not be overheard.
    const name = token.name.toLowerCase()
    if (open.length === 0) {
      roots++
      if (roots > 1 || (name !== 'testsuites' && name !== 'testsuite')) {
        return { problem: `its root is <${name.slice(0, 40)}>, not <testsuites> or <testsuite>` }
      }
    }
    const parent = open.at(-1)
    if (name === 'testcase') counts.tests++
    if (name === 'skipped' && parent?.name === 'testcase') counts.skipped++
    const entry: Open = {
      name: token.name,
      label: attributes.get('name') ?? name,
      failed: false,
      declared: name === 'testsuite' || name === 'testsuites' ? declaredFailures(attributes) : 0,
      before: counts.failed,
    }
    const fails = (one: Open): void => {
      if (one.failed) return
      one.failed = true
      counts.failed++
      if (counts.names.length < NAMED) counts.names.push(one.label)
    }
    if ((name === 'failure' || name === 'error') && parent !== undefined) fails(parent)
    if (name === 'testcase' && BAD.test(attributes.get('status') ?? attributes.get('result') ?? '')) fails(entry)
    const at = name === 'testsuite' ? zonedTime(attributes.get('timestamp')) : null
    if (at !== null && (counts.written === null || at < counts.written)) counts.written = at
    if (!token.empty) {
      open.push(entry)
      continue
    }
    const wrong = contradiction(entry, counts.failed)
    if (wrong !== undefined) return { problem: wrong }
  }
  if (roots === 0) return { problem: 'it has no elements' }
  const [unclosed] = open
  return unclosed === undefined ? counts : { problem: `<${unclosed.name}> is not closed: the file is cut` }
}

/** An element that is not closed yet. */
interface Open {
  /** As it is written. */
  readonly name: string
  readonly label: string
  failed: boolean
  /** Failures and errors that a suite says it has; NaN: it says something that is no number. */
  readonly declared: number
  /** How many had failed before it began. */
  readonly before: number
}

const BAD = /^\s*(?:fail|error|broken|timed? ?out)/i

/** `failures` and `errors` of a suite, by attributes in any case. */
function declaredFailures(attributes: ReadonlyMap<string, string>): number {
  let sum = 0
  for (const [key, value] of attributes) {
    if (/^(?:failures|errors)$/i.test(key) && value.trim() !== '') sum += Number(value)
  }
  return sum
}

/** A suite that says of failures which none of its elements shows is cut, or was edited. One test may fail twice over. */
function contradiction({ label, declared, before }: Open, failed: number): string | undefined {
  if (declared === 0 || failed > before) return undefined
  const said = Number.isNaN(declared) ? 'a number of failures that is none' : `${declared} failed`
  return `the suite ${JSON.stringify(label.slice(0, 40))} says ${said}, and no test in it shows a failure`
}

type Token =
  | {
      readonly kind: 'open'
      readonly name: string
      readonly empty: boolean
      readonly attributes: ReadonlyMap<string, string>
    }
  | { readonly kind: 'close'; readonly name: string }

/** Tags one after the other; text, comments, CDATA and processing instructions are passed over. */
function* tokensOf(text: string): Generator<Token | JunitProblem> {
  let at = 0
  for (;;) {
    const start = text.indexOf('<', at)
    if (start < 0) {
      const rest = text.slice(at).trim()
      return rest === '' ? undefined : yield { problem: 'there is text after its last element' }
    }
    const skipped = SKIPPED.find(([opening]) => text.startsWith(opening, start))
    if (skipped !== undefined) {
      const [opening, closing] = skipped
      const end = text.indexOf(closing, start + opening.length)
      if (end < 0) return yield { problem: `${opening} is not closed: the file is cut` }
      at = end + closing.length
      continue
    }
    if (text.startsWith('<!', start))
      return yield { problem: 'it has a document type, which a report of tests never needs' }
    const tag = tagAt(text, start)
    if (tag === undefined) return yield { problem: 'it is not well-formed XML' }
    yield tag.token
    at = tag.end
  }
}

const SKIPPED = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const

const CLOSE = /<\/([^\s<>/]+)\s*>/y
const OPEN = /<([^\s<>/!?="']+)/y
const ATTRIBUTE = /\s+([^\s<>/="']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
const TAG_END = /\s*(\/?)>/y

/** Sticky expressions, each in one pass: no text makes them go back and try again. */
function tagAt(text: string, start: number): { readonly token: Token; readonly end: number } | undefined {
  const close = matchAt(CLOSE, text, start)
  if (close !== undefined) return { token: { kind: 'close', name: localName(close.groups[0]) }, end: close.end }
  const open = matchAt(OPEN, text, start)
  if (open === undefined) return undefined
  const attributes = new Map<string, string>()
  let at = open.end
  for (let found = matchAt(ATTRIBUTE, text, at); found !== undefined; found = matchAt(ATTRIBUTE, text, at)) {
    const [name = '', double, single] = found.groups
    attributes.set(name, plainText(double ?? single ?? ''))
    at = found.end
  }
  const end = matchAt(TAG_END, text, at)
  if (end === undefined) return undefined
  return {
    token: { kind: 'open', name: localName(open.groups[0]), empty: end.groups[0] === '/', attributes },
    end: end.end,
  }
}

function matchAt(pattern: RegExp, text: string, at: number) {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match === null ? undefined : { groups: match.slice(1) as (string | undefined)[], end: pattern.lastIndex }
}

/** Without the prefix of a name space. */
const localName = (name = ''): string => name.slice(name.indexOf(':') + 1)

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The five entities that XML itself has; anything else stays as it is written. */
const plainText = (value: string): string =>
  value.slice(0, 200).replace(/&(amp|lt|gt|quot|apos);/g, (whole, name: string) => ENTITIES[name] ?? whole)

/** A time without a zone may be of any hour of the day: it proves nothing. */
function zonedTime(timestamp: string | undefined): number | null {
  if (timestamp === undefined || !/T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(timestamp)) return null
  const time = Date.parse(timestamp)
  return Number.isNaN(time) ? null : time
}
