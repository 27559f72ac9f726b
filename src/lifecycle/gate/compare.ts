/**
 * The comparison of a challenger with the champion, as checks of a gate. Pure.
 *
 * Numbers from two test sets say nothing about which model is better, so the comparison is proven only on the same
 * rows: both versions record the same test data, or the champion was re-scored on the challenger's (`rescore.ts`).
 *   test sets known to differ, champion not re-scored   inconclusive everywhere
 *   a test set unknown                                  recorded metrics, "test set unproven": staging only
 * Ties pass; without a champion it passes and is marked; the champion's own files tie with themselves.
 * With predictions of both on those rows they are compared row by row, and a margin is judged by the interval.
 */
import { impossible } from '../../core/metric-names.ts'
import type { Better, PairedComparison } from '../../evaluation/types.ts'
import type { Gate } from '../../project/gate-config.ts'
import type { GateCheck } from '../../store/events.ts'
import type { Manifest } from '../../store/manifest.ts'
import { metricOf } from '../versions/metrics.ts'
import { agrees } from './bounds.ts'
import { type Champion, type FromRows, isReason, own, type VersionFacts } from './facts.ts'
import { type Allowance, allowanceOf } from './margin.ts'
import { figure, intervalText, roughly, rowsText, signed } from './numbers.ts'
import { comparedMetrics, type GateRules, PRODUCTION } from './rules.ts'
import { sameFiles, testHash, testSetsOf } from './test-set.ts'

const NAME = 'compare_to'
export function compareWithChampion(
  rules: GateRules,
  stage: string,
  challenger: VersionFacts,
  champion: Champion | null,
): GateCheck[] {
  if (champion === null) return [noChampion(rules, stage, challenger)]
  const against = `${champion.model}@${champion.version}`
  const required = `not worse than ${against}`
  if (champion.digest === challenger.digest || sameFiles(champion.manifest, challenger.manifest)) {
    const note = `the same files as ${against} in ${stage}: a tie`
    return [{ name: NAME, required, actual: 'tie', verdict: 'pass', note }]
  }
  const metrics = comparedMetrics(rules)
  if (metrics.length === 0) {
    const note = 'the metrics compared are those that min_ and max_ name; name one in the gate'
    return [{ name: NAME, required, actual: 'no metric to compare', verdict: 'inconclusive', note }]
  }
  const basis = basisOf(rules, challenger, champion)
  const margins = rules.margins[stage] ?? []
  return metrics.map(({ name, better }) => {
    const { value: ours, note: measured } = ownFigure(challenger, champion, name)
    const paired = pairedOf(champion, name)
    if (paired === undefined || !isReason(paired)) {
      return compareMetric({ name, better, against, margins, basis, ours, measured, paired })
    }
    const unpaired = `not compared row by row: ${paired.reason}`
    return compareMetric({
      name,
      better,
      against,
      margins,
      ours,
      measured,
      basis: { ...basis, unpaired },
      paired: undefined,
    })
  })
}

/**
 * The figure of the challenger: as recorded, or as the command gives that measured both. The two must be one; where they
 * are not, what was measured counts, because the champion was measured so.
 */
function ownFigure(
  { manifest }: VersionFacts,
  { rescore }: Champion,
  name: string,
): { readonly value: number | undefined; readonly note?: string } {
  const recorded = metricOf(manifest.metrics, name)
  const measured = rescore?.kind === 'measured' ? rescore.challenger : undefined
  if (measured === undefined || recorded === undefined || !Number.isFinite(recorded)) return { value: recorded }
  const value = metricOf(measured.metrics, name)
  const both = `both versions were measured with "${measured.command}"`
  if (value === undefined || !Number.isFinite(value)) {
    return { value: Number.NaN, note: `${both}, which gives no ${name} of this version` }
  }
  if (agrees(recorded, value)) return { value: recorded, note: both }
  return { value, note: `${both}: ${name} of this version, recorded as ${recorded}, is ${figure(value)}, which counts` }
}

/** The comparison of the metric on the rows of both; undefined where one has no predictions on them. */
function pairedOf({ paired }: Champion, metric: string): FromRows<PairedComparison> | undefined {
  if (paired === undefined || isReason(paired)) return paired
  return own(paired, metric)
}

/** Which of the champion's numbers are compared, and what they are worth. */
interface Basis {
  readonly metrics: Manifest['metrics']
  /** A reason why no verdict can be drawn from them. */
  readonly void?: string
  readonly note?: string
  /** Why the stored predictions of the two could not be compared row by row. */
  readonly unpaired?: string
  /** What to do when they do not suffice. */
  readonly remedy: string
}

