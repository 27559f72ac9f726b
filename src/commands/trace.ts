/** `mlops trace`: from one logged prediction back to the version, the run, the data and the people. */
import { assertName } from '../core/names.ts'
import { tracePrediction } from '../lifecycle/trace/trace.ts'
import type { Trace as Traced } from '../lifecycle/trace/types.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderTrace } from '../ui/views/trace.ts'

export type Result = Traced

export default class Trace extends MlopsCommand {
  static override summary = 'From one logged prediction to the version, run, commit, data and people behind it.'
  static override description =
    'The id is the whole one that the service answered with. Every log is looked through: where the id says a time (ULID, UUID version 7, a date in front), that day first, else the newest day first, and no further than needed. Columns under predictions.drop and secrets are not shown. Read docs/trace.md.'
  static override examples = [
    '<%= config.bin %> trace 01JD2Q4V6W8XYZ0123456789AB',
    '<%= config.bin %> trace 9f86d081884c7d65-1a --model churn-model --json',
  ]
  static override args = {
    prediction: Args.string({ description: 'The id of a prediction, whole.', required: true }),
  }
  static override flags = {
    model: Flags.string({ summary: 'Look only in the log of this model.', helpValue: 'MODEL' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Trace)
    const { ctx } = this.session
    if (flags.model !== undefined) assertName('model', flags.model)
    const [project, store] = await Promise.all([this.session.loadProject(), this.session.openStore()])
    const trace = await tracePrediction(ctx, project, store, { id: args.prediction, model: flags.model })
    return { data: trace, render: (ui) => renderTrace(ui, trace) }
  }
}
