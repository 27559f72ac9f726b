/** Collects what a plan is decided from: the champion, what the trigger looks at, the jobs before. Reads only. */

import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { sha256File } from '../core/digest.ts'
import { failed, inconclusive, notFound, systemCode, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import type { CheckResult } from '../drift/types.ts'
import { isHistoric, isSmallCheck } from '../lifecycle/health.ts'
import type { Project } from '../project/config.ts'
import type { Policy, Trigger } from '../project/policy.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { RunEnd, RunStart } from '../store/run-records.ts'
import type { CheckRecord, Store } from '../store/store.ts'
import type { RetrainSteps } from './steps.ts'
import { type Champion, type Finding, judgeDrift, judgeNewData, judgeSchedule, manualFinding } from './trigger.ts'

export async function championOf(store: Store, state: ModelState): Promise<Champion | null> {
  const version = championVersion(state)
  if (version === undefined) return null
  const manifest = await store.models.manifest(version.manifest)
  const trained = manifest.data.filter(({ name }) => name !== 'test').map(({ sha256 }) => sha256)
  const own = manifest.baseline
  return {
    version: version.version,
    manifest: version.manifest,
    registered: version.registered.time,
    dataHashes: [...trained, ...(own === undefined ? [] : [own.data.sha256])],
    baselines: [
      ...(own === undefined ? [] : [own.profile]),
      ...(state.baseline ? [state.baseline.profile.sha256] : []),
    ],
  }
}

function championVersion(state: ModelState): VersionState | undefined {
  const entry = state.stages.production
  return entry === undefined ? undefined : state.versions[entry.version - 1]
}

export interface TriggerRequest {
  readonly reason: string | undefined
  /** `--current DATA`: check this batch now instead of looking at the last check. */
  readonly current: string | undefined
  /** What cannot be looked at does not matter. */
  readonly force: boolean
}

/**
 * @throws inconclusive `CHECK_MISSING`; notFound `STAGE_EMPTY`, `DATA_NOT_FOUND`; usage `TRIGGER_NOT_BUILT`; whatever
 *   a drift check throws. With `force` a trigger that cannot be judged does not fire, and says why.
 */
export async function lookAtTrigger(
  ctx: Context,
  project: Project,
  store: Store,
  policy: Policy,
  champion: Champion | null,
  request: TriggerRequest,
  steps: Pick<RetrainSteps, 'check' | 'checkNow'>,
): Promise<Finding> {
  const { trigger } = policy
  if (trigger.type === 'manual') return manualFinding(request.reason)
  try {
    return await judge(ctx, project, store, { ...policy, trigger }, champion, request, steps)
  } catch (error) {
    if (!request.force) throw error
    const summary = error instanceof Error ? error.message : String(error)
    return { type: trigger.type, fires: false, cause: null, summary, columns: [], check: null }
  }
}

async function judge(
  ctx: Context,
  project: Project,
  store: Store,
  { model, trigger }: { readonly model: string; readonly trigger: Exclude<Trigger, { type: 'manual' }> },
  champion: Champion | null,
  { current }: TriggerRequest,
  steps: Pick<RetrainSteps, 'check' | 'checkNow'>,
): Promise<Finding> {
  if (trigger.type === 'metric') throw metricNotBuilt(model)
  if (champion === null) throw noChampion(model)
  switch (trigger.type) {
    case 'drift': {
      if (current === undefined) {
        const now = await steps.checkNow(ctx, project, store, { model, version: champion.version })
        // What is logged by now says more than an older check, unless it says nothing.
        if (now !== undefined && now.verdict !== 'inconclusive') return judgeDrift(trigger, now)
        return judgeDrift(trigger, await lastCheck(store, model, champion))
      }
      ctx.progress?.(`checking ${current} for drift`)
      const ref = { model, selector: { version: champion.version } }
      return judgeDrift(trigger, await steps.check(ctx, project, store, { ref, current }))
    }
    case 'schedule':
      return judgeSchedule(trigger.every, champion, model, ctx.now())
    default: {
      ctx.progress?.(`hashing ${trigger.data}`)
      return judgeNewData(
        trigger.data,
        await hashOf(resolve(project.root, trigger.data), trigger.data),
        champion,
        model,
      )
    }
  }
}

/** The last check of the version in production against its baseline; one on enough rows before a slice of a few. */
async function lastCheck(store: Store, model: string, champion: Champion): Promise<CheckResult> {
  const fits = ({ record, time }: CheckRecord): boolean => {
    const check = record as unknown as CheckResult
    if (check.version !== champion.version || !Array.isArray(check.columns)) return false
    // A look into the past is no reason to retrain today.
    if (check.window !== undefined && isHistoric(check.window, time)) return false
    return champion.baselines.includes(check.reference?.profile)
  }
  const isLarge = ({ record }: CheckRecord): boolean => {
    const { current, reference } = record as unknown as CheckResult
    return !isSmallCheck(current.rows, reference.rows)
  }
  const last =
    (await store.checks.newest(model, (check) => fits(check) && isLarge(check))) ??
    (await store.checks.newest(model, fits))
  if (last !== undefined) return last.record as unknown as CheckResult
  const name = versionName(model, champion.version)
  throw inconclusive({
    code: 'CHECK_MISSING',
    message: `${name} is in production, has no predictions in the log and was never checked for drift, so the trigger of the policy cannot be judged.`,
    hint: `Check a batch of production data and decide by it: mlops retrain ${model} --current DATA`,
    details: { model, version: champion.version },
  })
}

async function hashOf(path: string, shown: string): Promise<string> {
  try {
    return (await sha256File(path)).sha256
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const detail = { hint: 'The path stands in the policy under trigger.data, relative to mlops.yaml', cause: error }
    if (code === 'ENOENT') throw notFound({ code: 'DATA_NOT_FOUND', message: `There is no file ${shown}.`, ...detail })
    const why = code === 'EISDIR' ? 'it is a folder; a trigger of new data looks at one file' : code
    throw failed({ code: 'DATA_UNREADABLE', message: `${shown} cannot be read: ${why}.`, ...detail })
  }
}

/**
 * The data that the run behind the version in production declared, as far as the files are still there: what a job
 * that names no data is given, so that its version has a baseline too. Paths relative to the project.
 */
export async function declaredDataOf(
  project: Project,
  store: Store,
  state: ModelState,
): Promise<Readonly<Record<string, string>>> {
  const run = championVersion(state)?.run
  if (run === undefined) return {}
  const start = await store.objects.readJson<RunStart>(run.run.sha256)
  const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
  const declared: Record<string, string> = {}
  for (const { name, path } of end?.late?.data ?? start.data) {
    const fromProject = isAbsolute(path) ? path : join(start.cwd, path)
    if (existsSync(resolve(project.root, fromProject))) declared[name] = fromProject
  }
  return declared
}

const noChampion = (model: string) =>
  notFound({
    code: 'STAGE_EMPTY',
    message: `No version of ${model} is in production, so there is nothing that could need a successor.`,
    hint: `Put one there: ${promotionCommand(model, 'production')}. To train now all the same: mlops retrain ${model} --force`,
    details: { model, stage: 'production' },
  })

const metricNotBuilt = (model: string) =>
  usage({
    code: 'TRIGGER_NOT_BUILT',
    message: 'A trigger of type metric needs ground truth to be joined with predictions, and that is not built yet.',
    hint: `Use drift, schedule, new_data or manual; or decide by yourself: mlops retrain ${model} --force --reason TEXT`,
    details: { model },
  })
