/** All models of the store with what is in each stage. */
import { MlopsError } from '../../core/errors.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { type Standing, standing } from '../operation.ts'

export interface ModelSummary {
  readonly model: string
  readonly versions: number
  readonly newest: { readonly version: number; readonly registered: string; readonly by: string } | null
  /** By stage, in order of their names. */
  readonly stages: Readonly<Record<string, Standing>>
  /** The versions with tags, newest first. */
  readonly tagged: readonly { readonly version: number; readonly tags: readonly string[] }[]
  /** Why the model cannot be read: its log is damaged. */
  readonly problem: string | null
}

/** One damaged model hides no other: it is listed with its problem. */
export async function listModels(store: Store): Promise<ModelSummary[]> {
  const summaries: ModelSummary[] = []
  for (const model of await store.models.list()) summaries.push(await summarize(store, model))
  return summaries
}

async function summarize(store: Store, model: string): Promise<ModelSummary> {
  try {
    return summaryOf(await store.models.state(model))
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    return { model, versions: 0, newest: null, stages: {}, tagged: [], problem: error.message }
  }
}

function summaryOf(state: ModelState): ModelSummary {
  const last = state.versions.at(-1)
  const stages: Record<string, Standing> = {}
  for (const stage of Object.keys(state.stages).sort()) {
    const entry = standing(state, stage)
    if (entry !== null) stages[stage] = entry
  }
  return {
    model: state.model,
    versions: state.versions.length,
    newest:
      last === undefined
        ? null
        : { version: last.version, registered: last.registered.time, by: last.registered.actor.name },
    stages,
    tagged: state.versions
      .filter(({ tags }) => tags.length > 0)
      .map(({ version, tags }) => ({ version, tags }))
      .reverse(),
    problem: null,
  }
}
