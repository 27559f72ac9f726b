/** From what a user wrote (`churn-model`, `churn-model@3`, `churn-model@production`) to one version of a model. */
import { notFound } from '../core/errors.ts'
import type { ModelRef } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import type { ModelState, VersionState } from './fold.ts'

/**
 * @param bare what the model's name alone means here: the version in production (the newest one while production is
 *   empty), or the newest version.
 * @throws notFound `VERSION_NOT_FOUND`, `STAGE_EMPTY`
 */
export function resolveVersion(state: ModelState, ref: ModelRef, bare: 'production' | 'newest'): VersionState {
  const { model, selector } = ref
  const newest = state.versions.at(-1)
  if (newest === undefined) {
    throw notFound({
      code: 'VERSION_NOT_FOUND',
      message: `${model} has no versions yet.`,
      hint: `Register the first one: mlops register ${model} --run @last`,
    })
  }
  if (selector === undefined) {
    const entry = bare === 'production' ? state.stages.production : undefined
    return (entry && state.versions[entry.version - 1]) ?? newest
  }
  if ('version' in selector) {
    const found = state.versions[selector.version - 1]
    if (found !== undefined) return found
    throw notFound({
      code: 'VERSION_NOT_FOUND',
      message: `${model} has no version ${selector.version}; it has 1 to ${newest.version}.`,
      hint: `See them: mlops model history ${model}`,
    })
  }
  const entry = state.stages[selector.stage]
  const held = entry && state.versions[entry.version - 1]
  if (held !== undefined) return held
  const close = nearest(selector.stage, Object.keys(state.stages))
  throw notFound({
    code: 'STAGE_EMPTY',
    message: `No version of ${model} is in ${selector.stage}.`,
    // Whether there is such a stage at all stands in mlops.yaml, which the store does not know.
    hint: close === undefined ? `See what is where: mlops status ${model}` : `Did you mean ${model}@${close}?`,
  })
}
