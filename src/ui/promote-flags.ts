/** The flags of `mlops promote` that say what is moved, where to and by whose word. What they do is decided in its command. */
import { Flags } from './command.ts'

export const promoteFlags = {
  to: Flags.string({ summary: 'The stage to move.', helpValue: 'STAGE', required: true }),
  approve: Flags.string({
    summary: 'Name of the person who approves; repeat it where several must.',
    helpValue: 'NAME',
    multiple: true,
  }),
  reason: Flags.string({ summary: 'Why; kept in the history.', helpValue: 'TEXT' }),
  test: Flags.string({
    summary:
      "The version's test set, a file or folder, to score the champion on it, where the run does not say where it lies.",
    helpValue: 'PATH',
  }),
  proposal: Flags.string({
    summary:
      'What mlops gate propose wrote: refused unless version, stage and gate are just as it says when the stage moves.',
    helpValue: 'FILE',
    exclusive: ['rollout'],
  }),
  rollout: Flags.string({
    summary:
      'Give it a part of the traffic first: ascending percentages that end with 100 (mlops rollout advance takes the next step).',
    helpValue: 'STEPS',
  }),
} as const
