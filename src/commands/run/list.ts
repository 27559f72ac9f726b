/** `mlops run list`. */
import { listRuns } from '../../tracking/records/list-runs.ts'
import type { RunRow } from '../../tracking/records/run-row.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRuns } from '../../ui/views/run.ts'

export interface Result {
  readonly runs: readonly RunRow[]
  /** Runs in the store, shown or not. */
  readonly total: number
}

export default class RunList extends MlopsCommand {
  static override summary = 'List the runs, newest first.'
  static override examples = [
    '<%= config.bin %> run list',
    '<%= config.bin %> run list --model churn-model --limit 50',
    '<%= config.bin %> run list --limit 0 --json',
  ]
  static override flags = {
    limit: Flags.integer({ summary: 'Show at most N runs; 0 for all.', helpValue: 'N', default: 20, min: 0 }),
    model: Flags.string({ char: 'm', summary: 'Only runs of this model.', helpValue: 'MODEL' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(RunList)
    const store = await this.session.openStore()
    const result = await listRuns(this.session.ctx, store, { limit: flags.limit, model: flags.model })
    const first = result.total === 0 ? await this.firstTrack(flags.model) : undefined
    return { data: result, render: (ui) => renderRuns(ui, result, flags.model, first) }
  }

  /** In the words of mlops.yaml, where there is one that can be read. */
  private async firstTrack(model: string | undefined): Promise<string | undefined> {
    const { firstTrack } = await import('../../lifecycle/status/first-run.ts')
    return this.session
      .loadProject()
      .then((project) => firstTrack(project, model))
      .catch(() => undefined)
  }
}
