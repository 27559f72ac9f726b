/** What kind of answers the recorded examples of a version hold: of its service, and of its contract. Pure. */
import type { Plain } from './columns.ts'
import type { RecordedExample } from './examples.ts'

export type OutputKind = 'probability' | 'class' | 'number'

/** @param truth the values of the target, where they are classes. @returns undefined where the examples do not tell */
export function kindOfExamples(
  examples: readonly RecordedExample[],
  truth: readonly Plain[] | null,
): OutputKind | undefined {
  const outputs = examples.map(({ output }) => output).filter((output) => output !== null && output !== undefined)
  if (outputs.length === 0) return undefined
  if (outputs.every((output) => typeof output === 'string' || typeof output === 'boolean')) return 'class'
  const numbers = outputs.flatMap((output) => (typeof output === 'object' ? Object.values(output ?? {}) : [output]))
  if (!numbers.every((each) => typeof each === 'number')) return undefined
  const inUnit = numbers.every((each) => Number(each) >= 0 && Number(each) <= 1)
  if (inUnit && numbers.some((each) => !Number.isInteger(each))) return 'probability'
  if (outputs.some((output) => typeof output === 'object')) return inUnit ? 'probability' : 'number'
  const known = truth !== null && numbers.every((each) => truth.includes(Number(each)))
  return known ? 'class' : 'number'
}
