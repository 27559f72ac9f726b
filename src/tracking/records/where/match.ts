/**
 * Does a value of a run match what was typed? Types are compared as people mean them: `6` matches 6 and "6", a date is
 * the whole day, a commit its beginning, 3.11 every 3.11.x. What is missing matches nothing but `none`. Pure.
 */

import { nearest } from '../../../core/nearest.ts'
import type { Field, Value } from './fields.ts'
import { point, readLength, readNumber, readRelease, readSize, readTime, type Stretch } from './literals.ts'
import type { Operator } from './parse.ts'
import type { Said } from './problems.ts'
import type { Word } from './tokens.ts'

export type Match = (value: Value) => boolean
/** A problem is with the value that was typed, or with the operator. */
type Outcome = { readonly match: Match } | { readonly problem: Said & { readonly with?: 'operator' } }

const NEGATIONS: Partial<Record<Operator, Operator>> = { '!=': '=', '!~': '~', 'not has': 'has', 'not in': 'in' }

/** @param now milliseconds: what ages count from */
export function matcher(field: Field, operator: Operator, words: readonly Word[], now: number): Outcome {
  const positive = NEGATIONS[operator]
  if (positive !== undefined) {
    const inner = matcher(field, positive, words, now)
    if ('problem' in inner) return inner
    const isNone = positive === '=' && words.some(meansNone)
    return { match: (value) => (value !== null || isNone) && !inner.match(value) }
  }
  const made = words.map((word) => single(field, operator === 'in' ? '=' : operator, word, now))
  const problem = made.find((each) => 'problem' in each)
  if (problem !== undefined) return problem
  const matches = made.flatMap((each) => ('match' in each ? [each.match] : []))
  const [only] = matches
  if (matches.length === 1 && only !== undefined) return { match: only }
  return { match: (value) => matches.some((match) => match(value)) }
}

export const meansNone = (word: Word): boolean => !word.quoted && /^(?:none|null|missing)$/i.test(word.text)

function single(field: Field, operator: Operator, word: Word, now: number): Outcome {
  if (meansNone(word)) {
    if (operator === '=') return { match: isNone }
    return {
      problem: {
        message: 'What is not there has no order and no text.',
        hint: `Write ${field.name} = none, or ${field.name} != none`,
      },
    }
  }
  if (field.kind === 'list') return list(field, operator, word)
  if (operator === 'has' && field.kind !== 'value') {
    return {
      problem: {
        message: `${field.name} is no list.`,
        with: 'operator',
        hint: `Write ${field.name} ~ ${word.text}`,
      },
    }
  }
  if (operator === '~' || operator === 'has') return { match: contains(word.text) }
  return byKind(field, operator, word, now)
}

/** Python's None printed by a script is what people mean, too. */
const isNone: Match = (value) =>
  value === null ||
  (typeof value === 'string' && /^(?:none|null)$/i.test(value)) ||
  (Array.isArray(value) && value.length === 0)

function contains(text: string): Match {
  const wanted = text.toLowerCase()
  return (value) => value !== null && String(value).toLowerCase().includes(wanted)
}

function list(field: Field, operator: Operator, { text }: Word): Outcome {
  const wanted = text.toLowerCase()
  if (operator === '=' || operator === 'has') return { match: (value) => Array.isArray(value) && value.includes(text) }
  if (operator === '~') {
    return {
      match: (value) => Array.isArray(value) && value.some((each) => String(each).toLowerCase().includes(wanted)),
    }
  }
  return {
    problem: {
      message: `${field.name} is a list: it has no order.`,
      with: 'operator',
      hint: `Write ${field.name} has ${text}`,
    },
  }
}

function byKind(field: Field, operator: Operator, word: Word, now: number): Outcome {
  switch (field.kind) {
    case 'number':
      return stretched(field, operator, readNumber(word.text), asNumber, 'a number', '= 1')
    case 'length':
      return stretched(
        field,
        operator,
        readNumber(word.text) ?? readLength(word.text),
        asNumber,
        'a length of time',
        '> 10m, or > 1h30m',
      )
    case 'size':
      return stretched(field, operator, readSize(word.text), asNumber, 'a size', '> 10MB')
    case 'time':
      return stretched(
        field,
        operator,
        readTime(word.text, now),
        asTime,
        'a time',
        '>= 2026-11-01, or > 7d for the last 7 days',
      )
    case 'release':
      return release(field, operator, word)
    case 'boolean':
      return truth(field, operator, word)
    case 'value':
      return logged(field, operator, word)
    default:
      return texts(field, operator, word)
  }
}

const asNumber = (value: Value): number => (typeof value === 'number' ? value : Number.NaN)
const asTime = (value: Value): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN)

function stretched(
  field: Field,
  operator: Operator,
  literal: Stretch | number | undefined,
  read: (value: Value) => number,
  noun: string,
  example: string,
): Outcome {
  if (literal === undefined || Number.isNaN(literal))
    return {
      problem: {
        message: `${field.name} is ${noun}.`,
        hint: `Write for example ${field.name} ${example}; none for what is not there`,
      },
    }
  const stretch = typeof literal === 'number' ? point(literal) : literal
  return { match: (value) => within(operator, read(value), stretch) }
}

