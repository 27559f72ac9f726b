/**
 * A store for one report: whatever is asked of it, a log is read and folded once, and the runs are listed once. For
 * commands that only look; whoever writes must see what was written meanwhile.
 */
import type { ModelState } from './fold.ts'
import type { Store } from './store.ts'

export function readOnce(store: Store): Store {
  const states = new Map<string, Promise<ModelState>>()
  const stateOrEmpty = (model: string): Promise<ModelState> => {
    const known = states.get(model) ?? store.models.stateOrEmpty(model)
    states.set(model, known)
    return known
  }
  let ids: Promise<string[]> | undefined
  const list = (): Promise<string[]> => {
    ids ??= store.runs.list()
    return ids
  }
  return { ...store, models: { ...store.models, stateOrEmpty }, runs: { ...store.runs, list } }
}
