/**
 * Bounds on recorded metrics, as checks of a gate, and whether what was recorded is what the held-out predictions say.
 * Pure.
 */
import { impossible } from '../../core/metric-names.ts'
import type { GateCheck } from '../../store/events.ts'
import type { Manifest } from '../../store/manifest.ts'
import { metricOf } from '../versions/metrics.ts'
import { type GateFacts, type HeldOutFacts, isReason, own } from './facts.ts'
import { figure, rowsText } from './numbers.ts'
import { comparedMetrics, type GateRules } from './rules.ts'

export function boundChecks(rules: GateRules, facts: GateFacts): GateCheck[] {
  const bound = (relation: '>=' | '<=') => (entry: readonly [string, number]) => boundCheck(facts, relation, entry)
  const checks = [...Object.entries(rules.min).map(bound('>=')), ...Object.entries(rules.max).map(bound('<='))]
  if (checks.length > 0 || rules.bound === 'optional') return checks
  const note = 'risk: high needs a min_ or max_ metric in the gate of production in mlops.yaml'
  return [{ name: 'metric bound', required: 'at least one', actual: 'none configured', verdict: 'fail', note }]
}

function boundCheck(
  { challenger: { manifest }, heldOut }: GateFacts,
  relation: '>=' | '<=',
  [metric, bound]: readonly [string, number],
): GateCheck {
  const name = `${relation === '>=' ? 'min' : 'max'}_${metric}`
  const check = { name, required: `${metric} ${relation} ${bound}`, metric }
  const value = metricOf(manifest.metrics, metric)
  if (value === undefined) {
    return { ...check, actual: 'missing', verdict: 'fail', note: missing(metric, manifest.metrics, heldOut) }
  }
  if (!Number.isFinite(value)) {
    const note = 'a metric that is no finite number proves nothing'
    return { ...check, actual: String(value), verdict: 'fail', note }
  }
  const why = impossible(metric, value)
  if (why !== undefined) return { ...check, actual: String(value), verdict: 'fail', note: why }
  const holds = relation === '>=' ? value >= bound : value <= bound
  return { ...check, actual: String(value), verdict: holds ? 'pass' : 'fail' }
}

/** What to type so that the metric is there. */
function missing(metric: string, recorded: Manifest['metrics'], heldOut: GateFacts['heldOut']): string {
  const computed = own(computedOf(heldOut), metric)
  if (computed !== undefined) {
    const value = figure(computed)
    return `it is not recorded, but its held-out predictions say ${value}; register it with --metric ${metric}=${value}`
  }
  const known = Object.keys(recorded).sort()
  if (known.length === 0) {
    return `no metric is recorded; log ${metric} in the run or pass --metric ${metric}=VALUE at register`
  }
  return `recorded are ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', …' : ''}`
}

const computedOf = (heldOut: GateFacts['heldOut']): HeldOutFacts['metrics'] =>
  heldOut === undefined || isReason(heldOut) ? {} : heldOut.metrics

/**
 * The numbers that the gate looks at must be those of the held-out rows that are stored beside them: otherwise one of
 * the two is not of this test set. Only where predictions are stored and the same metric can be computed from them.
 */
export function recordedCheck(rules: GateRules, { challenger, heldOut }: GateFacts): GateCheck[] {
  const names = comparedMetrics(rules).map(({ name }) => name)
  if (heldOut === undefined || names.length === 0) return []
  const check = { name: 'recorded metrics', required: 'as its rows say' }
  if (isReason(heldOut)) return [{ ...check, actual: 'unreadable', verdict: 'inconclusive', note: heldOut.reason }]
  const recorded = names.flatMap((name) => {
    const value = metricOf(challenger.manifest.metrics, name)
    return value === undefined || !Number.isFinite(value) ? [] : [{ name, value }]
  })
  const both = recorded.flatMap(({ name, value }) => {
    const computed = own(heldOut.metrics, name)
    return computed === undefined ? [] : [{ name, value, computed }]
  })
  const doubts = recorded.flatMap(({ name, value }) => {
    const why = own(heldOut.unknown ?? {}, name)
    return why === undefined ? [] : [{ said: `${name} ${value} recorded, none computed`, why: `${name}: ${why}` }]
  })
  const apart = both.filter(({ value, computed }) => !agrees(value, computed))
  if (apart.length > 0 || doubts.length > 0) {
    const differ = apart.map(({ name, value, computed }) => `${name} ${value} recorded, ${figure(computed)} computed`)
    const actual = [...differ, ...doubts.map(({ said }) => said)].join('; ')
    const note = [...doubts.map(({ why }) => why), apart.length > 0 ? OTHER_ROWS : NOT_OF_THEM].join('; ')
    // Two figures contradict each other; where there is one, nobody knows whether it is of these rows.
    return [{ ...check, actual, verdict: apart.length > 0 ? 'fail' : 'inconclusive', note }]
  }
  if (both.length === 0) return []
  const actual = `${both.map(({ name }) => name).join(', ')} on ${rowsText(heldOut.rows)}`
  return [{ ...check, actual, verdict: 'pass' }]
}

const OTHER_ROWS =
  'one of the two is not of this test set; register it again with the metrics and the predictions of the same rows'
const NOT_OF_THEM = 'register it again with predictions from which the recorded metrics follow'

/** Rounding of what was recorded, and scores that were written with fewer digits, are no disagreement. */
const LEAST_DECIMALS = 2
const ROUNDED_SCORES = 0.001

/** @returns whether `recorded` can be `computed` after rounding: to its last decimal, or by a thousandth of its size */
export function agrees(recorded: number, computed: number): boolean {
  const [, decimals = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(recorded)) ?? []
  const places = Math.max(LEAST_DECIMALS, decimals.length - Number(exponent))
  // A little more than half a unit, for the binary fractions.
  const rounding = 0.5001 * 10 ** -places
  return Math.abs(recorded - computed) <= Math.max(rounding, ROUNDED_SCORES * Math.abs(recorded))
}
