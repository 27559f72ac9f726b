/** `mlops run delete`. */
import { interrupted, usage } from '../../core/errors.ts'
import { applyDelete, type DeleteResult, planDelete } from '../../tracking/trash/delete-runs.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderDelete } from '../../ui/views/trash.ts'

export type Result = DeleteResult

export default class RunDelete extends MlopsCommand {
  static override summary = 'Put runs into the trash, from where they come back.'
  static override description =
    'Refused for a run that is running, and for one that a version, a baseline or a retraining names. Of the runs that --where chooses, such ones are left alone. Frees nothing: mlops run purge removes runs for good, and then mlops store gc what they stored (docs/trash.md).'
  static override examples = [
    '<%= config.bin %> run delete 01JD3 --reason "wrong data"',
    '<%= config.bin %> run delete --where "status = failed and started < 2026-01-01" --dry-run',
  ]
  static override strict = false
  static override args = {
    run: Args.string({ description: 'An id, the beginning of one, @last, @best:METRIC; several.' }),
  }
  static override flags = {
    where: Flags.string({
      char: 'w',
      summary: 'Also all runs for which this holds; of several, all.',
      helpValue: 'FILTER',
      multiple: true,
    }),
    reason: Flags.string({ summary: 'Why, for those who find them in the trash.', helpValue: 'TEXT' }),
    'dry-run': Flags.boolean({ summary: 'Show which would go; delete nothing.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv, flags } = await this.parse(RunDelete)
    const { session } = this
    const { where, reason } = flags
    const runs = argv.map(String)
    if (runs.length === 0 && where === undefined) throw nothingNamed()
    const store = await session.openStore({ write: !flags['dry-run'] })
    const plan = await planDelete(session.ctx, store, { runs, where })
    const planned = { ...plan, deleted: false, reason: reason ?? null }
    if (flags['dry-run'] || plan.runs.length === 0) return { data: planned, render: (ui) => renderDelete(ui, planned) }
    // What was named by hand comes back by hand; a filter may choose more than one thinks.
    if (where !== undefined) {
      if (!session.yes) session.note(renderDelete(session.ui, planned))
      if (!(await session.confirm({ question: 'Put them into the trash?', flag: '--yes' }))) throw declined()
    }
    const result = await applyDelete(session.ctx, store, plan, reason)
    return { data: result, render: (ui) => renderDelete(ui, result) }
  }
}

const nothingNamed = () =>
  usage({
    code: 'RUN_MISSING',
    message: 'No run is named.',
    hint: 'Name runs, or say which by a filter: mlops run delete 01JD3, or: mlops run delete --where "status = failed"',
  })

const declined = () =>
  interrupted({ code: 'DELETE_DECLINED', message: 'No run was deleted.', hint: 'See the runs: mlops run list' })
