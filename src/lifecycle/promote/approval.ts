/** A person's word, as it is recorded: what may be a name, and how far it can be believed. */
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { personOf, personProblem, shownPerson } from '../../core/person.ts'
import { redactText } from '../../core/redact.ts'
import type { Approval } from '../../store/events.ts'

export { personOf }

/**
 * Names given with `--approve`. On a CI system the system's run vouches for them; typed by hand they are a claim.
 * @throws usage `APPROVAL_INVALID`
 */
export function approvalsOf(ctx: Context, names: readonly string[]): readonly Approval[] {
  return names.map((given) => {
    const name = given.trim()
    const problem = personProblem(name)
    if (problem !== undefined) {
      throw usage({
        code: 'APPROVAL_INVALID',
        message: `${shownPerson(given)} is no name of a person: ${problem}.`,
        hint: 'Pass the name of the person who approves: --approve ada',
      })
    }
    if (name === 'NAME') {
      throw usage({
        code: 'APPROVAL_INVALID',
        message: 'NAME stands for the name of the person who approves; it approves nothing.',
        hint: 'Pass who it is: --approve ada',
      })
    }
    const { origin, url } = ctx.actor
    if (origin !== 'ci') return { name, origin: 'claimed' }
    return { name, origin: 'ci', ...(url === undefined ? {} : { url }) }
  })
}

/** The person at the terminal said yes. */
export const promptApproval = (ctx: Context, reason?: string): Approval => ({
  name: ctx.actor.name,
  origin: 'prompt',
  ...(reason === undefined ? {} : { reason }),
})

const REASON_LONGEST = 2_000

/** Without what looks like a secret. @throws usage `REASON_TOO_LONG`: an event is at most 64 KiB, and a reason is a sentence */
export function reasonOf(text: string | undefined): string | undefined {
  const reason = text?.trim()
  if (reason === undefined || reason === '') return undefined
  if (reason.length <= REASON_LONGEST) return redactText(reason)
  throw usage({
    code: 'REASON_TOO_LONG',
    message: `The reason has ${reason.length} characters; at most ${REASON_LONGEST} are kept.`,
    hint: 'Write a sentence and link to the rest.',
  })
}
