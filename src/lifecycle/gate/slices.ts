/**
 * Bounds on groups of the held-out rows, and differences between groups, as checks of a gate. Pure; the figures are
 * computed in `src/evaluation/`.
 *
 * A group that breaks the bound fails. One with fewer rows than `min_rows`, or on which the metric is not defined, makes
 * the check inconclusive: nobody knows how the version treats it. Predictions, a column or a metric that is not there fail.
 */
import type { FairnessResult, SliceMetric, SliceResult } from '../../evaluation/types.ts'
import type { FairnessRule, SliceRule } from '../../project/gate-config.ts'
import type { GateCheck, GateEvidence } from '../../store/events.ts'
import { type FromRows, type GateFacts, type HeldOutFacts, isReason, own } from './facts.ts'
import { figure, intervalText, roughly, rowsText } from './numbers.ts'
import type { GateRules } from './rules.ts'

/** Names said in a note; the rest is counted. */
const NAMED = 5

export function sliceChecks(rules: GateRules, facts: GateFacts): GateCheck[] {
  return rules.slices.flatMap((rule) => {
    const bounds = [
      ...Object.entries(rule.min).map(([metric, bound]) => ({ metric, bound, relation: '>=' as const })),
      ...Object.entries(rule.max).map(([metric, bound]) => ({ metric, bound, relation: '<=' as const })),
    ]
    return bounds.map((bound) => sliceCheck(rule, bound, facts))
  })
}

interface Bound {
  readonly metric: string
  readonly bound: number
  readonly relation: '>=' | '<='
}

function sliceCheck(rule: SliceRule, { metric, bound, relation }: Bound, facts: GateFacts): GateCheck {
  const check = {
    name: `slice ${rule.by}`,
    metric,
    required: `${metric} ${relation} ${bound} for every ${rule.by}`,
  }
  const rows = rowsOf(facts)
  if (isReason(rows)) return { ...check, ...withoutRows(facts, rows.reason) }
  const groups = own(rows.slices, rule.by) ?? { reason: `the predictions have no column ${rule.by}` }
  if (isReason(groups)) return { ...check, actual: 'no such column', verdict: 'fail', note: groups.reason }
  if (!groups.some(({ metrics }) => Object.hasOwn(metrics, metric)) && !rows.known.includes(metric)) {
    const note = `${metric} cannot be computed from held-out predictions; known are ${rows.known.join(', ')}`
    return { ...check, actual: 'unknown metric', verdict: 'fail', note }
  }
  const judged = groups.map((group) => judgeGroup(group, metric, { bound, relation }, rule.minRows))
  const failing = judged.filter(({ verdict }) => verdict === 'fail')
  const open = judged.filter(({ verdict }) => verdict === 'inconclusive')
  const better = relation === '>=' ? 1 : -1
  const measured = judged.flatMap((each) => (each.found === undefined ? [] : [{ ...each, found: each.found }]))
  const large = measured.filter(({ verdict }) => verdict !== 'inconclusive')
  const ranked = (large.length > 0 ? large : measured).sort((a, b) => better * (a.found.value - b.found.value))
  const [worst] = ranked
  const verdict = failing.length > 0 ? 'fail' : open.length > 0 || judged.length === 0 ? 'inconclusive' : 'pass'
  const notes = [
    failing.length > 0 ? `${relation === '>=' ? 'below' : 'above'} the bound: ${named(failing)}` : '',
    open.length > 0 ? `nothing can be said of ${named(open)}` : '',
    judged.length === 0 ? 'the predictions have no rows' : '',
    ...(worst === undefined ? [] : championsThere(facts, rule.by, metric, worst)),
  ].filter((part) => part !== '')
  return {
    ...check,
    actual:
      worst === undefined
        ? 'not measured'
        : `${figure(worst.found.value)} in ${worst.name} (worst of ${judged.length})`,
    verdict,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    ...(worst === undefined ? {} : { evidence: evidenceOf(worst.found, worst.rows) }),
  }
}

/** What the champion gives in the same group, for the reader; the verdict is drawn from the bound alone. */
function championsThere({ champions }: GateFacts, by: string, metric: string, worst: JudgedGroup): string[] {
  return Object.values(champions).flatMap((champion) => {
    if (champion?.slices === undefined) return []
    const name = `${champion.model}@${champion.version}`
    const groups = isReason(champion.slices) ? champion.slices : own(champion.slices, by)
    if (groups === undefined) return []
    if (isReason(groups)) return [`not compared with ${name}: ${groups.reason}`]
    const group = groups.find(({ value }) => value === worst.value)
    const found = group === undefined ? undefined : own(group.metrics, metric)
    return [`${name} on the same rows of ${worst.name}: ${found === undefined ? 'not defined' : figure(found.value)}`]
  })
}

interface JudgedGroup {
  readonly name: string
  readonly value: string | null
  readonly rows: number
  readonly found: SliceMetric | undefined
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** In brackets behind the name. */
  readonly said: string
}

