/**
 * The comparison of a challenger with the champion, as checks of a gate. Pure.
 *
 * Numbers from two test sets say nothing about which model is better, so the comparison is proven only on the same
 * rows: both versions record the same test data, or the champion was re-scored on the challenger's (`rescore.ts`).
 *   test sets known to differ, champion not re-scored   inconclusive everywhere
 *   a test set unknown                                  recorded metrics, "test set unproven": staging only
 * Ties pass; without a champion it passes and is marked; the champion's own files tie with themselves.
 */
import type { GateCheck } from '../store/events.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Champion, VersionFacts } from './gate.ts'
import { comparedMetrics, type GateRules, PRODUCTION } from './gate-rules.ts'
import { metricOf } from './metrics.ts'

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
  return metrics.map(({ name, better }) => compareMetric({ name, better, against, challenger, basis }))
}

/** Which of the champion's numbers are compared, and what they are worth. */
interface Basis {
  readonly metrics: Manifest['metrics']
  /** A reason why no verdict can be drawn from them. */
  readonly void?: string
  readonly note?: string
  /** What to do when they do not suffice. */
  readonly remedy: string
}

function basisOf(rules: GateRules, challenger: VersionFacts, champion: Champion): Basis {
  const recorded = champion.manifest.metrics
  const ours = testHash(challenger.manifest)
  const theirs = testHash(champion.manifest)
  const proof = remedy(ours, champion)
  const basis = { metrics: recorded, remedy: proof }
  if (champion.rescore?.kind === 'measured') {
    const note = 'the champion was re-scored on the test set of the challenger'
    return { metrics: champion.rescore.metrics, note, remedy: 'print it from the evaluate command' }
  }
  if (ours !== undefined && ours === theirs) return basis
  if (ours !== undefined && theirs !== undefined) {
    return { ...basis, void: `measured on different test sets; ${proof}` }
  }
  const unknown =
    ours === undefined && theirs === undefined
      ? 'neither version records its test set'
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
  readonly better: 'higher' | 'lower'
  readonly against: string
  readonly challenger: VersionFacts
  readonly basis: Basis
}

function compareMetric({ name, better, against, challenger, basis }: MetricComparison): GateCheck {
  const theirs = metricOf(basis.metrics, name)
  const ours = metricOf(challenger.manifest.metrics, name)
  const relation = better === 'higher' ? '>=' : '<='
  const required = `${name} ${relation} ${theirs ?? '?'} of ${against}`
  const actual = ours === undefined ? 'missing' : String(ours)
  const check = { name: NAME, required, actual }
  if (ours === undefined || !Number.isFinite(ours)) return { ...check, verdict: 'fail' }
  if (theirs === undefined || !Number.isFinite(theirs)) {
    const has = theirs === undefined ? `no ${name}` : `no finite ${name}`
    return { ...check, verdict: 'inconclusive', note: `${against} has ${has} to compare with; ${basis.remedy}` }
  }
  if (basis.void !== undefined) return { ...check, verdict: 'inconclusive', note: basis.void }
  const holds = better === 'higher' ? ours >= theirs : ours <= theirs
  return { ...check, verdict: holds ? 'pass' : 'fail', ...(basis.note === undefined ? {} : { note: basis.note }) }
}

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

/** The hash of the held-out rows that a version's metrics were measured on. */
export const testHash = (manifest: Manifest): string | undefined =>
  manifest.data.find(({ name }) => name === 'test')?.sha256

/** By content: registering the champion's file again with its test set is how an unproven champion becomes proven. */
function sameFiles(one: Manifest, other: Manifest): boolean {
  const digests = (manifest: Manifest): string =>
    manifest.files
      .map(({ sha256 }) => sha256)
      .sort()
      .join()
  return one.files.length > 0 && digests(one) === digests(other)
}