function basisOf(rules: GateRules, challenger: VersionFacts, champion: Champion): Basis {
  const recorded = champion.manifest.metrics
  const ours = testHash(challenger.manifest)
  const theirs = testHash(champion.manifest)
  const testSets = testSetsOf(challenger.manifest, champion.manifest)
  const proof = remedy(ours, champion)
  const { rescore } = champion
  const basis = { metrics: recorded, remedy: proof }
  if (rescore?.kind === 'measured') {
    const note = 'the champion was re-scored on the test set of the challenger'
    return { ...basis, metrics: rescore.metrics, note, remedy: 'print it from the evaluate command' }
  }
  if (testSets === 'same') return basis
  if (testSets === 'different') {
    return { ...basis, void: `measured on different test sets; ${proof}` }
  }
  const unknown =
    ours === undefined && theirs === undefined
      ? 'neither version records its test set'
      : ours !== undefined && theirs !== undefined
        ? 'one version records the file of its test set, the other the rows that its script logged'
        : `${ours === undefined ? 'the challenger' : 'the champion'} records no test set`
  if (rules.stage === PRODUCTION) return { ...basis, void: `test set unproven: ${unknown}; ${proof}` }
  return { ...basis, note: `test set unproven: ${unknown}; good for ${rules.stage}, not for production` }
}

/** What to type so that the comparison can be made, given what is missing for it. */
function remedy(ours: string | undefined, champion: Champion): string {
  const steps: string[] = []
  if (ours === undefined) steps.push('register this version again with --test DATA')
  if (champion.rescore === undefined) {
    steps.push(
      "set evaluate: 'CMD {model} {data}' in mlops.yaml (or register --evaluate), so that the champion is scored on the same rows",
    )
  } else if (champion.rescore.kind === 'impossible') steps.push(champion.rescore.reason)
  return steps.join(', and ')
}

interface MetricComparison {
  readonly name: string
  readonly better: Better
  readonly against: string
  readonly ours: number | undefined
  /** How `ours` came about where it was measured anew. */
  readonly measured: string | undefined
  readonly margins: readonly Gate['margin'][]
  readonly basis: Basis
  readonly paired: PairedComparison | undefined
}

function compareMetric(comparison: MetricComparison): GateCheck {
  const { name, against, ours, basis, paired, margins } = comparison
  if (paired !== undefined) return comparePredictions(comparison, paired)
  const theirs = metricOf(basis.metrics, name)
  const known = theirs !== undefined && Number.isFinite(theirs)
  const room = allowanceOf(margins, name, known ? theirs : Number.NaN)
  const required = requiredText(comparison, theirs, known ? room : { value: 0, text: '' })
  const check = { name: NAME, metric: name, required, actual: ours === undefined ? 'missing' : String(ours) }
  if (ours === undefined || !Number.isFinite(ours)) {
    const { measured } = comparison
    return measured === undefined
      ? { ...check, verdict: 'fail' }
      : { ...check, verdict: 'inconclusive', note: measured }
  }
  const wrong = impossible(name, ours)
  if (wrong !== undefined) return { ...check, verdict: 'fail', note: wrong }
  if (!known) {
    const has = theirs === undefined ? `no ${name}` : `no finite ${name}`
    return { ...check, verdict: 'inconclusive', note: `${against} has ${has} to compare with; ${basis.remedy}` }
  }
  const odd = impossible(name, theirs)
  if (odd !== undefined)
    return { ...check, verdict: 'inconclusive', note: `the figure of ${against} cannot be: ${odd}` }
  if (basis.void !== undefined) return { ...check, verdict: 'inconclusive', note: basis.void }
  const alone = room.value > 0 && basis.unpaired === undefined ? NO_ROWS : undefined
  const notes = [boundNote(comparison, theirs, room), basis.note, comparison.measured, basis.unpaired, alone].filter(
    (note) => note !== undefined,
  )
  const holds = gainOf(comparison.better, ours, theirs) >= -room.value
  return { ...check, verdict: holds ? 'pass' : 'fail', ...(notes.length === 0 ? {} : { note: notes.join('; ') }) }
}

const NO_ROWS =
  'without held-out predictions of both the two numbers alone decide (register --test-predictions FILE; {predictions} in the evaluate command)'

/**
 * On the same rows, answer by answer. A configured margin is judged by the interval of the difference; without one the
 * two numbers decide, so that nobody is better off for not recording predictions (docs/decisions/0011).
 */