function judgeGroup(
  group: SliceResult,
  metric: string,
  { bound, relation }: Pick<Bound, 'bound' | 'relation'>,
  minRows: number | undefined,
): JudgedGroup {
  const found = own(group.metrics, metric)
  const base = { name: groupName(group.value), value: group.value, rows: group.rows, found }
  if (minRows !== undefined && group.rows < minRows) {
    return { ...base, verdict: 'inconclusive', said: `${rowsText(group.rows)}, ${minRows} are needed` }
  }
  if (found === undefined) {
    const positives = group.positives === null ? '' : `, ${group.positives} positive`
    return { ...base, verdict: 'inconclusive', said: `${metric} is not defined on ${rowsText(group.rows)}${positives}` }
  }
  const holds = relation === '>=' ? found.value >= bound : found.value <= bound
  const said = `${figure(found.value)}, ${intervalText(found.interval)}, ${rowsText(group.rows)}`
  return { ...base, verdict: holds ? 'pass' : 'fail', said }
}

const evidenceOf = ({ value, interval, method }: SliceMetric, rows: number): GateEvidence => ({
  method,
  estimate: value,
  interval: [interval.low, interval.high],
  confidence: interval.confidence,
  rows,
})

const groupName = (value: string | null): string => value ?? '(missing)'

const named = (groups: readonly { readonly name: string; readonly said: string }[]): string => {
  const shown = groups.slice(0, NAMED).map(({ name, said }) => `${name} (${said})`)
  const rest = groups.length - shown.length
  return [...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

export function fairnessChecks(rules: GateRules, facts: GateFacts): GateCheck[] {
  return rules.fairness.map((rule, index) => {
    const check = { name: `fairness ${rule.by}`, metric: rule.measure, required: `${rule.measure} <= ${rule.max}` }
    const rows = rowsOf(facts)
    if (isReason(rows)) return { ...check, ...withoutRows(facts, rows.reason) }
    const found = rows.fairness[index] ?? { reason: `the predictions have no column ${rule.by}` }
    if (isReason(found)) return { ...check, actual: 'cannot be computed', verdict: 'fail', note: found.reason }
    return { ...check, ...judgeFairness(rule, found, rows.rows) }
  })
}

function judgeFairness(rule: FairnessRule, found: FairnessResult, rows: number): Omit<GateCheck, 'name' | 'required'> {
  const { groups, difference, interval } = found
  const small = groups.filter((group) => rule.minRows !== undefined && group.rows < rule.minRows)
  const rates = groups.slice(0, NAMED).map((group) => `${groupName(group.value)} ${ratesOf(rule, group)}`)
  const rest = groups.length > NAMED ? [`${groups.length - NAMED} more`] : []
  const notes = [
    `${intervalText(interval)}: ${[...rates, ...rest].join(', ')}`,
    ...(small.length > 0
      ? [`too few rows to say: ${small.map(({ value }) => groupName(value)).join(', ')} (${rule.minRows} are needed)`]
      : []),
    ...found.notes,
  ]
  return {
    actual: figure(difference),
    verdict: small.length > 0 ? 'inconclusive' : difference <= rule.max ? 'pass' : 'fail',
    note: notes.join('; '),
    evidence: {
      method: 'bootstrap',
      estimate: difference,
      interval: [interval.low, interval.high],
      confidence: interval.confidence,
      rows,
    },
  }
}

/** `0.41 selected (214 rows)`; of equalized odds the true and the false positive rate. */
function ratesOf({ measure }: FairnessRule, group: FairnessResult['groups'][number]): string {
  const { selectionRate, truePositiveRate: hits, falsePositiveRate: alarms } = group
  const rate = (value: number | null): string => (value === null ? 'unknown' : roughly(value))
  const said =
    measure === 'demographic_parity'
      ? `${roughly(selectionRate)} selected`
      : `true positive rate ${rate(hits)}, false ${rate(alarms)}`
  return `${said} (${rowsText(group.rows)})`
}

/** The rows, or why there are none to look at. */
function rowsOf({ challenger, heldOut }: GateFacts): FromRows<HeldOutFacts> {
  if (heldOut !== undefined) return heldOut
  if (challenger.manifest.testPredictions !== undefined) return { reason: 'the held-out predictions were not read' }
  return {
    reason:
      'no held-out predictions are recorded; register it with --test-predictions FILE, or log them in the run: run.log_test(X, y, y_pred)',
  }
}

/** None recorded fails; recorded ones that cannot be read leave the question open. */
const withoutRows = ({ challenger }: GateFacts, note: string): Pick<GateCheck, 'actual' | 'verdict' | 'note'> =>
  challenger.manifest.testPredictions === undefined
    ? { actual: 'no predictions', verdict: 'fail', note }
    : { actual: 'not read', verdict: 'inconclusive', note }
