/**
 * Who is told about a model. Apart from the telling (`alerting.ts`): `status` asks this and must not load the senders.
 */
import { codeSettings } from '../predictions/settings.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Store } from '../store/store.ts'

/** Those of mlops.yaml; where it names none, those that the code of the model asked for. */
export async function channelsOf(
  project: Project,
  store: Pick<Store, 'root'>,
  model: string,
): Promise<readonly string[]> {
  const { notify } = modelConfig(project, model)
  return notify.length > 0 ? notify : (await codeSettings(store, model)).channels
}
