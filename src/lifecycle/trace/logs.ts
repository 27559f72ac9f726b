/** Which logs an id is looked for in, and what is said when none of them has it. */
import type { Context } from '../../core/context.ts'
import { type MlopsError, notFound, usage } from '../../core/errors.ts'
import type { FoundPrediction, LogOf, LookedAt } from '../../predictions/find.ts'
import { logHome } from '../../predictions/home.ts'
import { loggedNames } from '../../predictions/names.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { Store } from '../../store/store.ts'

/** The model alone where one is named, else every model of the store, of mlops.yaml, and every folder of a log. */
export async function logsToSearch(
  ctx: Context,
  project: Project,
  store: Store,
  only: string | undefined,
): Promise<LogOf[]> {
  const of = (model: string): LogOf => ({ model, home: logHome(ctx, { ...project, storeRoot: store.root }, model) })
  const registered = await store.models.list()
  const logged = loggedNames(ctx, project, store)
  if (only !== undefined) {
    const isKnown = [...registered, ...logged, ...Object.keys(project.config.models)].includes(only)
    // Names it with the nearest ones.
    if (!isKnown) await store.models.state(only)
    return [of(only)]
  }
  return [...new Set([...registered, ...Object.keys(project.config.models), ...logged])].sort().map(of)
}

/** Ids are unique in the log of a model, not among models. */
export function assertOneModel(found: FoundPrediction, id: string): void {
  const models = [...new Set(found.records.map(({ model }) => model))].sort()
  if (models.length < 2) return
  throw usage({
    code: 'PREDICTION_AMBIGUOUS',
    message: `The id ${JSON.stringify(id)} is in the logs of ${models.join(' and ')}.`,
    hint: `Name one: mlops trace ${JSON.stringify(id)} --model ${models[0]}`,
    details: { models },
  })
}

/** Nothing was found: where was looked, since when there is anything, and what may be the reason. */
export function notLogged(project: Project, found: FoundPrediction, id: string): MlopsError {
  const { looked, rejected, alike } = found
  const shown = JSON.stringify(id)
  const problems = [
    ...rejected.map(({ place, why }) => `${place}: ${why}`),
    ...looked.flatMap(({ unread }) => unread),
    ...alike.map((other) => `There is an id that begins with it: ${other}`),
  ]
  const first = rejected[0]
  const details = { id, looked, alike, rejected, ...(problems.length === 0 ? {} : { problems }) }
  if (first !== undefined) {
    return notFound({
      code: 'PREDICTION_REJECTED',
      message: `${shown} stands in the log of ${first.model}, in ${rejected.length === 1 ? 'a line that is' : `${rejected.length} lines that are`} no record.`,
      hint: 'What makes a line a record: docs/prediction-log.md, section 2',
      details,
    })
  }
  return notFound({
    code: 'PREDICTION_NOT_FOUND',
    message: `No prediction ${shown} is in ${looked.length === 0 ? 'any log: there is no model' : looked.map(placeOf).join(', nor in ')}.`,
    hint: hintOf(project, looked, alike),
    details,
  })
}

function placeOf({ model, home, since, days }: LookedAt): string {
  if (days === null) return `the log of ${model} (${home})`
  if (since === null) return `the log of ${model} (${home}), which is empty`
  return `the log of ${model} (${home}), which goes back to ${since} (${days.all} day${days.all === 1 ? '' : 's'})`
}

/** An id is taken whole: one that another begins with may be an answer of its own that was not logged. */
function hintOf(project: Project, looked: readonly LookedAt[], alike: readonly string[]): string {
  const [model] = looked.map((log) => log.model)
  if (alike.length > 0) return `Type the whole id, for example: mlops trace ${JSON.stringify(alike[0])}`
  const sampled = looked.find((log) => (modelConfig(project, log.model).predictions?.sample ?? 1) < 1)
  if (sampled !== undefined) {
    const share = modelConfig(project, sampled.model).predictions?.sample ?? 1
    return `Only ${100 * share} % of the requests of ${sampled.model} are logged (predictions.sample): it may never have been written`
  }
  return model === undefined
    ? 'See what there is: mlops status'
    : `See what is logged: mlops predictions stats ${model}`
}
