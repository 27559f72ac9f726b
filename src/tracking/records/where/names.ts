/** From a word to the field it names: a field, else a metric, else a parameter, as the runs of the store have them. Pure. */
import { nearest } from '../../../core/nearest.ts'
import {
  DATA_FACTS,
  dataField,
  envField,
  FIELD_NAMES,
  type Field,
  fixedField,
  metricField,
  paramField,
  type RunFacts,
} from './fields.ts'
import type { Said } from './problems.ts'

/** A bare name: which of the two it is shows when the runs have been read. */
export interface Bare {
  readonly name: string
  readonly metric: Field
  readonly param: Field
}

export type Named = { readonly field: Field } | { readonly bare: Bare } | { readonly problem: Said }

/** The names that the runs have. */
export interface KnownNames {
  readonly metrics: Set<string>
  readonly params: Set<string>
  readonly data: Set<string>
}

export const noNames = (): KnownNames => ({ metrics: new Set(), params: new Set(), data: new Set() })

export function noteNames(names: KnownNames, { row, start }: RunFacts): void {
  noteLogged(names, row)
  for (const { name } of start.data) names.data.add(name)
}

export function noteLogged(names: KnownNames, { metrics, params }: Pick<RunFacts['row'], 'metrics' | 'params'>): void {
  for (const key in metrics) names.metrics.add(key)
  for (const key in params) names.params.add(key)
}

const GROUPS: Readonly<Record<string, 'metrics' | 'params' | 'data' | 'env' | 'git'>> = {
  ...{ metrics: 'metrics', metric: 'metrics', params: 'params', param: 'params', parameters: 'params' },
  ...{ data: 'data', env: 'env', git: 'git' },
}

export function nameOf(text: string): Named {
  const fixed = fixedField(text)
  if (fixed !== undefined) return { field: fixed }
  const dot = text.indexOf('.')
  const group = dot < 0 ? undefined : GROUPS[text.slice(0, dot).toLowerCase()]
  const rest = text.slice(dot + 1)
  // `val.auc` is a name like any other.
  if (group === undefined) return { bare: { name: text, metric: metricField(text), param: paramField(text) } }
  if (rest === '')
    return {
      problem: {
        message: `After ${text} comes a name.`,
        hint: `Write for example ${text}${group === 'data' ? 'train.rows' : 'depth'}`,
      },
    }
  if (group === 'metrics') return { field: metricField(rest) }
  if (group === 'params') return { field: paramField(rest) }
  if (group === 'env') return { field: envField(rest) }
  return group === 'data' ? dataNamed(text, rest) : noSuchField(text)
}

function dataNamed(text: string, rest: string): Named {
  const field = dataField(rest)
  if (field !== undefined) return { field }
  const last = rest.slice(rest.lastIndexOf('.') + 1)
  const meant = rest.includes('.') ? nearest(last, DATA_FACTS) : undefined
  const hint =
    meant === undefined
      ? `Write ${DATA_FACTS.map((fact) => `data.NAME.${fact}`).join(', ')}`
      : `Did you mean ${text.slice(0, text.lastIndexOf('.') + 1)}${meant}?`
  return { problem: { message: `${text} names no fact of data.`, hint } }
}

function noSuchField(text: string): Named {
  const meant = nearest(text, FIELD_NAMES)
  const git = FIELD_NAMES.filter((name) => name.startsWith('git.')).join(', ')
  return {
    problem: {
      message: `There is no field ${text}.`,
      hint: meant === undefined ? `There are ${git}` : `Did you mean ${meant}?`,
    },
  }
}

/** @returns the field a bare name stands for among these runs, or what to say where it stands for none */
export function settleBare({ name, metric, param }: Bare, known: KnownNames): Field | { readonly problem: Said } {
  if (known.metrics.has(name)) return metric
  if (known.params.has(name)) return param
  const all = [...FIELD_NAMES, ...known.metrics, ...known.params]
  const meant = nearest(name, all)
  const hint =
    meant === undefined
      ? `Write metrics.${name} or params.${name} where runs to come will have it; see mlops run show @last`
      : `Did you mean ${meant}?`
  return { problem: { message: `No run has a metric or a parameter ${name}, nor is it a field.`, hint } }
}

/** A warning for a field that no run has, which a filter compares with nothing; undefined where all is well. */
export function unknownName(field: Field, known: KnownNames): string | undefined {
  const [group = '', key = ''] = split(field.name)
  if (group !== 'metrics' && group !== 'params' && group !== 'data') return undefined
  const there = known[group]
  const name = group === 'data' ? key.slice(0, key.lastIndexOf('.')) : key
  if (field.name === 'data' || there.has(name)) return undefined
  const what = { metrics: 'metric', params: 'parameter', data: 'data' }[group]
  const meant = nearest(name, [...there])
  const other = group === 'metrics' ? 'params' : 'metrics'
  const elsewhere = group !== 'data' && known[other].has(name) ? `; there is ${other}.${name}` : ''
  return `No run has ${what === 'data' ? 'declared data' : `a ${what}`} ${name}${meant === undefined ? elsewhere : `; did you mean ${group}.${meant}?`}`
}

function split(name: string): string[] {
  const dot = name.indexOf('.')
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)]
}
