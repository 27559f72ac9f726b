/**
 * Judges one version by the rules of a stage: every check with what was required and what was found. Pure; the facts
 * are collected in `facts.ts`, the comparison with the champion is in `compare.ts`.
 *
 * A gate passes when every check passes. `inconclusive` is no pass: missing data is never taken for health.
 */
import type { Digest } from '../core/digest.ts'
import type { Approval, GateCheck, GateResult, RunPin } from '../store/events.ts'
import type { Manifest, ManifestFile } from '../store/manifest.ts'
import { personOf } from './approval.ts'
import { compareWithChampion } from './compare.ts'
import { type GateRules, PRODUCTION } from './gate-rules.ts'
import { metricOf } from './metrics.ts'

/** What a gate may know of a version. */
export interface VersionFacts {
  readonly model: string
  readonly version: number
  /** Digest of the manifest. */
  readonly digest: Digest
  readonly manifest: Manifest
  readonly run: RunPin | undefined
}

/** The champion measured anew on the challenger's test set, or why that could not be done. */
export type Rescore =
  | { readonly kind: 'measured'; readonly metrics: Manifest['metrics'] }
  | { readonly kind: 'impossible'; readonly reason: string }

export interface Champion extends VersionFacts {
  readonly rescore?: Rescore
}

export interface GateFacts {
  readonly challenger: VersionFacts
  /** By stage of `rules.compareTo`; null where no version is. */
  readonly champions: Readonly<Record<string, Champion | null>>
  /** The model has a baseline of its own (`set_baseline`), used where a version has none. */
  readonly modelBaseline: boolean
  readonly approvals: readonly Approval[]
}

export function judgeGate(rules: GateRules, facts: GateFacts): GateResult {
  const checks = [
    ...boundChecks(rules, facts.challenger.manifest),
    ...rules.compareTo.flatMap((stage) =>
      compareWithChampion(rules, stage, facts.challenger, facts.champions[stage] ?? null),
    ),
    ...presenceChecks(rules, facts),
    ...scanCheck(rules, facts.challenger.manifest.files),
    ...approvalCheck(rules, facts.approvals),
  ]
  const champion = rules.compareTo.map((stage) => facts.champions[stage]).find((each) => each != null)
  return {
    verdict: checks.every(({ verdict }) => verdict === 'pass' || verdict === 'waived') ? 'pass' : 'fail',
    checks,
    bound: {
      manifest: facts.challenger.digest,
      policy: rules.digest,
      ...(champion == null ? {} : { champion: champion.digest }),
    },
  }
}

/** The checks that keep a version out. */
export const failingChecks = (gate: GateResult): readonly GateCheck[] =>
  gate.checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive')

/** True when nothing but a person's yes is missing. */
export const onlyApprovalMissing = (gate: GateResult): boolean => {
  const failing = failingChecks(gate)
  return failing.length > 0 && failing.every(({ name }) => name === 'approval')
}

/** Checks that pass and still deserve a warning: the version runs, but somebody should know. */
export const cautions = (gate: GateResult): readonly string[] =>
  gate.checks.flatMap(({ name, verdict, note }) =>
    verdict === 'pass' && note !== undefined && (name === 'scan' || name === 'baseline') ? [note] : [],
  )

/** Approvals of different people: a person counts once however often a name is given; the first word stands. */
export const distinctApprovals = (approvals: readonly Approval[]): readonly Approval[] =>
  approvals.filter(({ name }, at) => approvals.findIndex((each) => personOf(each.name) === personOf(name)) === at)

function boundChecks(rules: GateRules, manifest: Manifest): GateCheck[] {
  const checks = [
    ...Object.entries(rules.min).map(([name, bound]) => boundCheck(`min_${name}`, manifest, name, '>=', bound)),
    ...Object.entries(rules.max).map(([name, bound]) => boundCheck(`max_${name}`, manifest, name, '<=', bound)),
  ]
  if (checks.length > 0 || rules.bound === 'optional') return checks
  const note = 'risk: high needs a min_ or max_ metric in the gate of production in mlops.yaml'
  return [{ name: 'metric bound', required: 'at least one', actual: 'none configured', verdict: 'fail', note }]
}

