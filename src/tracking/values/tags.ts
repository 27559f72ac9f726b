/** Tags of runs and versions, from text: short words that people put on them. Pure. */
import { usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { keyProblem } from './value-maps.ts'

const LONGEST_TAG = 128

/**
 * Tags without duplicates, in the order given. What looks like a secret can be taken off, but not put on.
 * @throws usage `TAG_INVALID`
 */
export function checkedTags(tags: readonly string[], put: 'on' | 'off' = 'on'): string[] {
  for (const tag of tags) {
    const problem =
      tag.length > LONGEST_TAG ? `it has more than ${LONGEST_TAG} characters` : tagProblem(tag.trim(), put)
    if (problem === undefined) continue
    throw usage({
      code: 'TAG_INVALID',
      message: `${JSON.stringify(redactText(tag).slice(0, 80))} cannot be a tag: ${problem}.`,
      hint: 'Use a short word, for example --tag candidate',
    })
  }
  return [...new Set(tags.map((tag) => tag.trim()))]
}

const tagProblem = (tag: string, put: 'on' | 'off'): string | undefined =>
  keyProblem(tag) ??
  (put === 'on' && redactText(tag) !== tag ? 'it looks like a secret, and it would be kept for ever' : undefined)
