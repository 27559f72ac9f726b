/** A logged prediction as it may be shown: without what is configured never to be logged, and without secrets. Pure. */
import { isSecretName, REDACTED, redactText } from '../../core/redact.ts'
import type { FoundRecord } from '../../predictions/find-record.ts'
import type { LoggedPrediction, Value } from './types.ts'

/** @param drop `predictions.drop` of mlops.yaml: a writer that did not know of it may have logged the column */
export function shownPrediction(record: FoundRecord, drop: readonly string[]): LoggedPrediction {
  const hidden = new Set<string>()
  const isDropped = (name: string): boolean => {
    if (drop.includes(name)) hidden.add(name)
    return drop.includes(name)
  }
  const members = (object: Readonly<Record<string, unknown>> | null): Record<string, Value> | null => {
    if (object === null) return null
    const shown = Object.entries(object).flatMap(([name, value]): [string, Value][] => {
      if (isDropped(name)) return []
      if (!isSecretName(name) || typeof value !== 'string') return [[name, shownValue(value)]]
      hidden.add(name)
      return [[name, REDACTED]]
    })
    return Object.fromEntries(shown)
  }
  const text = (name: string, value: string | null): string | null =>
    value === null || isDropped(name) ? null : redactText(value)
  const { output } = record
  const isObject = typeof output === 'object' && output !== null && !Array.isArray(output)
  const shown = {
    id: record.id,
    time: record.time,
    version: record.version,
    variant: record.variant,
    features: members(record.features),
    output: isObject ? members(output as Record<string, unknown>) : shownValue(output),
    latency: record.latency,
    status: record.status,
    error: text('error', record.error),
    user: text('user', record.user),
    segment: text('segment', record.segment),
    tokens: record.tokens,
    cost: record.cost,
    tags: members(record.tags),
    sampleRate: record.sampleRate,
    place: record.place,
  }
  return { ...shown, hidden: [...hidden].sort() }
}

/** Digits beyond 2^53 are logged as text, so that a number here is the number that was logged. */
function shownValue(value: unknown): Value {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean') return value
  return redactText(typeof value === 'string' ? value : JSON.stringify(value))
}

export const shownLabel = (value: string | number | boolean): string | number | boolean =>
  typeof value === 'string' ? redactText(value) : value
