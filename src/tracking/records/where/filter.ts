/**
 * A filter made ready: names looked up, values read by the kind of their field, everything that can be wrong said with
 * its place; then a test of one run after the other. Pure.
 */
import type { Annotation, RunEnd } from '../../../store/run-records.ts'
import { type Field, fixedField, type RunFacts, type Value } from './fields.ts'
import { readNumber } from './literals.ts'
import { type Match, matcher, meansNone } from './match.ts'
import { type Bare, type KnownNames, nameOf, settleBare, unknownName } from './names.ts'
import { type Comparison, parseFilter, type Tree } from './parse.ts'
import { filterProblem } from './problems.ts'
import type { Word } from './tokens.ts'

/** The values of one run, in the order of `Columns.fields`. */
export type Values = readonly Value[]

/** The fields that are read of every run; each has one place, however often it is named. */
export class Columns {
  readonly fields: Field[] = []

  /** @returns the place of its values */
  add(field: Field): number {
    const at = this.fields.findIndex(({ name }) => name === field.name)
    return at >= 0 ? at : this.fields.push(field) - 1
  }

  /** Of a name as typed: a bare one has the place of the metric and that of the parameter. */
  placesOf(name: string): number[] {
    const names = [fixedField(name)?.name ?? name, `metrics.${name}`, `params.${name}`]
    return this.fields.flatMap((field, at) => (names.includes(field.name) ? [at] : []))
  }

  read(facts: RunFacts): Value[] {
    return this.fields.map((field) => field.read(facts))
  }

  /** Undefined where some field needs more than the end of a run. */
  readEnd(): ((end: RunEnd, said: readonly Annotation[]) => Value[]) | undefined {
    const reads = this.fields.flatMap(({ ended }) => ended ?? [])
    return reads.length < this.fields.length ? undefined : (end, said) => reads.map((read) => read(end, said))
  }
}

export interface Filter {
  /**
   * When all runs have been read: what bare names stand for is known then.
   * @returns the test, the fields that it names in order, and what to warn of
   * @throws usage `FILTER_INVALID` for a bare name that no run has; never where there are no runs
   */
  settle(
    known: KnownNames,
    runs: number,
  ): {
    readonly test: (values: Values) => boolean
    readonly fields: readonly Field[]
    readonly warnings: readonly string[]
  }
}

type Test = (values: Values) => boolean

/** A comparison waits for what its name stands for. */
interface Settling {
  readonly text: string
  readonly known: KnownNames
  readonly runs: number
  readonly fields: Map<string, Field>
}
type Later = (settling: Settling) => Test

/** @param now milliseconds. @throws usage `FILTER_INVALID` */
export function prepareFilter(text: string, columns: Columns, now: number): Filter {
  const later = prepare(text, parseFilter(text), columns, now)
  return {
    settle(known, runs) {
      const fields = new Map<string, Field>()
      const test = later({ text, known, runs, fields })
      const warnings = runs === 0 ? [] : [...fields.values()].flatMap((field) => unknownName(field, known) ?? [])
      return { test, fields: [...fields.values()], warnings }
    },
  }
}

function prepare(text: string, tree: Tree, columns: Columns, now: number): Later {
  if (tree.kind === 'compare') return comparison(text, tree, columns, now)
  if (tree.kind === 'alone') return alone(text, tree.name, columns)
  if (tree.kind === 'not') {
    const inner = prepare(text, tree.part, columns, now)
    return (settling) => {
      const test = inner(settling)
      return (values) => !test(values)
    }
  }
  const parts = tree.parts.map((part) => prepare(text, part, columns, now))
  const isAnd = tree.kind === 'and'
  return (settling) => {
    const tests = parts.map((part) => part(settling))
    return isAnd ? (values) => tests.every((test) => test(values)) : (values) => tests.some((test) => test(values))
  }
}

function comparison(text: string, tree: Comparison, columns: Columns, now: number): Later {
  const { name, operator, values, sign } = tree
  const other = otherSide(text, tree, columns)
  if (other !== undefined) return twoNames(text, tree, other, columns)
  return onField(text, name, columns, (field) => {
    const made = matcher(field, operator, values, now)
    if ('match' in made) return made.match
    const [first = name] = values
    const place = { at: first.at, end: values.at(-1)?.end ?? first.end }
    throw filterProblem(text, made.problem.with === 'operator' ? sign : place, made.problem)
  })
}

