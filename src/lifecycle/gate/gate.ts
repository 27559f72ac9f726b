/**
 * Judges one version by the rules of a stage: every check with what was required and what was found. Pure; the facts
 * are collected in `collect.ts`. Each kind of check has a file: `bounds.ts` metrics, `compare.ts` the champion,
 * `slices.ts` groups of rows, `presence.ts` what is recorded, `health.ts`, `waivers.ts`.
 *
 * A gate passes when every check passes or is waived. `inconclusive` is no pass: missing data is never taken for health.
 */
import type { Approval, GateCheck, GateResult } from '../../store/events.ts'
import { personOf } from '../promote/approval.ts'
import { boundChecks, recordedCheck } from './bounds.ts'
import { compareWithChampion } from './compare.ts'
import { contractCheck } from './contract.ts'
import { type GateFacts, own } from './facts.ts'
import { healthCheck } from './health.ts'
import { overlapCheck, presenceChecks, scanCheck } from './presence.ts'
import type { GateRules } from './rules.ts'
import { fairnessChecks, sliceChecks } from './slices.ts'
import { testHash } from './test-set.ts'
import { applyWaivers } from './waivers.ts'

export type { Champion, GateFacts, Rescore, VersionFacts } from './facts.ts'

export function judgeGate(rules: GateRules, facts: GateFacts): GateResult {
  const { challenger, champions } = facts
  const judged = [
    ...boundChecks(rules, facts),
    ...recordedCheck(rules, facts),
    ...rules.compareTo.flatMap((stage) => compareWithChampion(rules, stage, challenger, own(champions, stage) ?? null)),
    ...sliceChecks(rules, facts),
    ...fairnessChecks(rules, facts),
    ...presenceChecks(rules, facts),
    ...overlapCheck(rules, facts),
    ...healthCheck(rules, facts),
    ...contractCheck(rules, facts),
    ...scanCheck(rules, facts),
    ...externalChecks(rules, facts),
    ...approvalCheck(rules, facts.approvals),
  ]
  const checks = applyWaivers(rules, judged, facts.today).map(brief)
  const champion = rules.compareTo.map((stage) => own(champions, stage)).find((each) => each != null)
  const test = testHash(challenger.manifest)
  return {
    verdict: checks.every(({ verdict }) => verdict === 'pass' || verdict === 'waived') ? 'pass' : 'fail',
    checks,
    waived: checks.filter(({ verdict }) => verdict === 'waived').length,
    bound: {
      manifest: challenger.digest,
      policy: rules.digest,
      ...(champion == null ? {} : { champion: champion.digest }),
      ...(test === undefined ? {} : { test }),
    },
  }
}

/** An event holds at most 64 KiB, and names of groups and what a command printed are as long as they like. */
const LONGEST = { required: 300, actual: 300, note: 1200 } as const

function brief(check: GateCheck): GateCheck {
  const cut = (text: string, most: number): string =>
    text.length <= most ? text : `${Array.from(text.slice(0, most)).slice(0, -1).join('')}…`
  const { required, actual, note } = check
  return {
    ...check,
    required: cut(required, LONGEST.required),
    actual: cut(actual, LONGEST.actual),
    ...(note === undefined ? {} : { note: cut(note, LONGEST.note) }),
  }
}

/** The checks that keep a version out. */
export const failingChecks = (gate: GateResult): readonly GateCheck[] =>
  gate.checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive')

/** What only a person's yes is missing from has not failed. */
export const isWaiting = ({ name, verdict }: Pick<GateCheck, 'name' | 'verdict'>): boolean =>
  name === 'approval' && verdict === 'fail'

/** True when nothing but a person's yes is missing. */
export const onlyApprovalMissing = (gate: GateResult): boolean => {
  const failing = failingChecks(gate)
  return failing.length > 0 && failing.every(({ name }) => name === 'approval')
}

/** Passing checks whose note is a warning, and not only how they were judged. */
const CAUTIOUS = ['scan', 'baseline', 'train_test_overlap', 'waivers']

/** Checks that pass and still deserve a warning: the version runs, but somebody should know. */
export const cautions = (gate: GateResult): readonly string[] =>
  gate.checks.flatMap(({ name, verdict, note }) =>
    verdict === 'pass' && note !== undefined && CAUTIOUS.includes(name) ? [note] : [],
  )

/** Approvals of different people: a person counts once however often a name is given; the first word stands. */
export const distinctApprovals = (approvals: readonly Approval[]): readonly Approval[] =>
  approvals.filter(({ name }, at) => approvals.findIndex((each) => personOf(each.name) === personOf(name)) === at)

/** What was checked elsewhere; a check that nobody ran is open. */
const externalChecks = (rules: GateRules, { external }: GateFacts): GateCheck[] =>
  rules.external.map((rule, index) => ({
    name: `external ${rule.name}`,
    required: 'command' in rule ? 'exit code 0' : 'tests, none failed',
    ...(external?.[index] ?? { actual: 'not run', verdict: 'inconclusive' }),
  }))

function approvalCheck(rules: GateRules, approvals: readonly Approval[]): GateCheck[] {
  const people = distinctApprovals(approvals)
  if (rules.approval === 0 && people.length === 0) return []
  const actual = people.length === 0 ? 'none' : people.map(({ name, origin }) => `${name} (${origin})`).join(', ')
  const needed = rules.approval === 0 ? 'optional' : rules.approval === 1 ? '1 person' : `${rules.approval} people`
  return [{ name: 'approval', required: needed, actual, verdict: people.length >= rules.approval ? 'pass' : 'fail' }]
}
