/**
 * Will a policy ever do what it says? Everything that keeps it from it, before the night on which it is needed. What it
 * must have is `retrain/preflight.ts`; here are the things that its trigger and its job rely on.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { MlopsError } from '../core/errors.ts'
import { parseModelRef } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import type { Profile } from '../drift/profile.ts'
import type { ProjectPolicies } from '../lifecycle/status/gap-facts.ts'
import type { ModelStatus } from '../lifecycle/status/model-status.ts'
import { FEWEST_LABELS } from '../monitor/quality.ts'
import { baselineColumns, shapeOf } from '../monitor/row-shape.ts'
import { subjectOf } from '../monitor/subject.ts'
import { openLog } from '../predictions/log.ts'
import type { Project } from '../project/config.ts'
import { DAY } from '../project/duration.ts'
import { modelConfig } from '../project/load.ts'
import type { Policy, Trigger } from '../project/policy.ts'
import { problemsOf as dataProblemsOf } from '../retrain/declared-data.ts'
import { knownVersion } from '../retrain/facts.ts'
import { missingOf, preflight } from '../retrain/preflight.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import type { Finding } from './types.ts'

export interface PolicyReport {
  readonly findings: readonly Finding[]
  /** By model: what keeps its policy from working; empty where nothing does. */
  readonly problems: ReadonlyMap<string, readonly string[]>
}

export async function policyReport(
  ctx: Context,
  project: Project,
  store: Store,
  policies: ProjectPolicies,
  statuses: readonly ModelStatus[],
): Promise<PolicyReport> {
  const findings = policies.unreadable.map(unreadable)
  const problems = new Map<string, readonly string[]>()
  for (const policy of policies.readable) {
    const found = await problemsOf(ctx, project, store, policy, statuses)
    problems.set(policy.model, found)
    const next = `mlops retrain ${policy.model} --plan`
    const common = { area: 'policy', model: policy.model } as const
    const named = policy.file ?? 'the policy'
    if (found.length === 0) findings.push({ ...common, severity: 'good', summary: `${named} can fire`, next: null })
    for (const problem of found) findings.push({ ...common, severity: 'bad', summary: `${named}: ${problem}`, next })
  }
  return { findings, problems }
}

function unreadable({ message, details }: MlopsError): Finding {
  const first = Array.isArray(details?.problems) ? `: ${String(details.problems[0])}` : ''
  const summary = `a policy cannot be read, so nothing is retrained by it: ${message.replace(/\.$/, '')}${first}`
  return { area: 'policy', severity: 'bad', model: null, summary, next: 'mlops help configuration' }
}

async function problemsOf(
  ctx: Context,
  project: Project,
  store: Store,
  policy: Policy,
  statuses: readonly ModelStatus[],
): Promise<string[]> {
  const { model } = policy
  const status = statuses.find((each) => each.model === model)
  if (status === undefined) {
    const close = nearest(
      model,
      statuses.map((each) => each.model),
    )
    return [`there is no model ${model}${close === undefined ? '' : `; is ${close} meant?`}`]
  }
  const state = await store.models.stateOrEmpty(model)
  return [
    ...(await lacking(ctx, project, store, state, policy)),
    ...(await triggerProblems(ctx, project, store, state, policy, status)),
    ...jobProblems(project, policy),
  ]
}

async function lacking(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  policy: Policy,
): Promise<string[]> {
  const data = policy.job.type === 'command' ? (policy.job.data ?? {}) : {}
  const files = Object.entries(data).map(([name, path]) => ({ name, path }))
  const checks = preflight({
    model: state.model,
    policy,
    config: modelConfig(project, state.model),
    stage: policy.promoteOnPass,
    inProduction: state.stages.production !== undefined,
    known: await knownVersion(store, state),
    modelBaseline: state.baseline !== undefined,
    data,
    dataProblems: await dataProblemsOf(ctx, project.root, files),
  })
  return missingOf(checks).map(({ what, found }) => `no ${what}: ${found}`)
}

async function triggerProblems(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  { trigger, model }: Policy,
  { production, health }: ModelStatus,
): Promise<string[]> {
  switch (trigger.type) {
    case 'drift': {
      const nothing = health === null || (health.checked === null && health.logged === null)
      const silent = 'it fires on drift, and nothing is logged or checked that could show any'
      return [...(nothing ? [silent] : []), ...(await columnProblem(store, state, trigger, production?.version))]
    }
    case 'metric':
      return labelProblem(ctx, project, store, trigger, model)
    case 'new_data': {
      const isPattern = /[*?[]/.test(trigger.data) || /^[a-z]+:\/\//.test(trigger.data)
      if (isPattern || existsSync(resolve(project.root, trigger.data))) return []
      return [`it waits for new data in ${trigger.data}, which does not exist`]
    }
    default:
      return []
  }
}

async function columnProblem(
  store: Store,
  state: ModelState,
  { column }: Extract<Trigger, { type: 'drift' }>,
  version: number | undefined,
): Promise<string[]> {
  const held = version === undefined ? undefined : state.versions[version - 1]
  if (column === undefined || held === undefined) return []
  const { baseline } = await store.models.manifest(held.manifest)
  const digest = baseline?.profile ?? state.baseline?.profile.sha256
  if (digest === undefined) return []
  const columns = (await store.objects.readJson<Profile>(digest)).columns.map(({ name }) => name)
  if (columns.includes(column)) return []
  const close = nearest(column, columns)
  return [
    `it looks at the column ${column}, which the baseline has not${close === undefined ? '' : `; is ${close} meant?`}`,
  ]
}

const LABEL_DAYS = 30

/** Labels of a month: where none arrived for that long, none are on their way. */
async function labelProblem(
  ctx: Context,
  project: Project,
  store: Store,
  { metric }: Extract<Trigger, { type: 'metric' }>,
  model: string,
): Promise<string[]> {
  const until = ctx.now().getTime()
  try {
    const log = openLog(ctx, project, store, model)
    const subject = await subjectOf(store, parseModelRef(model))
    const shape = shapeOf(project, subject, await baselineColumns(store, subject))
    const { labelled, versions } = await log.quality({ since: until - LABEL_DAYS * DAY, until }, shape)
    const enough = versions.filter((each) => each.labelled >= FEWEST_LABELS)
    const given = [...new Set(enough.flatMap(({ metrics }) => Object.keys(metrics)))].sort()
    if (enough.length > 0 && !given.includes(metric)) {
      return [`it fires on ${metric}, which the labels do not give; they give ${given.join(', ') || 'none'}`]
    }
    if (labelled > 0) return []
    return [`it fires on ${metric}, and no label has arrived for a prediction of the last ${LABEL_DAYS} days`]
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    return [`it fires on ${metric}, and the prediction log cannot be read: ${error.message}`]
  }
}

function jobProblems(project: Project, { job, model }: Policy): string[] {
  if (job.type === 'github_actions') {
    const path = join('.github', 'workflows', job.workflow)
    // The workflow may stand in another repository.
    if (job.repository !== undefined || existsSync(join(project.root, path))) return []
    return [`its job dispatches ${path}, which is not in this project`]
  }
  const command = job.command ?? modelConfig(project, model).train
  if (command === undefined) return ['how it is trained is not known: there is no train: in mlops.yaml and no command']
  const scripts = command.split(/\s+/).filter((word) => /^[\w./-]+\.(?:py|sh|R|js)$/.test(word))
  const lost = scripts.filter((script) => !existsSync(resolve(project.root, script)))
  return lost.map((script) => `its job runs ${script}, which does not exist`)
}
