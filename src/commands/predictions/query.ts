/** `mlops predictions query`. */
import { logHome } from '../../predictions/home.ts'
import { readerOf } from '../../predictions/log.ts'
import { type QueryResult, queryRecords } from '../../predictions/query.ts'
import { logWindow } from '../../predictions/window.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderCsv, renderQuery } from '../../ui/views/predictions.ts'

export type Result = QueryResult & { readonly model: string; readonly home: string }

export default class PredictionsQuery extends MlopsCommand {
  static override summary = 'Ask the prediction log in SQL.'
  static override description =
    'One SELECT (DuckDB) over the view predictions: id, time, model, version, variant, features, output, latency_ms, status, error, "user", segment, tokens, cost, tags, sample_rate, label. Features and tags are JSON: features->>\'plan\'. Only the log can be read, and nothing is changed.'
  static override examples = [
    '<%= config.bin %> predictions query churn-model "SELECT version, count(*), avg(CAST(output AS DOUBLE)) FROM predictions GROUP BY version"',
    '<%= config.bin %> predictions query churn-model "SELECT features->>\'plan\' AS plan, count(*) FROM predictions GROUP BY plan" --window 24h',
    '<%= config.bin %> predictions query churn-model "SELECT * FROM predictions WHERE status <> \'ok\'" --csv > failed.csv',
  ]
  static override args = {
    model: Args.string({ description: 'The model.', required: true }),
    sql: Args.string({ description: 'One SELECT over predictions.', required: true }),
  }
  static override flags = {
    window: Flags.string({ summary: 'Read only the last days or hours, up to now or --until.', helpValue: 'DURATION' }),
    since: Flags.string({ summary: 'Read from this UTC date or time on.', helpValue: 'TIME' }),
    until: Flags.string({ summary: 'Read what is before this UTC date or time.', helpValue: 'TIME' }),
    csv: Flags.boolean({ summary: 'Print CSV with a header line instead of a table.', exclusive: ['json'] }),
    limit: Flags.integer({ summary: 'Show at most N rows.', helpValue: 'N', min: 1, max: 1_000_000, default: 1_000 }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(PredictionsQuery)
    const { ctx } = this.session
    const window = logWindow(flags, ctx.now())
    const [project] = await Promise.all([this.session.loadProject(), this.session.openStore()])
    const home = logHome(ctx, project, args.model)
    const read = readerOf(ctx, home, args.model)
    const result = await read(window, (reading) => queryRecords(reading, window, args.sql, flags.limit))
    if (result.isCut) ctx.warn(`Only the first ${result.limit} rows are shown. More: --limit N, or LIMIT in the SQL`)
    const data = { model: args.model, home: home.name, ...result }
    return { data, render: (ui) => (flags.csv ? renderCsv(data) : renderQuery(ui, data)) }
  }
}
