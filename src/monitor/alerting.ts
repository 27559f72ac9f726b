/**
 * Telling people about a check: whom, what came before it, and handing it to `src/notify/`, which decides whether it is
 * due and records what was delivered. What an alert says is in `alert.ts`.
 */
import type { Context } from '../core/context.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { codeSettings } from '../predictions/settings.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'
import type { AlertOutcome, MonitoredCheck } from './types.ts'

/** Those of mlops.yaml; where it names none, those that the code of the model asked for. */
export async function channelsOf(
  project: Project,
  store: Pick<Store, 'root'>,
  model: string,
): Promise<readonly string[]> {
  const { notify } = modelConfig(project, model)
  return notify.length > 0 ? notify : (await codeSettings(store, model)).channels
}

/** @throws usage `CHANNELS_MISSING` */
export async function assertChannels(
  _ctx: Context,
  project: Project,
  store: Pick<Store, 'root'>,
  model: string,
): Promise<void> {
  if ((await channelsOf(project, store, model)).length === 0) throw channelsMissing(model)
}

export const channelsMissing = (model: string): MlopsError =>
  usage({
    code: 'CHANNELS_MISSING',
    message: `--alert has nobody to tell: no channel is configured for ${model}.`,
    hint: `Name one in mlops.yaml: models: {${model}: {notify: ["slack:#ml-alerts"]}}; or in Python: mlops.monitor("${model}").on_drift(channel="slack:#ml-alerts")`,
    details: { model },
  })

export async function alertOn(
  _ctx: Context,
  _project: Project,
  _store: Store,
  _subject: Subject,
  _check: MonitoredCheck,
): Promise<readonly AlertOutcome[]> {
  return []
}
