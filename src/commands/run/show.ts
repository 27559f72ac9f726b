/** `mlops run show`. */
import { type WishState, wishStates } from '../../lifecycle/register/pending-intents.ts'
import type { Store } from '../../store/store.ts'
import { namedRun } from '../../tracking/compare/which-runs.ts'
import { assertMetric } from '../../tracking/records/assert-metric.ts'
import { followRun } from '../../tracking/records/follow.ts'
import { type RunDetail, showRun } from '../../tracking/records/run-summary.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { openScreen } from '../../ui/screen.ts'
import { renderProgress, renderRun } from '../../ui/views/run-show.ts'

export interface Result extends RunDetail {
  /** What became of each of `intents`; of several with one kind and model the last counts. */
  readonly wishes: readonly WishState[]
}

export default class RunShow extends MlopsCommand {
  static override summary = 'Show everything recorded of a run.'
  static override description =
    'Works while the run goes on. --follow looks again every second until it has ended: on a terminal the metrics are drawn anew, elsewhere only the final state is printed. The exit code is 0 however the run ended.'
  static override examples = [
    '<%= config.bin %> run show @last',
    '<%= config.bin %> run show @last --metric loss --follow',
    '<%= config.bin %> run show churn-model@production',
    '<%= config.bin %> run show 01JD3 --json',
  ]
  static override args = {
    run: Args.string({
      description: 'Its id, the beginning of it, @last, @last~2 or @best:METRIC; MODEL@VERSION for the run behind it.',
      default: '@last',
    }),
  }
  static override flags = {
    metric: Flags.string({ summary: 'Draw the history of this metric large.', helpValue: 'METRIC' }),
    follow: Flags.boolean({ char: 'f', summary: 'Keep looking until the run has ended.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RunShow)
    const store = await this.session.openStore()
    const { ctx } = this.session
    // Of a version, the run that made it.
    const { run: id } = await namedRun(ctx, store, args.run)
    const run = flags.follow ? await this.follow(store, id, flags.metric) : await showRun(ctx, store, id)
    if (flags.metric !== undefined) assertMetric(run, flags.metric)
    const wishes = run.intents.length === 0 ? [] : await wishStates(store, run.run)
    const result = { ...run, wishes }
    return { data: result, render: (ui) => renderRun(ui, result, flags.metric) }
  }

  private async follow(store: Store, reference: string, metric: string | undefined): Promise<RunDetail> {
    const { ctx, ui, json } = this.session
    const canDraw = !json && Number.isFinite(ui.width) && ctx.env.TERM !== 'dumb'
    if (!canDraw) return followRun(ctx, store, reference, {})
    const screen = openScreen(process.stdout, ui.style, ctx.now)
    try {
      const draw = async (run: RunDetail): Promise<void> => screen.draw((at) => renderProgress(at, run, metric))
      return await followRun(ctx, store, reference, { draw })
    } finally {
      screen.close()
    }
  }
}
