/** How the next thing is typed. Hints and next steps take it from here, so that no two of them disagree. */
import { shellWord } from './shell.ts'

/** The one stage that asks for a person in every configuration. */
const ALWAYS_APPROVED = 'production'

/**
 * @param version `churn-model@3`, or the model alone for its newest version
 * @param approvals how many people the gate of the stage asks for, where that is known
 * @param approved how many of them have approved ahead of the move
 * @param given names that came with the move and count: without them the next try would lose them
 */
export function promotionCommand(
  version: string,
  stage: string,
  approvals = 0,
  approved = 0,
  given: readonly string[] = [],
): string {
  const needed = Math.max(approvals, stage === ALWAYS_APPROVED ? 1 : 0)
  const people = Math.max(0, needed - approved - given.length)
  const names = given.map((name) => ` --approve ${shellWord(name)}`).join('')
  return `mlops promote ${version} --to ${stage}${names}${' --approve NAME'.repeat(people)}`
}

/** A person's word ahead of the move: asked for at a terminal. */
export const approvalCommand = (version: string, stage: string): string => `mlops approve ${version} --to ${stage}`

/** A look at the gate that changes nothing. */
export const dryRunCommand = (version: string, stage: string): string =>
  `mlops promote ${version} --to ${stage} --dry-run`

/** Columns that are not what the model was trained on are mended where they are made: a look at what it was given. */
export const brokenColumnsCommand = (version: string): string => `mlops model show ${version}`

/** @param data what drifted, as the user wrote it: the reason that is recorded */
export function retrainCommand(model: string, data: string | null): string {
  // A file name that a shell would take apart is left out of what is to be pasted into one.
  const reason = data !== null && /^[\w./-]+$/.test(data) ? ` --reason "drift in ${data}"` : ''
  return `mlops retrain ${model}${reason}`
}

/** Retrains also where the last answer to the same cause was a no. */
export const retrainAgainCommand = (model: string): string =>
  `mlops retrain ${model} --force --reason "what was changed"`
