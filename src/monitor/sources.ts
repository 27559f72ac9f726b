/**
 * Which rows a check looks at: data that a person names, or a window of the prediction log; and what the code of the
 * model asked for. Nothing is read yet.
 */
import type { Context } from '../core/context.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { type DataInput, namedData } from '../data/input.ts'
import { type CodeSettings, codeSettings } from '../predictions/settings.ts'
import type { PredictionLog, TimeWindow } from '../predictions/types.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'
import type { MonitorRequest } from './types.ts'
import { windowOf } from './window.ts'

/** When neither flags nor mlops.yaml say how long. */
export const DEFAULT_WINDOW = '7d'

export type Sources = { readonly settings: CodeSettings } & (
  | { readonly kind: 'data'; readonly data: DataInput }
  | { readonly kind: 'log'; readonly log: PredictionLog; readonly window: TimeWindow }
)

/** @throws usage `CURRENT_MISSING`, `WINDOW_INVALID`, `WINDOW_OF_DATA` */
export async function sourcesOf(
  ctx: Context,
  project: Project,
  store: Store,
  { state: { model } }: Subject,
  request: MonitorRequest,
): Promise<Sources> {
  const settings = await codeSettings(store, model)
  const { current, query } = request
  if (current !== undefined) {
    if (Object.keys(request.window).length > 0) throw windowOfData(model, current)
    return { kind: 'data', data: namedData(current, query === undefined ? {} : { query }), settings }
  }
  const window = request.exact ?? requestedWindow(project, model, request, ctx.now())
  const log = await logOf(ctx, project, store, model)
  if (log === null) throw currentMissing(model, await placeOfLog(ctx, project, store, model))
  return { kind: 'log', log, window, settings }
}

export const requestedWindow = (
  project: Project,
  model: string,
  { window }: Pick<MonitorRequest, 'window'>,
  now: Date,
): TimeWindow => windowOf(window, modelConfig(project, model).drift.window ?? DEFAULT_WINDOW, now)

/** The log of a model; null when nothing was ever logged there. */
export async function logOf(
  ctx: Context,
  project: Project,
  store: Pick<Store, 'root'>,
  model: string,
): Promise<PredictionLog | null> {
  const { openLog } = await import('../predictions/log.ts')
  const log = openLog(ctx, project, store, model)
  return (await log.newest()) === null ? null : log
}

/** Where a log of the model would be. */
export async function placeOfLog(
  ctx: Context,
  project: Project,
  store: Pick<Store, 'root'>,
  model: string,
): Promise<string> {
  const { openLog } = await import('../predictions/log.ts')
  return openLog(ctx, project, store, model).home
}

/** The model is checked by a log and has none: a mistake for one model, an open question for a fleet. */
export const currentMissing = (model: string, place: string): MlopsError =>
  usage({
    code: 'CURRENT_MISSING',
    message: `Which rows shall be checked? No data was named, and ${place} holds no prediction of ${model}.`,
    hint: `Name the data: mlops drift ${model} --current DATA; or log predictions where the model is served: mlops.monitor("${model}").watch(X) in Python`,
    details: { model },
  })

const windowOfData = (model: string, current: string): MlopsError =>
  usage({
    code: 'WINDOW_OF_DATA',
    message: `--window, --since and --until cut the prediction log; ${current} is compared as a whole.`,
    hint: `Leave one of the two out: mlops drift ${model} --window 7d`,
  })
