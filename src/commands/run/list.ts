/** `mlops run list`. */

import { listRuns, type RunList } from '../../tracking/records/list-runs.ts'
import { listedNames } from '../../tracking/records/order.ts'
import { type DeletedList, deletedRuns } from '../../tracking/trash/deleted-runs.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderRunCsv } from '../../ui/views/run-csv.ts'
import { renderDeleted } from '../../ui/views/run-deleted.ts'
import { renderRunList } from '../../ui/views/run-list.ts'

const SHOWN = 20

/** With --deleted the runs in the trash. */
export type Result = RunList | DeletedList

export default class RunsList extends MlopsCommand {
  static override summary = 'List the runs, newest first.'
  static override description =
    'Names: run, model, status, started, ended, age, duration, command, cwd, exit, signal, tags, notes, git.commit, git.branch, git.dirty, data.NAME.rows (sha256, size, …), python.version, seed, memory, cpu, host, actor, source, parent, reproduces, params.NAME, metrics.NAME; a metric or a parameter may be named alone. --where compares them with = != < <= > >= ~ (contains, in any case), in (…), has (a tag), and joins with and, or, not and brackets; none is what is not there. Examples of each: docs/runs.md'
  static override examples = [
    '<%= config.bin %> run list --model churn-model --limit 50',
    '<%= config.bin %> run list --where "metrics.auc > 0.8 and params.depth = 6 and git.dirty = false" --sort metrics.auc',
    '<%= config.bin %> run list --where "started > 7d and status != finished"',
    '<%= config.bin %> run list --sort loss --columns loss,params.lr,git.commit',
    '<%= config.bin %> run list --csv > runs.csv',
  ]
  static override flags = {
    where: Flags.string({
      char: 'w',
      summary: 'Only runs for which this holds; of several, all.',
      helpValue: 'FILTER',
      multiple: true,
    }),
    sort: Flags.string({
      summary: 'Sort by this, best or newest first, or as :asc or :desc says; several with commas.',
      helpValue: 'FIELD[:asc|desc],…',
      multiple: true,
    }),
    columns: Flags.string({ summary: 'Show these alone.', helpValue: 'FIELD,…', multiple: true }),
    limit: Flags.integer({
      summary: 'Show at most N runs, 20 unless told; 0, and --csv, for all.',
      helpValue: 'N',
      min: 0,
    }),
    model: Flags.string({ char: 'm', summary: 'Only runs of this model.', helpValue: 'MODEL' }),
    deleted: Flags.boolean({
      summary: 'The runs in the trash instead, the last that was deleted first.',
      exclusive: ['where', 'sort', 'columns', 'csv', 'limit'],
    }),
    csv: Flags.boolean({ summary: 'Print CSV with a header line instead of a table.', exclusive: ['json'] }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(RunsList)
    const store = await this.session.openStore()
    const { where, model, csv } = flags
    if (flags.deleted) {
      const deleted = await deletedRuns(store, model)
      return { data: { runs: deleted, deleted }, render: (ui) => renderDeleted(ui, deleted) }
    }
    const [columns, sort] = [flags.columns?.flatMap(listedNames), flags.sort?.flatMap(listedNames)]
    const limit = flags.limit ?? (csv ? 0 : SHOWN)
    const list = await listRuns(this.session.ctx, store, { where, sort, columns, limit, model })
    const words = {
      model,
      chosen: columns !== undefined,
      first: list.total === 0 ? await this.firstTrack(model) : undefined,
    }
    return { data: list, render: (ui) => (csv ? renderRunCsv(list, words.chosen) : renderRunList(ui, list, words)) }
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
