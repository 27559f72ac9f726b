/** Asks before the command of somebody else runs with one's own rights. What makes a run one is `tracking/reproduce/plan.ts`. */
import { interrupted } from '../core/errors.ts'
import type { ReproducePlan } from '../tracking/reproduce/types.ts'
import type { Session } from './session.ts'
import { renderForeign } from './views/reproduce.ts'

/** What is missing is said without a question. @throws usage `INPUT_NEEDED` where nobody can be asked; interrupted */
export async function consentTo(session: Session, plan: ReproducePlan): Promise<void> {
  if (plan.origin.foreign.length === 0 || plan.missing.length > 0) return
  const shown = renderForeign(session.ui, plan)
  session.note(shown)
  const question = 'Run this command here?'
  // Nobody agrees to what they have not seen, also not with --quiet.
  const asked = session.quiet ? `${shown}\n${question}` : question
  if (await session.confirm({ question: asked, flag: '--yes' })) return
  throw interrupted({
    code: 'REPRODUCTION_DECLINED',
    message: 'Nothing was run.',
    hint: `Look at it: mlops run show ${plan.run}`,
  })
}