/** `git.dirty`, `params.early_stopping`: is it true? */
function alone(text: string, name: Word, columns: Columns): Later {
  const [, before = '', after = ''] = name.quoted ? [] : (/^([^:]+):(.+)$/.exec(name.text) ?? [])
  if (before !== '' && fixedField(before) !== undefined) {
    const at = name.at + before.length
    throw filterProblem(
      text,
      { at, end: at + 1 },
      {
        message: 'A colon compares nothing.',
        hint: `Write ${before} = ${after}`,
      },
    )
  }
  return onField(text, name, columns, (field) => {
    if (field.kind !== 'boolean' && (field.kind !== 'value' || field.name.startsWith('metrics.'))) {
      const hint = `Write for example ${field.name} = …, or ${field.name} != none where it only has to be there`
      throw filterProblem(text, name, { message: `${field.name} alone says nothing.`, hint })
    }
    return (value) => String(value).toLowerCase() === 'true'
  })
}

/** A bare name is read as metric and as parameter until it shows which of the two it is. */
function onField(text: string, name: Word, columns: Columns, matchOf: (field: Field) => Match): Later {
  const named = nameOf(name.text)
  if ('problem' in named) throw filterProblem(text, name, named.problem)
  if ('field' in named) {
    const { field } = named
    const [at, match] = [columns.add(field), matchOf(field)]
    return ({ fields }) => {
      fields.set(field.name, field)
      return (values) => match(values[at] ?? null)
    }
  }
  const { bare } = named
  columns.add(bare.metric)
  columns.add(bare.param)
  // What is wrong with it as a parameter is wrong whatever it is.
  matchOf(bare.param)
  return (settling) => {
    const field = settled(text, name, bare, settling)
    settling.fields.set(field.name, field)
    const [at, match] = [columns.add(field), matchOf(field)]
    return (values) => match(values[at] ?? null)
  }
}

function settled(text: string, name: Word, bare: Bare, { known, runs }: Settling): Field {
  if (runs === 0) return bare.metric
  const found = settleBare(bare, known)
  if ('problem' in found) throw filterProblem(text, name, found.problem)
  return found
}

/** `metrics.train_auc > metrics.val_auc`. Other names on the right are text: `command ~ data.csv`. */
function otherSide(text: string, { values, operator }: Comparison, columns: Columns): number | undefined {
  const [word] = values
  if (word === undefined || values.length > 1 || word.quoted || meansNone(word)) return undefined
  if (!/^(?:metrics|params)\../i.test(word.text) || !['=', '!=', '<', '<=', '>', '>='].includes(operator))
    return undefined
  const named = nameOf(word.text)
  if ('problem' in named) throw filterProblem(text, word, named.problem)
  return 'field' in named ? columns.add(named.field) : undefined
}

function twoNames(text: string, { name, operator }: Comparison, right: number, columns: Columns): Later {
  const named = nameOf(name.text)
  const isLogged =
    'bare' in named || ('field' in named && ['value', 'number', 'length', 'size'].includes(named.field.kind))
  if (!isLogged)
    throw filterProblem(text, name, {
      message: `${name.text} cannot be compared with a metric or a parameter.`,
      hint: 'Quote the right side where it is text',
    })
  const other = columns.fields[right]
  const later = onField(text, name, columns, () => () => false)
  return (settling) => {
    later(settling)
    if (other !== undefined) settling.fields.set(other.name, other)
    const field =
      'field' in named ? named.field : 'bare' in named ? settled(text, name, named.bare, settling) : undefined
    const left = field === undefined ? -1 : columns.add(field)
    return (values) => sides(operator, values[left] ?? null, values[right] ?? null)
  }
}

function sides(operator: Comparison['operator'], a: Value, b: Value): boolean {
  if (a === null || b === null || typeof a === 'object' || typeof b === 'object') return false
  // Text is text here, whatever it says.
  const isNumber = typeof b === 'number' || (typeof b === 'string' && readNumber(b.trim()) !== undefined)
  const word: Word = { kind: 'word', text: String(b).trim(), quoted: !isNumber, at: 0, end: 0 }
  const made = matcher(EITHER, operator, [word], 0)
  return 'match' in made && made.match(a)
}

const EITHER: Field = { name: 'value', kind: 'value', read: () => null }