function comparePredictions(comparison: MetricComparison, paired: PairedComparison): GateCheck {
  const { name, better, basis, margins } = comparison
  const room = allowanceOf(margins, name, paired.champion)
  const holds = gainOf(better, paired.challenger, paired.champion) >= 0
  const verdict = room.value > 0 ? BY_INTERVAL[paired.verdict] : holds ? 'pass' : 'fail'
  const also = paired.also === null ? '' : `, ${paired.also.method} p ${roughly(paired.also.p)}`
  const gain = better === 'higher' ? `gain ${roughly(paired.gain)}, ${intervalText(paired.interval)}` : lessText(paired)
  const said = `${paired.method} on ${rowsText(paired.rows)}: ${gain}${also}: ${paired.verdict}`
  const notes = [
    boundNote(comparison, paired.champion, room),
    basis.note,
    comparison.measured,
    said,
    paired.note,
    room.value > 0
      ? verdict === 'inconclusive'
        ? 'the rows do not say whether it is within the margin; test on more rows, or allow more'
        : undefined
      : paired.verdict === 'inconclusive'
        ? 'no margin is configured, so the two numbers decide'
        : undefined,
  ].filter((note) => note !== undefined)
  return {
    name: NAME,
    metric: name,
    required: requiredText(comparison, paired.champion, room),
    actual: `${figure(paired.challenger)} (${signed(better === 'higher' ? paired.gain : -paired.gain)})`,
    verdict,
    note: notes.join('; '),
    evidence: {
      method: paired.method,
      estimate: paired.gain,
      interval: [paired.interval.low, paired.interval.high],
      confidence: paired.interval.confidence,
      rows: paired.rows,
      seed: paired.seed,
    },
  }
}

/** Of a metric that is better the lower it is: the difference itself, so that its sign is that of the figure in the table. */
function lessText({ gain, interval: { low, high, confidence } }: PairedComparison): string {
  const interval = intervalText({ low: -high, high: -low, confidence })
  return `difference ${signed(-gain)} (less is better), ${interval}`
}

const BY_INTERVAL = { better: 'pass', 'not worse': 'pass', worse: 'fail', inconclusive: 'inconclusive' } as const

/** Positive where the challenger is better. */
const gainOf = (better: Better, ours: number, theirs: number): number =>
  better === 'higher' ? ours - theirs : theirs - ours

/**
 * `auc >= 0.81 of churn-model@1`. With a margin the rule itself: the numbers alone decide by `auc >= 0.8019` (`boundNote`
 * says how that came about), rows by `auc not worse than churn-model@1 by 0.01, 95 % sure`: a value within the bound may
 * still leave it open.
 */
function requiredText(comparison: MetricComparison, theirs: number | undefined, room: Allowance): string {
  const { name, better, against, paired } = comparison
  const relation = better === 'higher' ? '>=' : '<='
  if (room.value > 0 && paired !== undefined) {
    const sure = `${roughly(100 * paired.interval.confidence)} % sure`
    return `${name} not worse than ${against} by ${room.text}, ${sure}`
  }
  if (room.value === 0 || theirs === undefined) return `${name} ${relation} ${shown(comparison, theirs)} of ${against}`
  return `${name} ${relation} ${figure(better === 'higher' ? theirs - room.value : theirs + room.value)}`
}

/** `the bound is 0.81 of churn-model@1 - 1%` */
function boundNote(comparison: MetricComparison, theirs: number, { value, text }: Allowance): string | undefined {
  if (value === 0) return undefined
  const sign = comparison.better === 'higher' ? '-' : '+'
  return `the bound is ${shown(comparison, theirs)} of ${comparison.against} ${sign} ${text}`
}

/** Recorded values as they were recorded. */
const shown = ({ paired }: MetricComparison, theirs: number | undefined): string =>
  theirs === undefined ? '?' : paired === undefined ? String(theirs) : figure(theirs)

function noChampion(rules: GateRules, stage: string, challenger: VersionFacts): GateCheck {
  const known = testHash(challenger.manifest) !== undefined
  // Said now, because the next version meets this one: without its test set the two cannot be compared.
  const ahead =
    known || rules.stage !== PRODUCTION
      ? ''
      : '; this version records no test set, so the next one cannot be compared with it (register with --test DATA)'
  const note = `no version is in ${stage}: no champion to beat${ahead}`
  return { name: NAME, required: `not worse than ${stage}`, actual: 'no champion', verdict: 'pass', note }
}
