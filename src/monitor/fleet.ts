/**
 * `mlops drift --all`: every model that has a version in a stage, one after the other in one process. What goes wrong
 * with one of them is its own answer and stops none of the others.
 */
import type { Context } from '../core/context.ts'
import { EXIT, inconclusive, isMlopsError, type MlopsError, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { CheckVerdict } from '../drift/types.ts'
import type { Project } from '../project/config.ts'
import { nextMove } from '../project/next-move.ts'
import type { Store } from '../store/store.ts'
import { channelsMissing } from './alerting.ts'
import { channelsOf } from './channels.ts'
import { driftOfModel } from './drift.ts'
import { type DriftExit, exitOfCheck, worstExit } from './exit.ts'
import type { Wishes } from './request.ts'
import type { DriftReport } from './types.ts'

export interface FleetEntry {
  readonly model: string
  /** The version in the stage; null when the model cannot be read. */
  readonly version: number | null
  readonly stage: string
  /** Null when there is no check; `error` says why. */
  readonly verdict: CheckVerdict | null
  /** What `mlops drift MODEL` alone would have exited with; no prediction log is 6. */
  readonly exitCode: number
  readonly check: DriftReport | null
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

export interface FleetReport {
  /** Worst first. */
  readonly models: readonly FleetEntry[]
  /** The worst of all: 1 before 3 before 6 before 0. */
  readonly exitCode: number
}

/** @throws usage `STAGE_UNKNOWN`, `CHANNELS_MISSING`; inconclusive `STAGE_EMPTY` when no model has anything there */
export async function driftOfFleet(
  ctx: Context,
  project: Project,
  store: Store,
  stage: string,
  wishes: Wishes,
): Promise<FleetReport> {
  assertStage(project, stage)
  const models = await modelsIn(store, stage)
  if (models.length === 0) throw nothingThere(project, stage, await store.models.list())
  if (wishes.alert) await assertSomeChannel(project, store, models)
  const entries: (FleetEntry & { readonly exit: DriftExit })[] = []
  for (const [i, { model, version }] of models.entries()) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`Checking ${model}`, i / models.length)
    entries.push({ model, version, stage, ...(await entryOf(ctx, project, store, model, stage, wishes)) })
  }
  const order = ['failed', 'no', 'inconclusive', 'ok']
  entries.sort((a, b) => order.indexOf(a.exit) - order.indexOf(b.exit) || (a.model < b.model ? -1 : 1))
  return {
    models: entries.map(({ exit: _, ...entry }) => entry),
    exitCode: EXIT[worstExit(entries.map(({ exit }) => exit))],
  }
}

function nothingThere(project: Project, stage: string, [first]: readonly string[]): MlopsError {
  const hint =
    first === undefined
      ? 'Register a model first: mlops register MODEL --artifact FILE --baseline DATA'
      : `Move one there: ${nextMove(project, first, first, stage)}; or check its newest version: mlops drift ${first}`
  return inconclusive({
    code: 'STAGE_EMPTY',
    message: `No model has a version in ${stage}: there is nothing to check.`,
    hint,
  })
}

type Answer = Pick<FleetEntry, 'verdict' | 'exitCode' | 'check' | 'error'> & { readonly exit: DriftExit }

async function entryOf(
  ctx: Context,
  project: Project,
  store: Store,
  model: string,
  stage: string,
  wishes: Wishes,
): Promise<Answer> {
  try {
    const ref = { model, selector: { stage } }
    const hasChannels = !wishes.alert || (await channelsOf(project, store, model)).length > 0
    const check = await driftOfModel(ctx, project, store, ref, { ...wishes, alert: wishes.alert && hasChannels })
    const exit = hasChannels ? exitOfCheck(check, wishes.failOn) : 'failed'
    const missing = hasChannels ? null : channelsMissing(model)
    const error = missing === null ? null : errorOf(missing)
    return { verdict: check.verdict, exit, exitCode: EXIT[exit], check, error }
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (!isMlopsError(error)) throw error
    // Nothing to look at is an open question, as too few rows are; anything else went wrong.
    const isOpen = error.code === 'CURRENT_MISSING' || error.exit === 'inconclusive'
    const exit = !isOpen ? 'failed' : wishes.failOn === 'inconclusive' ? 'inconclusive' : 'ok'
    return { verdict: null, exit, exitCode: EXIT[exit], check: null, error: errorOf(error) }
  }
}

const errorOf = ({ code, message, hint }: { code: string; message: string; hint?: string | undefined }) => ({
  code,
  message,
  hint: hint ?? null,
})

/** A model that cannot be read is part of the fleet: its damage is told with its name. */
async function modelsIn(store: Store, stage: string): Promise<{ model: string; version: number | null }[]> {
  const found: { model: string; version: number | null }[] = []
  for (const model of await store.models.list()) {
    try {
      const entry = (await store.models.state(model)).stages[stage]
      if (entry !== undefined) found.push({ model, version: entry.version })
    } catch (error) {
      if (!isMlopsError(error)) throw error
      found.push({ model, version: null })
    }
  }
  return found
}

async function assertSomeChannel(
  project: Project,
  store: Store,
  models: readonly { readonly model: string }[],
): Promise<void> {
  for (const { model } of models) if ((await channelsOf(project, store, model)).length > 0) return
  throw channelsMissing(models[0]?.model ?? 'MODEL')
}

function assertStage({ config: { stages } }: Project, stage: string): void {
  if (stages.includes(stage)) return
  const close = nearest(stage, stages)
  throw usage({
    code: 'STAGE_UNKNOWN',
    message: `There is no stage ${JSON.stringify(stage)}; there are ${stages.join(', ')}.`,
    hint: close === undefined ? 'They stand in mlops.yaml under stages' : `Did you mean --stage ${close}?`,
  })
}
