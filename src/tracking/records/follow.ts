/** Looking at a run again and again until it has ended. Reads only; drawing is the caller's. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../core/context.ts'
import { interrupted } from '../../core/errors.ts'
import type { Store } from '../../store/store.ts'
import { resolveRun } from './resolve-run.ts'
import { type RunDetail, type ShowOptions, showRun } from './run-summary.ts'
import { runStatus } from './status.ts'

/** Milliseconds between two looks; a run of very many lines is looked at less often, at most a quarter of the time. */
const PAUSE = 1_000

/**
 * @param draw gets the run while it goes on; undefined: only its status is looked at
 * @returns the run once it has ended, or is found dead
 * @throws interrupted when `ctx.signal` is aborted; as `showRun` does
 */
export async function followRun(
  ctx: Context,
  store: Store,
  reference: string,
  options: ShowOptions & { readonly draw?: ((run: RunDetail) => Promise<void>) | undefined },
): Promise<RunDetail> {
  const id = await resolveRun(ctx, store, reference)
  for (;;) {
    if (ctx.signal?.aborted === true) throw stopped(id)
    const began = ctx.now().getTime()
    if (runStatus(await store.runs.read(id)) !== 'running') return showRun(ctx, store, id, options)
    if (options.draw !== undefined) await options.draw(await showRun(ctx, store, id, options))
    const took = Math.max(0, ctx.now().getTime() - began)
    // An aborted wait ends the loop above.
    await sleep(Math.min(30_000, Math.max(PAUSE, took * 3)), undefined, { signal: ctx.signal }).catch(() => {})
  }
}

const stopped = (id: string) =>
  interrupted({
    code: 'INTERRUPTED',
    message: 'No longer following the run, which goes on.',
    hint: `See it again: mlops run show ${id} --follow`,
  })
