/**
 * Metrics of two versions. A difference is shown only between numbers of the same rows: on two test sets the better
 * model can have the worse number. Pure; whether a gate holds is `../gate/compare.ts`.
 */
import type { Manifest } from '../../store/manifest.ts'
import type { ParamValue } from '../../store/run-records.ts'
import type { Directions } from '../gate/rules.ts'
import type { TestSets } from '../gate/test-set.ts'
import { changes, type ValueChange } from './value-diff.ts'

export { type TestSets, testSetsOf } from '../gate/test-set.ts'

export interface MetricChange extends ValueChange {
  /** Both numbers are of the same rows; only then is there a `delta`. */
  readonly comparable: boolean
  /** `from` measured anew on the test set of the other version: what `delta` and `better` are about. */
  readonly rescored?: ParamValue
  /** Where a `min_` or `max_` of the gates says which way is better. */
  readonly better?: 'from' | 'to'
}

/** What is known besides the two records. */
export interface Measured {
  readonly directions?: Directions
  /** The first version's metrics on the test set of the second. */
  readonly rescored?: Manifest['metrics']
}

export function metricChanges(
  from: Manifest['metrics'],
  to: Manifest['metrics'],
  testSets: TestSets,
  { directions = {}, rescored = {} }: Measured,
): MetricChange[] {
  // Only what the second version measured too: an evaluation command may print more.
  const anew = Object.fromEntries(Object.entries(rescored).filter(([name]) => Object.hasOwn(to, name)))
  return changes({ ...from, ...anew }, to).map(({ delta, ...change }): MetricChange => {
    const { name, kind } = change
    const isAnew = Object.hasOwn(anew, name)
    const comparable = kind === 'changed' && (isAnew || testSets === 'same')
    const better = comparable ? betterSide(delta, directions[name]) : undefined
    return {
      ...change,
      ...(isAnew ? { from: from[name] ?? null, rescored: anew[name] ?? null } : {}),
      comparable,
      ...(comparable && delta !== undefined ? { delta } : {}),
      ...(better === undefined ? {} : { better }),
    }
  })
}

function betterSide(
  delta: number | undefined,
  direction: Directions[string] | undefined,
): MetricChange['better'] | undefined {
  if (delta === undefined || delta === 0 || direction === undefined) return undefined
  return delta > 0 === (direction === 'higher') ? 'to' : 'from'
}
