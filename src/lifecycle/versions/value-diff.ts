/** Named values of two sides and what became of each. Pure; what metrics need besides is in `metric-diff.ts`. */
import { readNumber } from '../../core/canonical-json.ts'
import type { ParamValue } from '../../store/run-records.ts'

/** `null` where one side has none; `delta` where both are finite numbers. */
export interface ValueChange {
  readonly name: string
  readonly from: ParamValue
  readonly to: ParamValue
  readonly kind: 'added' | 'removed' | 'changed'
  readonly delta?: number
}

export type Values = Readonly<Record<string, ParamValue>>

/** In order of the names; what is the same on both sides is left out. */
export function changes(from: Values, to: Values): ValueChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()
  return names.flatMap((name): ValueChange[] => {
    const had = Object.hasOwn(from, name)
    const has = Object.hasOwn(to, name)
    const [before, after] = [from[name] ?? null, to[name] ?? null]
    if (had && has && Object.is(before, after)) return []
    const kind = !had ? 'added' : !has ? 'removed' : 'changed'
    const delta = kind === 'changed' ? difference(before, after) : undefined
    return [{ name, from: before, to: after, kind, ...(delta === undefined ? {} : { delta }) }]
  })
}

function difference(before: ParamValue, after: ParamValue): number | undefined {
  const [a, b] = [readNumber(before), readNumber(after)]
  if (a === undefined || b === undefined || !Number.isFinite(a) || !Number.isFinite(b)) return undefined
  // 0.84 - 0.82 is 0.020000000000000018 in doubles: twelve digits are what the inputs can carry.
  return Number((b - a).toPrecision(12))
}
