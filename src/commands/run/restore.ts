/** `mlops run restore`. */
import { usage } from '../../core/errors.ts'
import { type RestoreResult, restoreRuns } from '../../tracking/trash/deleted-runs.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRestore } from '../../ui/views/trash.ts'

export type Result = RestoreResult

export default class RunRestore extends MlopsCommand {
  static override summary = 'Take runs out of the trash, as they were.'
  static override examples = ['<%= config.bin %> run restore 01JD3', '<%= config.bin %> run restore @last']
  static override strict = false
  static override args = {
    run: Args.string({ description: 'An id or the beginning of one, @last for the last that was deleted; several.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv } = await this.parse(RunRestore)
    if (argv.length === 0) {
      throw usage({
        code: 'RUN_MISSING',
        message: 'No run is named.',
        hint: 'See what is in the trash: mlops run list --deleted',
      })
    }
    const store = await this.session.openStore({ write: true })
    const result = await restoreRuns(this.session.ctx, store, argv.map(String))
    return { data: result, render: (ui) => renderRestore(ui, result) }
  }
}
