/** `mlops predictions label`. */
import { namedData } from '../../data/input.ts'
import { targetClassesOf } from '../../monitor/target-classes.ts'
import { logHome } from '../../predictions/home.ts'
import { type LabelResult, labelPredictions } from '../../predictions/label.ts'
import { logWindow } from '../../predictions/window.ts'
import { modelConfig } from '../../project/load.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderLabels } from '../../ui/views/predictions.ts'

export type Result = LabelResult

export default class PredictionsLabel extends MlopsCommand {
  static override summary = 'Join what came true to the predictions, by their id.'
  static override description =
    'The data (a file, folder or pattern, - for standard input, or postgres://…?table=NAME) have a column with the id of the prediction and one with the truth. They may come in any order, in parts, and again: of several labels for one id the last one counts, and what is known already is not written twice. Labels of unknown ids are kept and joined when their prediction comes. Quality is then part of mlops drift.'
  static override examples = [
    '<%= config.bin %> predictions label churn-model churned-in-october.csv',
    '<%= config.bin %> predictions label churn-model truth.parquet --id prediction_id --label churned',
  ]
  static override args = {
    model: Args.string({ description: 'The model.', required: true }),
    file: Args.string({ description: 'The data with ids and labels.', required: true }),
  }
  static override flags = {
    id: Flags.string({ summary: 'The column with the id of the prediction.', helpValue: 'COLUMN' }),
    label: Flags.string({ summary: 'The column with what came true.', helpValue: 'COLUMN' }),
    window: Flags.string({ summary: 'Look for predictions of the last days only.', helpValue: 'DURATION' }),
    since: Flags.string({ summary: 'Look for predictions from this UTC date or time on.', helpValue: 'TIME' }),
    until: Flags.string({ summary: 'Look for predictions before this UTC date or time.', helpValue: 'TIME' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(PredictionsLabel)
    const { ctx } = this.session
    const window = logWindow(flags, ctx.now())
    const [project, store] = await Promise.all([this.session.loadProject(), this.session.openStore({ write: true })])
    const { target } = modelConfig(project, args.model).schema
    const targetClasses = await targetClassesOf(project, store, args.model)
    const data = await labelPredictions(ctx, logHome(ctx, project, args.model), {
      model: args.model,
      input: namedData(args.file),
      window,
      ...(flags.id === undefined ? {} : { idColumn: flags.id }),
      ...(flags.label === undefined ? {} : { labelColumn: flags.label }),
      ...(target === undefined ? {} : { target }),
      ...(targetClasses === undefined ? {} : { targetClasses }),
    })
    if (data.odd.length > 0) ctx.warn(oddText(data.odd, targetClasses))
    return { data, render: (ui) => renderLabels(ui, data) }
  }
}

function oddText(odd: readonly string[], classes: Awaited<ReturnType<typeof targetClassesOf>>): string {
  const known = classes === 'numbers' || classes === undefined ? 'numbers' : classes.slice(0, 5).join(', ')
  return `Some labels are none of the training data (${known}): ${odd.join(', ')}. They were joined; a correction is another file with the same ids`
}
