/**
 * `mlops doctor`: looks at everything that could fail when it is needed, rates the four gaps of every model, and names
 * the one thing to do. Changes nothing; asks channels and package indexes unless it is told to stay offline.
 */
import type { Context } from '../core/context.ts'
import { gapFacts, projectPolicies } from '../lifecycle/status/gap-facts.ts'
import { type GapFacts, gapsOf, nextOfGaps } from '../lifecycle/status/gaps.ts'
import type { NextStep } from '../lifecycle/status/next-step.ts'
import { urgentStatus } from '../lifecycle/status/status.ts'
import type { VersionDetail } from '../lifecycle/versions/version.ts'
import type { Project } from '../project/config.ts'
import { readOnce } from '../store/read-once.ts'
import type { Store } from '../store/store.ts'
import { channelFindings } from './channels.ts'
import { environmentFindings } from './environment.ts'
import { machineFindings } from './machine.ts'
import { policyReport } from './policies.ts'
import { serviceFindings } from './services.ts'
import { type DoctorReport, type Finding, worstFirst } from './types.ts'
import { stagedVersions, versionFindings } from './versions.ts'

export interface DoctorRequest {
  /** Only this model. */
  readonly model?: string | undefined
  /** Ask nobody over a network. */
  readonly offline: boolean
}

/** @throws notFound `MODEL_NOT_FOUND` */
export async function examine(
  ctx: Context,
  project: Project,
  given: Store,
  { model, offline }: DoctorRequest,
): Promise<DoctorReport> {
  const store = readOnce(given)
  const status = await urgentStatus(ctx, project, store, model)
  const damaged = status.models.filter(({ rank }) => rank === 'damaged')
  const whole = status.models.filter(({ rank }) => rank !== 'damaged')
  const states = await Promise.all(whole.map((each) => store.models.stateOrEmpty(each.model)))
  const details: VersionDetail[] = []
  const findings: Finding[] = damaged.map((each) => ({
    area: 'versions',
    severity: 'bad',
    model: each.model,
    summary: each.problem ?? 'its log is damaged',
    next: 'mlops store verify',
  }))
  for (const state of states) {
    const staged = await stagedVersions(store, state)
    details.push(...staged.details)
    findings.push(...staged.findings, ...staged.details.flatMap(versionFindings))
  }
  findings.push(...whole.flatMap(serviceFindings))
  const policies = await projectPolicies(ctx, project)
  const policy = await policyReport(ctx, project, store, policies, whole)
  const names = whole.map((each) => each.model)
  const machine = await machineFindings(ctx, store, states)
  const channels = await channelFindings(ctx, project, store, names, policies, offline)
  findings.push(
    ...machine,
    ...policy.findings.filter((each) => model === undefined || each.model === null || each.model === model),
    ...channels,
    ...(await environmentFindings(ctx, store, details, offline)),
  )
  const facts: GapFacts[] = []
  for (const each of whole) {
    const known = await gapFacts(ctx, project, store, each, policies)
    facts.push({ ...known, policyProblems: policy.problems.get(each.model) ?? null })
  }
  const sorted = findings.sort(worstFirst)
  const models = facts.map((each) => ({ model: each.model, version: each.version, gaps: gapsOf(each) }))
  return { findings: sorted, models, next: nextOf(sorted, status.next, facts) }
}

/** What is broken comes first, then what the fleet needs today, then the next gap. */
function nextOf(findings: readonly Finding[], today: NextStep | null, facts: readonly GapFacts[]): NextStep | null {
  const broken = findings.find(({ severity, next }) => severity === 'bad' && next !== null)
  if (broken?.next != null) return { command: broken.next, why: broken.summary }
  return today ?? nextOfGaps(facts)
}
