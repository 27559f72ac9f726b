/** `mlops scaffold airflow`: retraining on a schedule, as DAGs of Airflow. */
import { exitOfScaffold, type ScaffoldResult, scaffold } from '../../scaffold/scaffold.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { scheduledModels, scheduleFlags, scheduleWishes } from '../../ui/schedule-flags.ts'
import { renderScaffold } from '../../ui/views/scaffold.ts'

export type Result = ScaffoldResult

export default class ScaffoldAirflow extends MlopsCommand {
  static override summary = 'Write DAGs of Airflow that retrain models on a schedule, or bring them up to date.'
  static override description =
    'It calls mlops retrain for each model, which decides by retraining-policy.yaml whether anything has to be done, and says what its exit codes mean to Airflow.'
  static override examples = [
    '<%= config.bin %> scaffold airflow',
    '<%= config.bin %> scaffold airflow churn-model --schedule "17 3 * * 1"',
  ]
  static override args = scheduledModels
  static override flags = scheduleFlags

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ScaffoldAirflow)
    const { session } = this
    const project = await session.loadProject()
    const world = { ctx: session.ctx, project, openStore: () => session.openStore() }
    const result = await scaffold(world, { kind: 'airflow', ...scheduleWishes(args, flags) })
    return { data: result, render: (ui) => renderScaffold(ui, result), ...exitOfScaffold(result) }
  }
}
