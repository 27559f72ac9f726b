/** `mlops status`: the three questions for the whole fleet. */
import { assertName } from '../core/names.ts'
import { fleetStatus, type StatusReport } from '../lifecycle/status/status.ts'
import { Args, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderStatus } from '../ui/views/status.ts'

export type Result = StatusReport

export default class Status extends MlopsCommand {
  static override summary = 'Which version is in production, is it healthy, what is next: worst first.'
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status churn-model --json']
  static override args = { model: Args.string({ description: 'Only this model.' }) }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(Status)
    const { session } = this
    if (args.model !== undefined) assertName('model', args.model)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const report = await fleetStatus(session.ctx, project, store, args.model)
    const damaged = report.models.some(({ rank }) => rank === 'damaged')
    return { data: report, render: (ui) => renderStatus(ui, report), exit: damaged ? 'failed' : 'ok' }
  }
}
