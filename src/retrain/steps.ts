/**
 * The steps of a retraining as functions that can be put in: the real ones call the use cases of the other folders.
 * Their order, and what happens when one fails, is `retrain.ts`.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../core/context.ts'
import type { CheckRequest } from '../drift/check.ts'
import type { CheckResult } from '../drift/types.ts'
import type { PromoteRequest, PromoteResult } from '../lifecycle/promote/promote.ts'
import type { AppliedIntents } from '../lifecycle/register/intents.ts'
import type { RegisterRequest, RegisterResult } from '../lifecycle/register/types.ts'
import type { RealisedNow } from '../monitor/latest.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { TrackOutcome, TrackRequest } from '../tracking/execute/track.ts'
import type { DispatchOutcome, DispatchRequest, ResumeOutcome, ResumeRequest } from './github/types.ts'

export interface RetrainSteps {
  check(ctx: Context, project: Project, store: Store, request: CheckRequest): Promise<CheckResult>
  /** Of the prediction log as it is now; undefined where there is nothing to look at. */
  checkNow(
    ctx: Context,
    project: Project,
    store: Store,
    wanted: { readonly model: string; readonly version: number; readonly window?: string | undefined },
  ): Promise<CheckResult | undefined>
  /** What the labels that have arrived say; undefined where nothing is logged in the window. */
  realisedNow(
    ctx: Context,
    project: Project,
    store: Store,
    wanted: { readonly model: string; readonly version: number; readonly window?: string | undefined },
  ): Promise<RealisedNow | undefined>
  train(ctx: Context, project: Project, store: Store, request: TrackRequest): Promise<TrackOutcome>
  register(ctx: Context, project: Project, store: Store, request: RegisterRequest): Promise<RegisterResult>
  promote(ctx: Context, project: Project, store: Store, request: PromoteRequest): Promise<PromoteResult>
  /** What the script of the run asked for besides being registered: a baseline. */
  applyIntents(
    ctx: Context,
    project: Project,
    store: Store,
    run: string,
    options: { readonly context: 'retrain'; readonly registered: { readonly model: string; readonly version: number } },
  ): Promise<Pick<AppliedIntents, 'failures'>>
  /** Starts a workflow, once. */
  dispatch(ctx: Context, project: Project, request: DispatchRequest): Promise<DispatchOutcome>
  /** Looks for a workflow run that was dispatched before, and waits for it if asked to. Never starts anything. */
  resume(ctx: Context, project: Project, request: ResumeRequest): Promise<ResumeOutcome>
}

export const realSteps: RetrainSteps = {
  check: async (...args) => (await import('../drift/check.ts')).checkDrift(...args),
  checkNow: async (...args) => (await import('../monitor/latest.ts')).checkNow(...args),
  realisedNow: async (...args) => (await import('../monitor/latest.ts')).realisedNow(...args),
  train: async (...args) => (await import('../tracking/execute/track.ts')).trackCommand(...args),
  register: async (...args) => (await import('../lifecycle/register/register.ts')).registerVersion(...args),
  applyIntents: async (...args) => (await import('../lifecycle/register/intents.ts')).applyIntents(...args),
  promote: async (...args) => (await import('../lifecycle/promote/promote.ts')).promote(...args),
  dispatch: async (...args) => (await import('./github/dispatch.ts')).dispatch(...args),
  resume: async (...args) => (await import('./github/dispatch.ts')).resume(...args),
}

const TAIL_BYTES = 8_192
const TAIL_LINES = 20

/** The last lines that a run printed; none when they cannot be read. */
export async function outputTail(store: Store, run: string): Promise<readonly string[]> {
  const file = await open(join(store.root, 'runs', run, 'output.log')).catch(() => undefined)
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    await file.read(bytes, 0, bytes.length, Math.max(0, size - bytes.length))
    const lines = bytes.toString('utf8').trimEnd().split(/\r?\n/)
    // The first of a cut is half a line.
    return (size > bytes.length ? lines.slice(1) : lines).slice(-TAIL_LINES)
  } finally {
    await file.close()
  }
}
