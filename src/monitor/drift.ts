/**
 * `mlops drift` as one use case: the check or the checks of a model, its alerts, what to exit with; and the whole fleet.
 * Reports and text are the command's.
 */
import type { Context } from '../core/context.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import { alertOn, assertChannels } from './alerting.ts'
import { checkModel } from './check.ts'
import { checkPeriods } from './periods.ts'
import type { Wishes } from './request.ts'
import type { DriftReport, MonitorRequest } from './types.ts'

/** @throws as `checkModel` and `checkPeriods`; usage `CHANNELS_MISSING`, `NOTIFY_…` before any work */
export async function driftOfModel(
  ctx: Context,
  project: Project,
  store: Store,
  ref: MonitorRequest['ref'],
  wishes: Wishes,
): Promise<DriftReport> {
  if (wishes.alert) await assertChannels(project, store, ref.model)
  const request = { ...wishes.request, ref }
  const checked =
    wishes.every === undefined
      ? { ...(await checkModel(ctx, project, store, request)), periods: undefined }
      : await checkPeriods(ctx, project, store, request, wishes.every)
  const { subject, check, periods } = checked
  const alerts = wishes.alert ? await alertOn(ctx, project, store, subject, check) : undefined
  return {
    ...check,
    ...(alerts === undefined ? {} : { alerts }),
    ...(periods === undefined ? {} : { periods }),
  }
}
