/** Asks before the command of somebody else runs with one's own rights. What makes a run one is `tracking/reproduce/plan.ts`. */
import { interrupted } from '../core/errors.ts'
import type { Session } from './session.ts'

interface Asked {
  readonly run: string
  /** Why one is asked; empty for a run of one's own. */
  readonly origin: { readonly foreign: readonly string[] }
  /** What is missing is said without a question. */
  readonly missing: readonly unknown[]
}

/** @param shown what one decides about. @throws usage `INPUT_NEEDED` where nobody can be asked; interrupted */
export async function consentTo(session: Session, { run, origin, missing }: Asked, shown: string): Promise<void> {
  if (origin.foreign.length === 0 || missing.length > 0) return
  session.note(shown)
  const question = 'Run this command here?'
  // Nobody agrees to what they have not seen, also not with --quiet.
  const asked = session.quiet ? `${shown}\n${question}` : question
  if (await session.confirm({ question: asked, flag: '--yes' })) return
  throw interrupted({
    code: 'REPRODUCTION_DECLINED',
    message: 'Nothing was run.',
    hint: `Look at it: mlops run show ${run}`,
  })
}
