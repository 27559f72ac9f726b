/**
 * When is an old version worse on today's labelled rows than it was when it was registered? Pure; running its
 * evaluation is in `fit-evaluation.ts`, the rule in words in docs/lifecycle.md.
 *
 * The command prints figures, not answers, so an interval is known where a figure and the numbers of rows give one:
 *   accuracy   binomial: sqrt(a (1 - a) / n)
 *   auc        Hanley and McNeil, Radiology 143 (1982) 29-36, equations 1 and 2
 */
import { impossible } from '../../core/metric-names.ts'
import { normalQuantile } from '../../core/special.ts'
import { knownMetric } from '../../monitor/quality.ts'

export interface EvaluationFacts {
  /** Of them the evaluation was made. */
  readonly rows: number
  /** The rarer of two classes; null where there are not two. */
  readonly positives: number | null
  readonly now: Readonly<Record<string, number>>
  /** As recorded when it was registered. */
  readonly registered: Readonly<Record<string, number>>
  /** Rows of the test set of that time; null: not recorded, taken to have been as many as now. */
  readonly rowsRegistered: number | null
  /** Of the gate of the stage. */
  readonly min: Readonly<Record<string, number>>
  readonly max: Readonly<Record<string, number>>
}

export interface MetricFit {
  readonly metric: string
  readonly now: number
  /** When it was registered; null: not recorded. */
  readonly registered: number | null
  /** 95 %; null where the figure alone gives none. */
  readonly interval: readonly [number, number] | null
  /** The bound of the gate that it is below or above today: `min_auc 0.82`. */
  readonly broken: string | null
  readonly verdict: 'holds' | 'worse' | 'inconclusive'
}

export interface EvaluationVerdict {
  readonly verdict: MetricFit['verdict']
  /** Those that decide: named by the gate of the stage, else all that are known by name. */
  readonly metrics: readonly MetricFit[]
}

/** Fewer labelled rows say nothing. */
export const FEWEST_ROWS = 50
/** Where chance cannot be told from the figure alone. */
const FEWEST_WITHOUT_INTERVAL = 200
/** Both sides together, over all metrics that decide. */
const ALPHA = 0.05
/** Of one side: what a version that holds may still have lost unseen. */
const UNSEEN = 0.1

export function judgeEvaluation(facts: EvaluationFacts): EvaluationVerdict {
  const { now, registered, min, max } = facts
  const bounded = [...new Set([...Object.keys(min), ...Object.keys(max)])].filter((name) => Object.hasOwn(now, name))
  const known = Object.keys(now).filter((name) => knownMetric(name) !== undefined && Object.hasOwn(registered, name))
  const names = bounded.length > 0 ? bounded : known
  const metrics = names.map((name) => judgeMetric(facts, name, names.length))
  const has = (verdict: MetricFit['verdict']): boolean => metrics.some((each) => each.verdict === verdict)
  // What cannot be a value of a metric makes the whole evaluation doubtful, whatever its other figures say.
  const holds =
    has('holds') && metrics.every(({ metric, now, broken }) => broken === null && impossible(metric, now) === undefined)
  return { verdict: has('worse') ? 'worse' : holds ? 'holds' : 'inconclusive', metrics }
}

function judgeMetric(facts: EvaluationFacts, metric: string, tests: number): MetricFit {
  const now = facts.now[metric] ?? Number.NaN
  const registered = facts.registered[metric]
  const z = normalQuantile(ALPHA / 2 / tests)
  const error = standardError(metric, now, facts.rows, facts.positives)
  const wide = 1.959964 * (error ?? 0)
  const broken = brokenBound(facts, metric, now)
  const isDoubtful = impossible(metric, now) !== undefined
  const verdict = isDoubtful || facts.rows < FEWEST_ROWS ? 'inconclusive' : verdictOf()
  const interval = error === null || isDoubtful ? null : ([Math.max(0, now - wide), Math.min(1, now + wide)] as const)
  return { metric, now, registered: registered ?? null, interval, broken: broken?.name ?? null, verdict }

  function verdictOf(): MetricFit['verdict'] {
    // Without an interval the gate's own rule: what is below the bound breaks it.
    if (broken !== undefined && (error === null || broken.by > z * error)) return 'worse'
    // A figure of that time that cannot be is as good as none.
    const isKnown = registered !== undefined && impossible(metric, registered) === undefined
    const lost = !isKnown ? 'unknown' : lossOf(facts, metric, now, registered, z)
    if (lost !== 'unknown') return lost
    // A bound that is kept is all that is asked, where nothing was recorded to compare with.
    const isBounded = Object.hasOwn(facts.min, metric) || Object.hasOwn(facts.max, metric)
    return isBounded && broken === undefined && facts.rows >= FEWEST_WITHOUT_INTERVAL ? 'holds' : 'inconclusive'
  }
}

/** What was lost since registration, against what matters (the limits of a quality check, docs/drift.md). */
function lossOf(
  { rows, rowsRegistered, positives }: EvaluationFacts,
  metric: string,
  now: number,
  registered: number,
  z: number,
): MetricFit['verdict'] | 'unknown' {
  const known = knownMetric(metric)
  if (known === undefined) return 'unknown'
  const loss = known.better === 'higher' ? registered - now : now - registered
  const limit = known.limit(registered)
  const share = positives === null ? null : positives / rows
  const before = rowsRegistered ?? rows
  const errors = [
    standardError(metric, now, rows, positives),
    standardError(metric, registered, before, share === null ? null : share * before),
  ]
  const [a, b] = errors
  if (a == null || b == null) {
    // Chance cannot be told: only what is far on either side of the limit counts.
    if (rows < FEWEST_WITHOUT_INTERVAL) return 'inconclusive'
    return loss >= 2 * limit ? 'worse' : loss < limit ? 'holds' : 'inconclusive'
  }
  const error = Math.hypot(a, b)
  if (loss >= limit && loss > z * error) return 'worse'
  return loss + normalQuantile(UNSEEN) * error < limit ? 'holds' : 'inconclusive'
}

/** By how much, in the unit of the metric. */
function brokenBound({ min, max }: EvaluationFacts, metric: string, now: number) {
  const low = Object.hasOwn(min, metric) ? min[metric] : undefined
  const high = Object.hasOwn(max, metric) ? max[metric] : undefined
  if (low !== undefined && !(now >= low)) return { name: `min_${metric} ${low}`, by: low - now }
  if (high !== undefined && !(now <= high)) return { name: `max_${metric} ${high}`, by: now - high }
  return undefined
}

/** Null where the figure does not give it. */
function standardError(metric: string, value: number, rows: number, positives: number | null): number | null {
  const name = knownMetric(metric)?.canonical
  if (!(value >= 0 && value <= 1)) return null
  // A share of 0 or 1 has no spread in the formula, and does in the next rows: never less than one row's.
  const share = (n: number): number => Math.sqrt(Math.max(value * (1 - value), 1 / n) / n)
  if (name === 'accuracy') return share(rows)
  if (positives === null || positives < 1 || positives >= rows) return null
  if (name !== 'auc') return null
  const negatives = rows - positives
  const q1 = value / (2 - value)
  const q2 = (2 * value ** 2) / (1 + value)
  const spread = value * (1 - value) + (positives - 1) * (q1 - value ** 2) + (negatives - 1) * (q2 - value ** 2)
  return Math.sqrt(Math.max(spread, 1 / rows) / (positives * negatives))
}
