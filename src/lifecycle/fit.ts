/**
 * Does an old version fit today's data? Its own baseline against the data the user names, or what is logged. It informs a rollback and
 * never holds one up: after ten seconds, or when the check cannot be made, the answer is "not determined".
 */
import type { Context } from '../core/context.ts'
import { MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { CheckResult } from '../drift/types.ts'
import type { Project } from '../project/config.ts'
import type { RollbackBody } from '../store/events.ts'
import type { Store } from '../store/store.ts'

export interface Fit {
  readonly verdict: RollbackBody['fit']
  /** One sentence: what shifted, or why nothing is known. */
  readonly summary: string
  /** What does not fit, column by column, where the verdict is `drifted`. */
  readonly drifted?: readonly { readonly column: string; readonly summary: string }[]
  /** How many columns were compared. */
  readonly compared?: number
}

export interface FitRequest {
  readonly model: string
  readonly version: number
  /** `--current DATA`, relative to the user's folder; undefined: a window of the prediction log, where there is one. */
  readonly current: string | undefined
  /** False for `--no-verify`. */
  readonly verify: boolean
  /** Milliseconds; 10,000 unless a test says otherwise. */
  readonly limit?: number
}

const LIMIT = 10_000

export async function determineFit(ctx: Context, project: Project, store: Store, request: FitRequest): Promise<Fit> {
  const { model, version, current, verify, limit = LIMIT } = request
  if (!verify) return { verdict: 'skipped', summary: 'not looked at (--no-verify)' }
  const name = versionName(model, version)
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), limit)
  try {
    const late = new Promise<undefined>((resolve) => {
      deadline.signal.addEventListener('abort', () => resolve(undefined))
    })
    ctx.progress?.(`comparing ${current ?? 'the prediction log'} with the baseline of ${name}`)
    const signal = ctx.signal === undefined ? deadline.signal : AbortSignal.any([ctx.signal, deadline.signal])
    const check = look({ ...ctx, signal }, project, store, request)
    // It may reject after the deadline, when nobody listens any more.
    check.catch(() => undefined)
    const found = await Promise.race([check, late])
    if (found === undefined) return tooSlow(limit)
    if (found === 'nothing to look at') {
      const summary = 'no recent data was named and none is logged; pass --current DATA to compare with it'
      return { verdict: 'not determined', summary }
    }
    const verdict = found.verdict === 'drift' ? 'drifted' : found.verdict === 'stable' ? 'fits' : 'inconclusive'
    if (verdict !== 'drifted') return { verdict, summary: found.summary }
    const drifted = found.columns
      .filter((each) => each.verdict === 'drift' || each.verdict === 'broken')
      .map(({ column, summary }) => ({ column, summary }))
    const compared = found.columns.filter((each) => each.verdict !== 'skipped').length
    return { verdict, summary: found.summary, drifted, compared }
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (deadline.signal.aborted) return tooSlow(limit)
    if (!(error instanceof MlopsError)) throw error
    // A typing mistake is the user's to correct before anything moves; a version without a baseline is no obstacle.
    if (error.exit === 'usage' || error.code === 'DATA_NOT_FOUND') throw error
    return { verdict: 'not determined', summary: error.message }
  } finally {
    clearTimeout(timer)
  }
}

/** The data that was named, which makes it a check that is stored; else today's window of the prediction log. */
async function look(
  ctx: Context,
  project: Project,
  store: Store,
  { model, version, current }: FitRequest,
): Promise<CheckResult | 'nothing to look at'> {
  if (current === undefined) {
    const { compareNow } = await import('../monitor/latest.ts')
    return (await compareNow(ctx, project, store, { model, version })) ?? 'nothing to look at'
  }
  const { checkDrift } = await import('../drift/check.ts')
  return checkDrift(ctx, project, store, { ref: { model, selector: { version } }, current })
}

const tooSlow = (limit: number): Fit => ({
  verdict: 'not determined',
  summary: `the comparison took more than ${limit / 1000} s`,
})
