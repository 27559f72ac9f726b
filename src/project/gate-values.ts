/** Values that only a gate has, as shapes: a share, a margin, a day. Which keys take them is in `gate-schema.ts`. */
import { ANY_METRIC, type Margin } from './gate-config.ts'
import { emptyMap, type Place, type Shape, text } from './schema.ts'
import type { YamlNode } from './yaml.ts'

const SHARE = /^(\d+(?:\.\d+)?)\s*%$/

/** `0.01` or `1%`: both are 0.01. */
export const share: Shape<number> = {
  label: 'a share such as 0.01 or 1%',
  json: {
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1 },
      { type: 'string', pattern: SHARE.source },
    ],
  },
  read: (node, at) => {
    const value = percentIn(node) ?? numberIn(node)
    if (value !== undefined && value >= 0 && value <= 1) return value
    return wrong(node, at, 'a share from 0 to 1, or from 0% to 100%')
  },
}

/** A margin of half of the champion's value or more lets in what nobody would: it is a slip of the finger. */
const BELOW_HALF = String.raw`^[0-4]?\d(?:\.\d+)?\s*%$`
/** `0x10` and `1e5` are numbers of YAML that nobody writes for a margin. */
const PLAIN = /^\+?(?:\d+\.?\d*|\.\d+)(?:[eE]-\d+)?$/
const MARGIN_LABEL = "a margin such as 0.01 (in the metric's own unit) or 1% (of the champion's value)"
const oneMargin: Shape<Margin> = {
  label: MARGIN_LABEL,
  json: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: BELOW_HALF },
    ],
  },
  read: (node, at) => {
    const part = percentIn(node)
    if (part !== undefined && part < 0.5) return { kind: 'relative', value: part }
    const value = node.kind === 'scalar' && PLAIN.test(node.text.trim()) ? numberIn(node) : undefined
    if (part === undefined && value !== undefined && value >= 0) return { kind: 'absolute', value }
    return wrong(node, at, part === undefined ? MARGIN_LABEL : 'a margin below 50%')
  },
}

/** One margin for every metric, or a map of metrics. */
export const margin: Shape<Readonly<Record<string, Margin>>> = {
  label: 'a margin such as 0.01 or 1%, or a map of metrics',
  json: { anyOf: [oneMargin.json, { type: 'object', additionalProperties: oneMargin.json }] },
  read: (node, at) => {
    const read = emptyMap<Margin>()
    if (node.kind !== 'map') {
      const one = oneMargin.read(node, at)
      if (one === undefined) return undefined
      read[ANY_METRIC] = one
      return read
    }
    for (const { key, value } of node.entries) {
      const one = oneMargin.read(value, { ...at, path: `${at.path}.${key}` })
      if (one !== undefined) read[key] = one
    }
    return read
  },
}

/** A day that exists; whether it has passed is for whoever knows today. */
export const day = text({ label: 'a day such as 2026-12-31', pattern: /^\d{4}-\d{2}-\d{2}$/, problem: dayProblem })

function dayProblem(day: string): string | undefined {
  const time = new Date(`${day}T00:00:00Z`)
  // 2026-02-30 becomes a day in March, or no day at all.
  const exists = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day)
  return exists ? undefined : `there is no day ${day}; write it as 2026-12-31`
}

function percentIn(node: YamlNode): number | undefined {
  const match = node.kind === 'scalar' ? SHARE.exec(node.text.trim()) : null
  // Through decimal digits, so that 0.1% is 0.001 and not 0.0010000000000000002.
  return match === null ? undefined : Number((Number(match[1]) / 100).toPrecision(12))
}

function numberIn(node: YamlNode): number | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function wrong(node: YamlNode, at: Place, label: string): undefined {
  const found = node.kind === 'scalar' ? JSON.stringify(node.text) : `a ${node.kind}`
  at.report(node.line, at.path, `expected ${label}, found ${found}`)
  return undefined
}
