/**
 * A filter as a tree: `or` binds least, then `and`, then `not`, then comparisons. Which names there are, and which
 * values suit them, is decided by `filter.ts`. Pure.
 */
import { filterProblem, type Place, type Said } from './problems.ts'
import { type Token, tokenize, type Word } from './tokens.ts'

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~' | '!~' | 'has' | 'not has' | 'in' | 'not in'

export interface Comparison extends Place {
  readonly kind: 'compare'
  readonly name: Word
  readonly operator: Operator
  /** Where the operator stands. */
  readonly sign: Place
  /** One; of `in` one or more. */
  readonly values: readonly Word[]
}

export type Tree =
  | { readonly kind: 'or' | 'and'; readonly parts: readonly Tree[] }
  | { readonly kind: 'not'; readonly part: Tree }
  | Comparison
  /** A name alone: `git.dirty`. */
  | { readonly kind: 'alone'; readonly name: Word }

const SIGNS: Readonly<Record<string, Operator>> = {
  ...{ '=': '=', '==': '=', '!=': '!=', '<>': '!=', '~': '~', '!~': '!~' },
  ...{ '<': '<', '<=': '<=', '>': '>', '>=': '>=' },
}
/** `0.8 < metrics.auc` is read from the other side. */
const TURNED: Partial<Record<Operator, Operator>> = {
  ...{ '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=', '!=': '!=' },
}
const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'has', 'is', 'contains'])
const FOREIGN: Readonly<Record<string, string>> = {
  ...{ like: '~', ilike: '~', matches: '~', equals: '=', eq: '=', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' },
  ...{ includes: 'has', exists: '!= none', between: '>= … and … <=' },
}
/** A number and its unit, written apart: `10 min`. */
const UNIT = /^(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?|[kmgt]?i?b)$/i
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** Brackets within brackets: more would be a machine's, and the stack has an end. */
const DEEPEST = 100

/** @throws usage `FILTER_INVALID` */
export function parseFilter(text: string): Tree {
  const reader = new Reader(text)
  const tree = reader.any(0)
  reader.end()
  return tree
}

class Reader {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokenize(text)
  }

  any(depth: number): Tree {
    return this.#chain('or', '||', () => this.#all(depth))
  }

  end(): void {
    const token = this.#peek()
    if (token === undefined) return
    if (token.text === ')')
      throw this.#problem(token, { message: 'This closes no bracket.', hint: 'Take it away, or open one with (' })
    throw this.#problem(token, {
      message: 'Here "and", "or" or the end of the filter was expected.',
      hint: this.#hintAfter(token),
    })
  }

  #all(depth: number): Tree {
    return this.#chain('and', '&&', () => this.#maybeNot(depth))
  }

  #chain(kind: 'or' | 'and', sign: string, part: () => Tree): Tree {
    const first = part()
    const parts = [first]
    while (this.#takeWord(kind) !== undefined || this.#takeSign(sign) !== undefined) parts.push(part())
    return parts.length === 1 ? first : { kind, parts }
  }

  #maybeNot(depth: number): Tree {
    let negative = false
    while (this.#takeWord('not') !== undefined || this.#takeSign('!') !== undefined) negative = !negative
    const part = this.#single(depth)
    return negative ? { kind: 'not', part } : part
  }

  #single(depth: number): Tree {
    const open = this.#takeSign('(')
    if (open === undefined) return this.#comparison()
    if (depth >= DEEPEST) throw this.#problem(open, { message: `More than ${DEEPEST} brackets are open.` })
    const inner = this.any(depth + 1)
    if (this.#takeSign(')') !== undefined) return inner
    const token = this.#peek()
    if (token === undefined)
      throw this.#problem(open, { message: 'This bracket is never closed.', hint: 'Write ) where it ends' })
    throw this.#problem(token, { message: 'Here "and", "or" or ) was expected.', hint: this.#hintAfter(token) })
  }

  #comparison(): Tree {
    const left = this.#word('the name of a field, a metric or a parameter')
    const op = this.#operator()
    if (op === undefined) {
      const value = this.#peek()
      if (!left.quoted && /.:$/.test(left.text) && value?.kind === 'word') throw this.#colon(left, value)
      if (!isNumber(left)) return { kind: 'alone', name: left }
      throw this.#problem(left, {
        message: 'A number alone says nothing.',
        hint: 'Compare it with a name: metrics.auc > 0.8',
      })
    }
    const { operator, sign } = op
    if (operator === 'in' || operator === 'not in') {
      const values = this.#list()
      return { kind: 'compare', name: left, operator, sign, values, at: left.at, end: values.at(-1)?.end ?? sign.end }
    }
    const right = this.#value()
    const tree = this.#oriented(left, operator, sign, right)
    const again = this.#peek()
    if (again?.kind === 'sign' && SIGNS[again.text] !== undefined) {
      const hint = `Write it twice: … and ${right.text} ${again.text} …`
      throw this.#problem(again, { message: 'A comparison has two sides.', hint })
    }
    return tree
  }

  #colon(left: Word, value: Word): Error {
    const right = value.quoted ? JSON.stringify(value.text) : value.text
    return this.#problem(
      { at: left.end - 1, end: left.end },
      {
        message: 'A colon compares nothing.',
        hint: `Write ${left.text.slice(0, -1)} = ${right}`,
      },
    )
  }

  #oriented(left: Word, operator: Operator, sign: Place, right: Word): Comparison {
    const place = { at: left.at, end: right.end }
    if (!isNumber(left)) return { kind: 'compare', name: left, operator, sign, values: [right], ...place }
    const turned = TURNED[operator]
    if (turned !== undefined && !isNumber(right)) {
      return { kind: 'compare', name: right, operator: turned, sign, values: [left], ...place }
    }
    throw this.#problem(left, {
      message: 'One side of a comparison is a name.',
      hint: 'Write for example metrics.auc > 0.8; quote a name that is a number: "5" > 1',
    })
  }

  #operator(): { readonly operator: Operator; readonly sign: Place } | undefined {
    const token = this.#peek()
    if (token?.kind === 'sign') {
      if (token.text === '=~')
        throw this.#problem(token, { message: '=~ is no operator.', hint: 'Write ~ for "contains, in any case"' })
      const operator = SIGNS[token.text]
      if (operator === undefined) return undefined
      this.#next += 1
      return { operator, sign: token }
    }
    if (token === undefined || token.quoted) return undefined
    const word = token.text.toLowerCase()
    const foreign = FOREIGN[word]
    if (foreign !== undefined)
      throw this.#problem(token, { message: `${token.text} is no operator.`, hint: `Write ${foreign}` })
    return this.#wordOperator(token)
  }

  #wordOperator(token: Word): { readonly operator: Operator; readonly sign: Place } | undefined {
    const take = (): Place | undefined => this.#takeWord('in') ?? this.#takeWord('has') ?? this.#takeWord('contains')
    const before = this.#next
    if (this.#takeWord('is') !== undefined) {
      return { operator: this.#takeWord('not') === undefined ? '=' : '!=', sign: token }
    }
    const isNot = this.#takeWord('not') !== undefined
    const word = this.#peek()?.text.toLowerCase()
    if (take() === undefined) {
      this.#next = before
      return undefined
    }
    if (word === 'contains') return { operator: isNot ? '!~' : '~', sign: token }
    const operator = word === 'in' ? 'in' : 'has'
    return { operator: isNot ? `not ${operator}` : operator, sign: token }
  }

  #list(): Word[] {
    const open = this.#peek()
    if (this.#takeSign('(') === undefined) {
      throw this.#problem(open, {
        message: 'After in comes a list in brackets.',
        hint: 'Write for example in (1, 2, 3)',
      })
    }
    const values: Word[] = []
    do {
      // A comma after the last one does no harm.
      if (values.length > 0 && this.#peek()?.text === ')') break
      values.push(this.#value())
    } while (this.#takeSign(',') !== undefined)
    if (this.#takeSign(')') !== undefined) return values
    throw this.#problem(this.#peek(), {
      message: 'Here a comma or ) was expected.',
      hint: 'Write for example in (1, 2, 3)',
    })
  }

  #value(): Word {
    const word = this.#word('a value')
    const next = this.#peek()
    let joined = word
    if (!word.quoted && NUMBER.test(word.text) && next?.kind === 'word' && !next.quoted && UNIT.test(next.text)) {
      this.#next += 1
      joined = { ...word, text: word.text + next.text, end: next.end }
    }
    const ago = /^-?\d/.test(joined.text) ? this.#takeWord('ago') : undefined
    return ago === undefined ? joined : { ...joined, text: `${joined.text} ago`, end: ago.end }
  }

  /** A word that is no keyword. */
  #word(expected: string): Word {
    const token = this.#peek()
    if (token?.kind === 'word' && (token.quoted || !KEYWORDS.has(token.text.toLowerCase()))) {
      this.#next += 1
      return token
    }
    const before = this.#tokens[this.#next - 1]
    if (token?.text === '>' && before?.text === '=') {
      throw this.#problem({ at: before.at, end: token.end }, { message: '=> is no operator.', hint: 'Write >=' })
    }
    const isBracket = token?.text.startsWith('[') === true
    const hint = isBracket
      ? 'Write round brackets'
      : token?.kind === 'word'
        ? `Write "${token.text}" in quotes where it is meant as text`
        : expected === 'a value'
          ? 'Write a number, true, false, none, a date, or text; in quotes where it has blanks or signs'
          : undefined
    throw this.#problem(token, {
      message: this.#tokens.length === 0 ? 'The filter is empty.' : `Here ${expected} was expected.`,
      hint,
    })
  }

  #hintAfter(token: Token): string | undefined {
    const before = this.#tokens[this.#next - 1]
    const after = this.#tokens[this.#next + 1]
    if (token.text === ',' && before?.kind === 'word' && isNumber(before) && after?.kind === 'word') {
      return `Write ${before.text}.${after.text}: a number has a point; several values are written in (1, 2)`
    }
    if (token.kind === 'word' && before?.kind === 'word') {
      return `Join conditions with "and" or "or"; put text of several words into quotes: "${before.text} ${token.text}"`
    }
    return 'Join conditions with "and" or "or"'
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  #takeSign(text: string): Token | undefined {
    const token = this.#peek()
    if (token?.kind !== 'sign' || token.text !== text) return undefined
    this.#next += 1
    return token
  }

  #takeWord(keyword: string): Token | undefined {
    const token = this.#peek()
    if (token?.kind !== 'word' || token.quoted || token.text.toLowerCase() !== keyword) return undefined
    this.#next += 1
    return token
  }

  #problem(place: Place | undefined, said: Said): Error {
    const end = this.#text.length
    return filterProblem(this.#text, place ?? { at: end, end }, said)
  }
}

const isNumber = (word: Word): boolean => !word.quoted && NUMBER.test(word.text)
