/**
 * What no flag of any command may be given, whatever it means: an empty value is nearly always a variable that a script
 * did not set, and acting as if the flag were absent would be acting on something else. What a single flag accepts is
 * its command's business.
 */
import { type MlopsError, usage } from '../core/errors.ts'

/** What is needed of oclif's definition of a flag. */
export interface FlagDefinition {
  readonly type?: string
  readonly helpValue?: string | readonly string[]
}

/** Characters: keys are stored with every event, and people read them. */
const LONGEST_KEY = 512

/** @param values as parsed; free text (`helpValue: 'TEXT'`) may be empty */
export function flagProblem(
  values: Readonly<Record<string, unknown>>,
  definitions: Readonly<Record<string, FlagDefinition>>,
): MlopsError | undefined {
  for (const [name, value] of Object.entries(values)) {
    const given = Array.isArray(value) ? value : [value]
    if (definitions[name]?.helpValue === 'TEXT') continue
    if (given.some((each) => typeof each === 'string' && each.trim() === '')) return emptyValue(name)
  }
  const key = values['idempotency-key']
  return typeof key === 'string' && key.length > LONGEST_KEY ? longKey(key.length) : undefined
}

const emptyValue = (name: string): MlopsError =>
  usage({
    code: 'EMPTY_VALUE',
    message: `--${name} was given an empty value (is a variable unset?).`,
    hint: `Give it a value, or leave --${name} out`,
    details: { flag: `--${name}` },
  })

const longKey = (length: number): MlopsError =>
  usage({
    code: 'KEY_TOO_LONG',
    message: `The value of --idempotency-key is ${length} characters long; at most ${LONGEST_KEY} are kept.`,
    hint: 'Use something short that names the change, like the id of the CI job',
    details: { length, limit: LONGEST_KEY },
  })
