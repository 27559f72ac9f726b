/** `mlops scaffold prefect`: retraining on a schedule, as a flow of Prefect. */
import { exitOfScaffold, type ScaffoldResult, scaffold } from '../../scaffold/scaffold.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { scheduledModels, scheduleFlags, scheduleWishes } from '../../ui/schedule-flags.ts'
import { renderScaffold } from '../../ui/views/scaffold.ts'

export type Result = ScaffoldResult

export default class ScaffoldPrefect extends MlopsCommand {
  static override summary = 'Write a flow of Prefect that retrains models on a schedule, or bring it up to date.'
  static override description =
    'It calls mlops retrain for each model, which decides by retraining-policy.yaml whether anything has to be done, and says what its exit codes mean to Prefect.'
  static override examples = [
    '<%= config.bin %> scaffold prefect',
    '<%= config.bin %> scaffold prefect churn-model --schedule "17 3 * * 1"',
  ]
  static override args = scheduledModels
  static override flags = scheduleFlags

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ScaffoldPrefect)
    const { session } = this
    const project = await session.loadProject()
    const world = { ctx: session.ctx, project, openStore: () => session.openStore() }
    const result = await scaffold(world, { kind: 'prefect', ...scheduleWishes(args, flags) })
    return { data: result, render: (ui) => renderScaffold(ui, result), ...exitOfScaffold(result) }
  }
}
