/** `mlops model list`: every model with its versions and stages. */
import { listModels, type ModelSummary } from '../../lifecycle/versions/list.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderModels } from '../../ui/views/model.ts'

export interface Result {
  readonly models: readonly ModelSummary[]
}

export default class ModelList extends MlopsCommand {
  static override summary = 'List the models with what is in each stage.'
  static override examples = ['<%= config.bin %> model list', '<%= config.bin %> model list --json']

  async execute(): Promise<Outcome<Result>> {
    await this.parse(ModelList)
    const models = await listModels(await this.session.openStore())
    const damaged = models.some(({ problem }) => problem !== null)
    return { data: { models }, render: (ui) => renderModels(ui, models), exit: damaged ? 'failed' : 'ok' }
  }
}
