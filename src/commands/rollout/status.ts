/** `mlops rollout status`: how the version that is rolled out does, beside the one that holds the stage. */
import { given } from '../../core/given.ts'
import { assertName } from '../../core/names.ts'
import { lengthOf } from '../../predictions/window.ts'
import { type RolloutReport, rolloutStatus } from '../../rollout/status.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRollouts } from '../../ui/views/rollout.ts'

export type Result = RolloutReport

export default class RolloutStatusCommand extends MlopsCommand {
  static override summary = 'Compare the version that is rolled out with the one that holds the stage.'
  static override description =
    'Both answered the same traffic in the same window of the prediction log: failed requests, latency, answers, labels. Exit code 0: as good or better; 3: a breach; 6: too little data to say, which is no yes. The margins stand in mlops.yaml under rollout.'
  static override examples = [
    '<%= config.bin %> rollout status churn-model',
    '<%= config.bin %> rollout status churn-model --window 2h --json',
    '<%= config.bin %> rollout status',
  ]
  static override args = { model: Args.string({ description: 'Only this model.' }) }
  static override flags = {
    stage: Flags.string({ summary: 'Only this stage.', helpValue: 'STAGE' }),
    window: Flags.string({
      summary: 'How much of the log; never more than since the step began, and that without it.',
      helpValue: 'LENGTH',
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RolloutStatusCommand)
    const { session } = this
    if (args.model !== undefined) assertName('model', args.model)
    const window = flags.window === undefined ? undefined : lengthOf(flags.window, '--window')
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const request = given({ model: args.model, stage: flags.stage, window })
    const report = await rolloutStatus(session.ctx, project, store, request)
    const [worst] = report.rollouts
    const exit = { breach: 'no', hold: 'inconclusive', holds: 'ok', better: 'ok' } as const
    return {
      data: report,
      render: (ui) => renderRollouts(ui, report, args.model),
      exit: worst === undefined ? 'ok' : exit[worst.comparison.verdict],
    }
  }
}
