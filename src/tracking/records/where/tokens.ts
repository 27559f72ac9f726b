/** A filter cut into words and signs. What they mean is decided by `parse.ts`. Pure. */
import { filterProblem, type Place } from './problems.ts'

export interface Word extends Place {
  readonly kind: 'word'
  readonly text: string
  /** Some of it stood in quotes: it is a name or text, never a keyword or a number. */
  readonly quoted: boolean
}
export interface Sign extends Place {
  readonly kind: 'sign'
  readonly text: string
}
export type Token = Word | Sign

/** Longer ones first. */
const SIGNS = ['>=', '<=', '!=', '<>', '==', '!~', '=~', '&&', '||', '(', ')', ',', '=', '<', '>', '~', '!']
const BLANK = /\s/
const QUOTE = /["']/
const ENDS_WORD = /[\s"'()=<>!~,&|]/

/** Nobody types more, and a machine that does has a list of ids to look up. */
const LONGEST = 20_000

/** @throws usage `FILTER_INVALID` */
export function tokenize(text: string): Token[] {
  if (text.length > LONGEST) {
    const message = `The filter has ${text.length} characters; ${LONGEST} at most are read.`
    throw filterProblem(text, { at: LONGEST, end: LONGEST + 1 }, { message })
  }
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    if (BLANK.test(text.charAt(at))) at += 1
    else {
      const token = signAt(text, at) ?? wordAt(text, at)
      tokens.push(token)
      at = token.end
    }
  }
  return tokens
}

function signAt(text: string, at: number): Sign | undefined {
  const sign = SIGNS.find((each) => text.startsWith(each, at))
  if (sign !== undefined) return { kind: 'sign', text: sign, at, end: at + sign.length }
  const one = text.charAt(at)
  if (one !== '&' && one !== '|') return undefined
  const meant = one === '&' ? 'and' : 'or'
  throw filterProblem(text, { at, end: at + 1 }, { message: `${one} says nothing here.`, hint: `Write ${meant}` })
}

/** Quotes may begin within a word: `metrics."val auc"`. */
function wordAt(text: string, start: number): Word {
  let at = start
  let word = ''
  let quoted = false
  while (at < text.length) {
    const one = text.charAt(at)
    if (QUOTE.test(one)) {
      const chunk = quotedAt(text, at)
      word += chunk.text
      at = chunk.end
      quoted = true
    } else if (ENDS_WORD.test(one)) break
    else {
      word += one
      at += 1
    }
  }
  return { kind: 'word', text: word, quoted, at: start, end: at }
}

/** A backslash stands before a quote or a backslash; before anything else it is one (paths of Windows). */
function quotedAt(text: string, start: number): { readonly text: string; readonly end: number } {
  const quote = text.charAt(start)
  let inner = ''
  for (let at = start + 1; at < text.length; at++) {
    const one = text.charAt(at)
    if (one === quote) return { text: inner, end: at + 1 }
    const next = text.charAt(at + 1)
    if (one === '\\' && (next === quote || next === '\\')) {
      inner += next
      at += 1
    } else inner += one
  }
  const message = `The quote ${quote} is never closed.`
  throw filterProblem(
    text,
    { at: start, end: start + 1 },
    { message, hint: `Write ${quote} at the end of the text, or \\${quote} for one that belongs to it` },
  )
}
