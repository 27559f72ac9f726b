/** `mlops run show`. */
import { type RunDetail, showRun } from '../../tracking/run-summary.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRun } from '../../ui/views/run.ts'

export type Result = RunDetail

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
    return { data: run, render: (ui) => renderRun(ui, run) }
  }
}
