/** `mlops rollout advance`: the next step, or with the last one the promotion. */
import { given } from '../../core/given.ts'
import { assertName } from '../../core/names.ts'
import { lengthOf } from '../../predictions/window.ts'
import { rereadOf } from '../../project/load.ts'
import { type AdvanceResult, advanceRollout } from '../../rollout/advance.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { approvalQuestion } from '../../ui/views/ask-approval.ts'
import { renderAdvance } from '../../ui/views/rollout.ts'
import { NO_WAIT, WAIT_MS } from '../../ui/wait.ts'

export type Result = AdvanceResult

export default class RolloutAdvance extends MlopsCommand {
  static override summary = 'Give the version that is rolled out its next share of the traffic.'
  static override description =
    'The two versions are compared first: a breach refuses (exit code 3), too little data holds (6). The last step judges the gate again and moves the stage; the approvals given at the start count while the rules are the same. With --auto, for a scheduler: a breach aborts the rollout, so that all traffic goes to the version that holds the stage.'
  static override examples = [
    '<%= config.bin %> rollout advance churn-model',
    '<%= config.bin %> rollout advance churn-model --auto',
    '<%= config.bin %> rollout advance churn-model --force --reason "no traffic at night, looked at by hand"',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    stage: Flags.string({ summary: 'The stage, where several have a rollout.', helpValue: 'STAGE' }),
    auto: Flags.boolean({
      summary: 'For a scheduler: advance where it holds, abort on a breach, else change nothing.',
    }),
    force: Flags.boolean({ summary: 'Go on though too little is known; needs --reason. Never past a breach.' }),
    reason: Flags.string({ summary: 'Why; kept in the history.', helpValue: 'TEXT' }),
    approve: Flags.string({
      summary: 'Name of a person who approves the last step, where those of the start do not count any more.',
      helpValue: 'NAME',
      multiple: true,
    }),
    window: Flags.string({ summary: 'How much of the log, within the step.', helpValue: 'LENGTH' }),
    'no-wait': NO_WAIT,
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RolloutAdvance)
    const { session } = this
    assertName('model', args.model)
    const window = flags.window === undefined ? undefined : lengthOf(flags.window, '--window')
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: true })])
    const question = approvalQuestion(session, true)
    const result = await advanceRollout(session.ctx, project, store, {
      model: args.model,
      auto: flags.auto,
      force: flags.force,
      approve: flags.approve ?? [],
      ...given({ stage: flags.stage, reason: flags.reason, window, idempotencyKey: session.idempotencyKey }),
      ...given({ wait: flags['no-wait'] ? undefined : WAIT_MS, reread: rereadOf(project, session.ctx) }),
      ...question.asking,
    })
    const exit = { advanced: 'ok', promoted: 'ok', aborted: 'no', held: 'inconclusive', nothing: 'ok' } as const
    return { data: result, render: (ui) => renderAdvance(ui, result, question.wasShown()), exit: exit[result.outcome] }
  }
}