/** A stretch is before what follows it and after what precedes it: `started > 2026-11-01` begins on the second. */
function within(operator: Operator, value: number, { from, until }: Stretch): boolean {
  const isPoint = from === until
  switch (operator) {
    case '<':
      return value < from
    case '>=':
      return value >= from
    case '<=':
      return isPoint ? value <= from : value < until
    case '>':
      return isPoint ? value > from : value >= until
    default:
      return isPoint ? value === from : value >= from && value < until
  }
}

/** As many parts as were typed are compared: 3.11 is equal to 3.11.4, and 3.9 comes before it. */
function release(field: Field, operator: Operator, word: Word): Outcome {
  const wanted = readRelease(word.text)
  if (wanted === undefined)
    return { problem: { message: `${field.name} is a release.`, hint: `Write for example ${field.name} >= 3.10` } }
  return {
    match: (value) => {
      const parts = typeof value === 'string' ? readRelease(value) : undefined
      if (parts === undefined) return false
      const at = wanted.findIndex((part, index) => part !== (parts[index] ?? 0))
      return within(operator, at < 0 ? 0 : Math.sign((parts[at] ?? 0) - (wanted[at] ?? 0)), point(0))
    },
  }
}

function truth(field: Field, operator: Operator, word: Word): Outcome {
  const wanted = booleanOf(word.text)
  if (operator === '=' && wanted !== undefined) return { match: (value) => value === wanted }
  return {
    problem: {
      message: `${field.name} is true or false.`,
      hint: `Write ${field.name} = true, or ${field.name} = false`,
    },
  }
}

function booleanOf(text: string): boolean | undefined {
  if (/^(?:true|yes|1)$/i.test(text)) return true
  return /^(?:false|no|0)$/i.test(text) ? false : undefined
}

function texts(field: Field, operator: Operator, word: Word): Outcome {
  const { kind, name, words } = field
  if (operator !== '=')
    return {
      problem: {
        message: `${name} has no order.`,
        with: 'operator',
        hint: `Write ${name} = ${word.text}, or ${name} ~ ${word.text} for a part of it`,
      },
    }
  if (kind === 'start') {
    const wanted = word.text.toLowerCase()
    if (wanted === '')
      return { problem: { message: `${name} is never empty.`, hint: `Write ${name} = none for runs without one` } }
    return { match: (value) => typeof value === 'string' && value.toLowerCase().startsWith(wanted) }
  }
  if (words === undefined) return { match: (value) => value === word.text }
  const wanted = word.text.toLowerCase()
  if (words.includes(wanted)) return { match: (value) => value === wanted }
  const meant = nearest(word.text, words)
  const hint = meant === undefined ? `It is ${words.join(', ')}` : `Did you mean ${meant}?`
  return { problem: { message: `${name} is never ${JSON.stringify(word.text)}.`, hint } }
}

/** Metrics, parameters and variables of the environment: whatever a script logged. */
function logged(field: Field, operator: Operator, word: Word): Outcome {
  const number = word.quoted ? undefined : readNumber(word.text)
  if (operator === '=') return { match: equals(word, number) }
  if (number === undefined) {
    if (field.name.startsWith('metrics.')) return { problem: notANumber(field.name, word) }
    // Dates and names of weekly data sort as text.
    return { match: (value) => typeof value === 'string' && inOrder(operator, value, word.text) }
  }
  if (!Number.isNaN(number)) return { match: (value) => within(operator, numberIn(value), point(number)) }
  return { problem: { message: 'Nothing is more or less than NaN.', hint: 'Write = nan, or != nan' } }
}

/** A metric is a number: with text it would be compared in vain, without a word. */
function notANumber(name: string, { text }: Word): Said {
  const percent = /^([\d.]+)%$/.exec(text)?.[1]
  const best = /^@best(?::(.+))?$/i.exec(text)
  const key = name.slice('metrics.'.length)
  const hint =
    percent !== undefined
      ? `Write ${Number((Number(percent) / 100).toPrecision(12))}, or ${percent} where the metric counts to 100`
      : best !== null
        ? `What the best one has: mlops run show @best:${best[1] ?? key}; in order: mlops run list --sort ${key}`
        : `Write for example ${name} > 0.8, or compare two metrics: ${name} > metrics.NAME`
  return { message: `${name} is compared with a number.`, hint }
}

function equals(word: Word, number: number | undefined): Match {
  const { text, quoted } = word
  if (quoted) return (value) => value !== null && String(value) === text
  if (number !== undefined)
    return (value) => Object.is(positiveZero(numberIn(value)), positiveZero(number)) && isNumeric(value)
  const truth = /^(?:true|false)$/i.test(text) ? text.toLowerCase() : undefined
  if (truth !== undefined) return (value) => value !== null && String(value).toLowerCase() === truth
  return (value) => value !== null && String(value) === text
}

const positiveZero = (value: number): number => (value === 0 ? 0 : value)

/** The number a value stands for: 6, "6", "6.0", "NaN"; NaN for any other. */
function numberIn(value: Value): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? (readNumber(value.trim()) ?? Number.NaN) : Number.NaN
}

const isNumeric = (value: Value): boolean =>
  typeof value === 'number' || (typeof value === 'string' && readNumber(value.trim()) !== undefined)

function inOrder(operator: Operator, a: string, b: string): boolean {
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  return operator === '>' ? a > b : a >= b
}
