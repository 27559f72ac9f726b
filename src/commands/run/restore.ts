/** `mlops run restore`. */
import { usage } from '../../core/errors.ts'
import { type RestoreResult, restoreRuns } from '../../tracking/trash/deleted-runs.ts'
import { matchingDeleted } from '../../tracking/trash/matching-deleted.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRestore } from '../../ui/views/trash.ts'

export type Result = RestoreResult

export default class RunRestore extends MlopsCommand {
  static override summary = 'Take runs out of the trash, as they were.'
  static override examples = [
    '<%= config.bin %> run restore 01JD3',
    '<%= config.bin %> run restore @last',
    '<%= config.bin %> run restore --where "tags has gold"',
  ]
  static override strict = false
  static override args = {
    run: Args.string({ description: 'An id or the beginning of one, @last for the last that was deleted; several.' }),
  }

  static override flags = {
    where: Flags.string({
      char: 'w',
      summary: 'Also all in the trash for which this holds; of several, all.',
      helpValue: 'FILTER',
      multiple: true,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv, flags } = await this.parse(RunRestore)
    const { where } = flags
    if (argv.length === 0 && where === undefined) {
      throw usage({
        code: 'RUN_MISSING',
        message: 'No run is named.',
        hint: 'See what is in the trash: mlops run list --deleted',
      })
    }
    const store = await this.session.openStore({ write: true })
    const { ctx } = this.session
    const matching = where === undefined ? [] : await matchingDeleted(ctx, store, where)
    const result = await restoreRuns(ctx, store, [...argv.map(String), ...matching])
    return { data: result, render: (ui) => renderRestore(ui, result) }
  }
}
