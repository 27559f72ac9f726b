/**
 * Collects what the four gaps of a model are rated by: from its log, its configuration and its stored checks. Reads
 * only, and asks nobody over a network: `status` calls it. Rating is in `gaps.ts`.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import type { Project } from '../../project/config.ts'
import { DAY } from '../../project/duration.ts'
import { modelConfig } from '../../project/load.ts'
import { loadPolicy, type Policy, policyFiles } from '../../project/policy.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { gateRules, isGated, PRODUCTION } from '../gate/rules.ts'
import { versionAt } from '../operation.ts'
import { retrainedVersions } from '../promote/retrained-versions.ts'
import { missingForAutonomy, trackRecord } from '../promote/track-record.ts'
import { wayBack } from '../rollback/plan.ts'
import type { GapFacts } from './gaps.ts'
import type { ModelStatus } from './model-status.ts'

export interface ProjectPolicies {
  readonly readable: readonly Policy[]
  /** Why the other files cannot be read: for the doctor, and their own command, to name. */
  readonly unreadable: readonly MlopsError[]
}

/** The policies that stand beside mlops.yaml. */
export async function projectPolicies(ctx: Context, project: Project): Promise<ProjectPolicies> {
  const readable: Policy[] = []
  const unreadable: MlopsError[] = []
  for (const file of policyFiles(project.root)) {
    try {
      readable.push(await loadPolicy(file, { cwd: ctx.cwd, stages: project.config.stages }))
    } catch (error) {
      if (!(error instanceof MlopsError)) throw error
      unreadable.push(error)
    }
  }
  return { readable, unreadable }
}

/** Of two for one model the first file counts. */
export const policyOf = ({ readable }: ProjectPolicies, model: string): Policy | undefined =>
  readable.find((policy) => policy.model === model)

/** @param status of the model, as `fleetStatus` found it */
export async function gapFacts(
  ctx: Context,
  project: Project,
  store: Store,
  status: ModelStatus,
  policies: ProjectPolicies,
): Promise<GapFacts> {
  const { model, production, health, retraining } = status
  const state = await store.models.stateOrEmpty(model)
  const config = modelConfig(project, model)
  const policy = policyOf(policies, model)
  const { channelsOf } = await import('../../monitor/channels.ts')
  const manifest =
    production === null ? undefined : await store.models.manifest(versionAt(state, production.version).manifest)
  return {
    model,
    version: production?.version ?? null,
    gated: isGated(gateRules(config, PRODUCTION)),
    answers: health?.window == null ? (health?.logged ?? null) !== null || null : true,
    baseline: manifest?.baseline !== undefined || state.baseline !== undefined,
    checked: health?.checked == null ? 'never' : health.stale ? 'too long ago' : 'recently',
    channels: (await channelsOf(project, store, model)).length,
    every: config.drift.every ?? null,
    overdue: health?.overdue ?? false,
    run: production?.run ?? null,
    code: production?.code?.commit != null,
    data: production?.data != null,
    before: wayBack(state, PRODUCTION).length,
    train: config.train !== undefined,
    policy: policy === undefined ? null : { file: policy.file ?? '', level: policy.autonomy.level },
    policyProblems: null,
    retraining: retrainingOf(state, retraining?.outcome),
    driftSpeed: production === null ? null : await driftSpeed(store, state, production.version),
    missingForAutonomy:
      policy === undefined
        ? ['a policy']
        : missingForAutonomy(
            trackRecord(state.events, ctx.now(), await retrainedVersions(store, model)),
            policy.autonomy,
          ),
  }
}

function retrainingOf(state: ModelState, outcome: string | undefined): GapFacts['retraining'] {
  if (outcome === 'failed') return 'failed'
  if (outcome === 'promoted') return 'went through'
  return state.versions.some(
    ({ registered }) => registered.type === 'register' && registered.body.tags.includes('retrain'),
  )
    ? 'went through'
    : 'never'
}

interface Effects {
  readonly version?: unknown
  readonly purpose?: unknown
  readonly columns?: readonly { readonly effect?: unknown; readonly threshold?: unknown }[]
}

/** Largest effect of the newest check over its threshold, per 30 days since the version was registered. */
async function driftSpeed(store: Store, state: ModelState, version: number): Promise<number | null> {
  const newest = await store.checks.newest(state.model, ({ record }) => {
    const check = record as Effects
    return check.version === version && check.purpose !== 'rollback'
  })
  const columns = (newest?.record as Effects | undefined)?.columns
  if (newest === undefined || !Array.isArray(columns)) return null
  const shares = (columns as NonNullable<Effects['columns']>).flatMap(({ effect, threshold }) =>
    typeof effect === 'number' && typeof threshold === 'number' && threshold > 0 ? [effect / threshold] : [],
  )
  const age = Math.max(DAY, Date.parse(newest.time) - Date.parse(versionAt(state, version).registered.time))
  return shares.length === 0 ? null : (Math.max(...shares) * 30 * DAY) / age
}
