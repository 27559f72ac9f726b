/**
 * The comparison of the two versions of a rollout as it stands: which window, what the log has of them, what follows. Reads
 * only. Without a log there is nothing to say, and that is said.
 */
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { marginsDigest } from '../lifecycle/rollouts/margins.ts'
import type { RunningRollout } from '../lifecycle/rollouts/running.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { RolloutComparison } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import { judgeRollout } from './judge.ts'
import type { Judgement, RolloutFigures, VariantFigures } from './types.ts'

export interface Comparison extends Judgement {
  /** Requests with `since <= time < until`. RFC 3339. */
  readonly since: string
  readonly until: string
  readonly stable: VariantFigures
  readonly rollout: VariantFigures
  /** What a person should know besides. */
  readonly notes: readonly string[]
  /** Digest of the margins that it was judged by. */
  readonly margins: Digest
}

/**
 * What a step is decided by. A window may find a breach that the whole step hides; one that the whole step shows is never
 * taken away by looking at a part of it.
 */
export async function compareToDecide(
  ctx: Context,
  project: Project,
  store: Store,
  running: RunningRollout,
  window?: number,
): Promise<Comparison> {
  const whole = await compareVariants(ctx, project, store, running)
  if (window === undefined || whole.verdict === 'breach') return whole
  return await compareVariants(ctx, project, store, running, window)
}

/**
 * @param length milliseconds back from now; undefined, or longer than that: since the step began, as until then the traffic
 *   was divided otherwise
 */
export async function compareVariants(
  ctx: Context,
  project: Project,
  store: Store,
  running: RunningRollout,
  length?: number,
): Promise<Comparison> {
  const { model } = running
  const until = ctx.now().getTime()
  const began = Date.parse(running.since)
  const since = Math.min(until - 1, Math.max(began, length === undefined ? began : until - length))
  const window = { since, until }
  const [{ logOf }, { measureRollout }] = await Promise.all([import('../monitor/sources.ts'), import('./measure.ts')])
  const log = await logOf(ctx, project, store, model)
  const lasted = Math.max(0, until - began)
  const figures =
    log === null ? nothing(running, lasted) : await measureRollout(ctx, project, store, log, running, window, lasted)
  const margins = modelConfig(project, model).rollout
  const judgement = judgeRollout(figures, margins)
  const notes =
    log === null ? ['nothing of the model is in the prediction log'] : await untagged(log, running, window, figures)
  return {
    ...judgement,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    stable: figures.stable,
    rollout: figures.rollout,
    notes,
    margins: marginsDigest(margins),
  }
}

/** As an event keeps it. */
export const recorded = ({ verdict, since, until, summary, margins }: Comparison): RolloutComparison => ({
  verdict,
  since,
  until,
  summary: summary.slice(0, 500),
  margins,
})

function nothing({ stable, version }: RunningRollout, lasted: number): RolloutFigures {
  const none = (of: number): VariantFigures => ({
    version: of,
    requests: 0,
    errors: 0,
    errorsByCategory: {},
    part: 1,
    latency: null,
    quality: null,
  })
  return { stable: none(stable.version), rollout: none(version), answers: { reason: 'there are none' }, lasted }
}

/** Requests that no service divided say nothing; a service that logs no `variant` should be known of. */
async function untagged(
  log: Awaited<ReturnType<typeof import('../monitor/sources.ts')['logOf']>> & object,
  { version }: RunningRollout,
  window: { readonly since: number; readonly until: number },
  { rollout }: RolloutFigures,
): Promise<readonly string[]> {
  if (rollout.requests > 0) return []
  const { requests } = await log.stats({ ...window, version })
  return requests === 0
    ? []
    : [
        `${requests.toLocaleString('en-US')} requests were answered by @${version} without variant: rollout in the log; they do not count (docs/prediction-log.md)`,
      ]
}
