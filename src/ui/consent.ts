/** Asks a person at a terminal to approve what they are shown, and why. What an approval is worth is not decided here. */
import type { Session } from './session.ts'
import { createUi, type Ui } from './ui.ts'

export interface ConsentOptions {
  /** What they decide about. Written to stderr, like the question. */
  readonly shown: (ui: Ui) => string
  readonly question: string
  /** What answers it without a prompt: `--approve NAME`. */
  readonly flag: string
  /** True when a reason was given already, so that none is asked for. */
  readonly hasReason: boolean
}

/** @returns null for a no; `reason` only where one was typed */
export async function askConsent(
  session: Session,
  { question, flag, hasReason, ...options }: ConsentOptions,
): Promise<{ readonly reason?: string } | null> {
  const { errStyle: style, errWidth: width, quiet, ctx } = session
  const shown = options.shown(createUi({ style, width, quiet, now: ctx.now() }))
  session.note(`${shown}\n`)
  // Nobody approves what they have not seen, also not with --quiet.
  const asked = session.quiet ? `${shown}\n\n${question}` : question
  if (!(await session.confirm({ question: asked, flag, yesAnswers: false }))) return null
  return hasReason ? {} : askReason(session)
}

/** Enter skips. */
export async function askReason(session: Session): Promise<{ readonly reason?: string }> {
  const typed = await session.ask({
    question: 'Why? (kept in the history; Enter skips)',
    flag: '--reason TEXT',
    default: '',
  })
  return typed.trim() === '' ? {} : { reason: typed }
}