function boundCheck(
  check: string,
  manifest: Manifest,
  metric: string,
  relation: '>=' | '<=',
  bound: number,
): GateCheck {
  const required = `${metric} ${relation} ${bound}`
  const value = metricOf(manifest.metrics, metric)
  if (value === undefined) {
    const known = Object.keys(manifest.metrics).sort()
    const note =
      known.length === 0
        ? `no metric is recorded; log ${metric} in the run or pass --metric ${metric}=VALUE at register`
        : `recorded are ${known.slice(0, 8).join(', ')}${known.length > 8 ? ', …' : ''}`
    return { name: check, required, actual: 'missing', verdict: 'fail', note }
  }
  if (!Number.isFinite(value)) {
    const note = 'a metric that is no finite number proves nothing'
    return { name: check, required, actual: String(value), verdict: 'fail', note }
  }
  const holds = relation === '>=' ? value >= bound : value <= bound
  return { name: check, required, actual: String(value), verdict: holds ? 'pass' : 'fail' }
}

function presenceChecks(rules: GateRules, { challenger, modelBaseline }: GateFacts): GateCheck[] {
  const { manifest, run } = challenger
  const checks: GateCheck[] = []
  const production = rules.stage === PRODUCTION
  if (production && manifest.files.length === 0) {
    const note = 'a version without files cannot serve; register one with --artifact or from a run that has one'
    checks.push({ name: 'artifact', required: 'present', actual: 'no artifact', verdict: 'fail', note })
  }
  const baseline = manifest.baseline !== undefined || modelBaseline
  if (rules.baseline === 'required') {
    const actual = manifest.baseline !== undefined ? 'present' : modelBaseline ? "the model's own" : 'missing'
    checks.push(presence('baseline', baseline, actual, 'register it with --baseline DATA'))
  } else if (production && !baseline && rules.risk !== 'low') {
    const note = 'without a baseline its drift cannot be checked; register with --baseline DATA'
    checks.push({ name: 'baseline', required: 'optional', actual: 'missing', verdict: 'pass', note })
  }
  if (rules.run === 'required') {
    checks.push(presence('run', run !== undefined, run?.id ?? 'missing', 'register it with --run RUN'))
  }
  if (rules.dataHash === 'required') {
    const known = manifest.baseline?.data ?? manifest.data.find(({ name }) => name !== 'test')
    const hint = 'train under mlops track --data train=PATH, or register with --baseline DATA'
    checks.push(presence('data_hash', known !== undefined, known?.sha256.slice(0, 12) ?? 'missing', hint))
  }
  return checks
}

const presence = (name: string, holds: boolean, actual: string, hint: string): GateCheck => ({
  name,
  required: 'present',
  actual,
  verdict: holds ? 'pass' : 'fail',
  ...(holds ? {} : { note: hint }),
})

/** scikit-learn's joblib files hold known globals only; what can execute code is a matter of the model's risk. */
function scanCheck(rules: GateRules, files: readonly ManifestFile[]): GateCheck[] {
  if (files.length === 0) return []
  const suspects = files.filter(({ scan }) => scan.verdict === 'can execute code' || scan.verdict === 'not determined')
  const high = rules.risk === 'high'
  if (suspects.length === 0) {
    return high ? [{ name: 'scan', required: 'no code', actual: worstScan(files), verdict: 'pass' }] : []
  }
  const named = suspects.slice(0, 3).map(({ path, scan }) => {
    if (scan.verdict === 'not determined') return `whether ${path} can execute code when it is loaded is not determined`
    return `${path} can execute code when it is loaded (${scan.findings.slice(0, 3).join(', ')})`
  })
  const note = `${named.join('; ')}${suspects.length > 3 ? `; ${suspects.length - 3} more` : ''}`
  // Low risk forgives what could not be read, never what is known to run code when it is loaded.
  const said = rules.risk !== 'low' || suspects.some(({ scan }) => scan.verdict === 'can execute code')
  return [
    {
      name: 'scan',
      required: high ? 'no code' : 'optional',
      actual: worstScan(files),
      verdict: high ? 'fail' : 'pass',
      ...(said ? { note } : {}),
    },
  ]
}

const SCAN_ORDER = ['inert', 'known globals only', 'not determined', 'can execute code'] as const

const worstScan = (files: readonly ManifestFile[]): string =>
  SCAN_ORDER[Math.max(...files.map(({ scan }) => SCAN_ORDER.indexOf(scan.verdict)))] ?? 'not determined'

function approvalCheck(rules: GateRules, approvals: readonly Approval[]): GateCheck[] {
  const people = distinctApprovals(approvals)
  if (rules.approval === 0 && people.length === 0) return []
  const actual = people.length === 0 ? 'none' : people.map(({ name, origin }) => `${name} (${origin})`).join(', ')
  const needed = rules.approval === 0 ? 'optional' : rules.approval === 1 ? '1 person' : `${rules.approval} people`
  return [{ name: 'approval', required: needed, actual, verdict: people.length >= rules.approval ? 'pass' : 'fail' }]
}
