/** `mlops run show`. */
import { type WishState, wishStates } from '../../lifecycle/register/pending-intents.ts'
import { type RunDetail, showRun } from '../../tracking/records/run-summary.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRun } from '../../ui/views/run.ts'

export interface Result extends RunDetail {
  /** What became of each of `intents`; of several with one kind and model the last counts. */
  readonly wishes: readonly WishState[]
}

export default class RunShow extends MlopsCommand {
  static override summary = 'Show everything recorded of a run.'
  static override examples = ['<%= config.bin %> run show @last', '<%= config.bin %> run show 01JD3 --json']
  static override args = {
    run: Args.string({ description: 'Its id, the beginning of it, or @last.', default: '@last' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(RunShow)
    const store = await this.session.openStore()
    const run = await showRun(this.session.ctx, store, args.run)
    const wishes = run.intents.length === 0 ? [] : await wishStates(store, run.run)
    const result = { ...run, wishes }
    return { data: result, render: (ui) => renderRun(ui, result) }
  }
}
