/** `mlops rollout abort`: all traffic back to the version that holds the stage. */
import { given } from '../../core/given.ts'
import { assertName } from '../../core/names.ts'
import { type AbortResult, abortRollout } from '../../rollout/abort.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderAbort } from '../../ui/views/rollout.ts'
import { NO_WAIT, WAIT_MS } from '../../ui/wait.ts'

export type Result = AbortResult

export default class RolloutAbort extends MlopsCommand {
  static override summary = 'End a rollout: all traffic goes to the version that holds the stage.'
  static override description =
    'The stage itself never moved, so nothing is rolled back; mlops rollback does the same while a rollout is going on.'
  static override examples = [
    '<%= config.bin %> rollout abort churn-model --reason "latency doubled"',
    '<%= config.bin %> rollout abort churn-model --stage staging --reason "wrong data" --json',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    stage: Flags.string({ summary: 'The stage, where several have a rollout.', helpValue: 'STAGE' }),
    reason: Flags.string({ summary: 'Why; kept in the history.', helpValue: 'TEXT', required: true }),
    'no-wait': NO_WAIT,
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RolloutAbort)
    const { session } = this
    assertName('model', args.model)
    const store = await session.openStore({ write: true })
    const result = await abortRollout(session.ctx, store, {
      model: args.model,
      reason: flags.reason,
      ...given({ stage: flags.stage, idempotencyKey: session.idempotencyKey }),
      ...given({ wait: flags['no-wait'] ? undefined : WAIT_MS }),
    })
    return { data: result, render: (ui) => renderAbort(ui, result) }
  }
}
