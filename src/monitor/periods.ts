/**
 * `--every 1d`: a longer window period by period, each a check of its own that is stored, and the trend over them. What
 * one check is, is in `check.ts`.
 */
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import type { CheckResult } from '../drift/types.ts'
import { describeWindow, isoWindow } from '../predictions/window.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { checkModel } from './check.ts'
import { requestedWindow } from './sources.ts'
import type { Subject } from './subject.ts'
import type { MonitoredCheck, MonitorRequest, PeriodResult } from './types.ts'
import { periodsOf } from './window.ts'

export interface CheckedPeriods {
  readonly subject: Subject
  /** Of the newest period that is over; of the running one, when it is the only one. */
  readonly check: MonitoredCheck
  readonly checks: readonly MonitoredCheck[]
  /** Oldest first. */
  readonly periods: readonly PeriodResult[]
}

/** @param every milliseconds. @throws as `checkModel`; usage `EVERY_WITHOUT_LOG` */
export async function checkPeriods(
  ctx: Context,
  project: Project,
  store: Store,
  request: MonitorRequest,
  every: number,
): Promise<CheckedPeriods> {
  const { model } = request.ref
  if (request.current !== undefined) {
    throw usage({
      code: 'EVERY_WITHOUT_LOG',
      message: `--every cuts the prediction log by the time of each prediction; ${request.current} is compared as a whole.`,
      hint: `Leave one of the two out: mlops drift ${model} --window 30d --every 1d`,
    })
  }
  const now = ctx.now()
  const spans = periodsOf(requestedWindow(project, model, request, now), every)
  const found: { subject: Subject; check: MonitoredCheck; period: PeriodResult }[] = []
  for (const [i, span] of spans.entries()) {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(`Checking ${describeWindow(span)}`, i / spans.length)
    const { subject, check } = await checkModel(ctx, project, store, { ...request, exact: span })
    const running = span.until > now.getTime()
    found.push({ subject, check, period: { ...isoWindow(span), running, ...periodOf(check) } })
  }
  const newest = found.findLast(({ period }) => !period.running) ?? found.at(-1)
  if (newest === undefined) throw new RangeError('a window has at least one period')
  return {
    subject: newest.subject,
    check: newest.check,
    checks: found.map(({ check }) => check),
    periods: found.map(({ period }) => period),
  }
}

function periodOf(check: CheckResult): Omit<PeriodResult, 'since' | 'until' | 'running'> {
  const drifted = check.columns.filter(({ verdict }) => verdict === 'drift' || verdict === 'broken')
  const effects = check.columns.flatMap(({ effect, threshold, verdict }) =>
    effect === null || verdict === 'skipped' ? [] : [effect / threshold],
  )
  return {
    rows: check.current.rows,
    verdict: check.verdict,
    health: check.health?.verdict ?? null,
    quality: check.quality?.verdict ?? null,
    drifted: drifted.map(({ column }) => column),
    effect: effects.length === 0 ? null : Math.max(...effects),
    summary: check.summary,
  }
}
