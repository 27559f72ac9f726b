/** `mlops rollout status`: every rollout that goes on, with what the comparison of its two versions says. Reads only. */
import type { Context } from '../core/context.ts'
import { type RunningRollout, stageFlag, startOf } from '../lifecycle/rollouts/running.ts'
import { awaitServices, type Services } from '../lifecycle/serving/services.ts'
import type { Project } from '../project/config.ts'
import type { Approval } from '../store/events.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import { type Comparison, compareVariants } from './compare.ts'
import { findRollout, rolloutsOf } from './find.ts'
import { awaited } from './refusal.ts'

export interface RolloutStatus {
  readonly model: string
  readonly stage: string
  readonly version: number
  /** The version that holds the stage, and keeps the rest of the traffic. */
  readonly stable: number
  /** Percent of the traffic, and the steps that it goes through. */
  readonly weight: number
  readonly steps: readonly number[]
  /** The step that comes next; 100 is the promotion. */
  readonly next: number
  /** The event that began it. */
  readonly start: number
  readonly started: string
  readonly by: string
  readonly approvals: readonly Approval[]
  readonly reason: string | null
  /** When this step began. */
  readonly since: string
  readonly comparison: Comparison
  /** What running services make of it; absent where none says anything. */
  readonly services?: Services
  /** What to type now; null while there is only to wait. */
  readonly command: string | null
  /** What it waits for; null where it does not. */
  readonly awaits: string | null
}

export interface RolloutReport {
  /** Worst first. */
  readonly rollouts: readonly RolloutStatus[]
}

export interface StatusRequest {
  /** Undefined: of all models. */
  readonly model?: string
  readonly stage?: string
  /** Milliseconds back from now, within the step. */
  readonly window?: number
}

/** @throws notFound `MODEL_NOT_FOUND`, `NO_ROLLOUT` where a stage was named that has none */
export async function rolloutStatus(
  ctx: Context,
  project: Project,
  store: Store,
  { model, stage, window }: StatusRequest,
): Promise<RolloutReport> {
  const names = model === undefined ? await store.models.list() : [model]
  const rollouts: RolloutStatus[] = []
  for (const name of names) {
    const state = await store.models.state(name)
    const running = model !== undefined && stage !== undefined ? [findRollout(state, stage)] : rolloutsOf(state)
    for (const each of running) {
      if (stage !== undefined && each.stage !== stage) continue
      rollouts.push(await statusOf(ctx, project, store, state, each, window))
    }
  }
  rollouts.sort((a, b) => ORDER.indexOf(a.comparison.verdict) - ORDER.indexOf(b.comparison.verdict))
  return { rollouts }
}

const ORDER = ['breach', 'hold', 'holds', 'better'] as const

async function statusOf(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  running: RunningRollout,
  window: number | undefined,
): Promise<RolloutStatus> {
  const comparison = await compareVariants(ctx, project, store, running, window)
  const services = await awaitServices(ctx, store, state, running.stage, 0)
  const { body } = startOf(state, running) ?? {}
  const { model, stage, version, stable, weight, steps, next, start, started, by, since } = running
  return {
    model,
    stage,
    version,
    stable: stable.version,
    weight,
    steps,
    next,
    start,
    started,
    by,
    approvals: body?.approvals ?? [],
    reason: body?.reason ?? null,
    since,
    comparison,
    ...(services === undefined ? {} : { services }),
    command: commandFor(running, comparison),
    awaits: comparison.verdict === 'hold' ? awaited(comparison) : null,
  }
}

function commandFor({ model, stage }: RunningRollout, { verdict }: Comparison): string | null {
  const where = `${model}${stageFlag(stage)}`
  if (verdict === 'breach') return `mlops rollout abort ${where} --reason TEXT`
  // The same command again would be no step.
  return verdict === 'hold' ? null : `mlops rollout advance ${where}`
}
