/** `mlops predictions stats`. */
import { logHome } from '../../predictions/home.ts'
import { openLog } from '../../predictions/log.ts'
import type { LogStats } from '../../predictions/types.ts'
import { logWindow } from '../../predictions/window.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderStats } from '../../ui/views/predictions.ts'

/** `since` and `until` are null where the window has no end there. */
export type Result = LogStats & {
  readonly model: string
  readonly home: string
  readonly since: string | null
  readonly until: string | null
}

export default class PredictionsStats extends MlopsCommand {
  static override summary = 'Show how much was predicted, how often it failed and how long it took.'
  static override description =
    'Volume, errors by category and latency of the logged requests, by version. Times are event times in UTC.'
  static override examples = [
    '<%= config.bin %> predictions stats churn-model --window 7d',
    '<%= config.bin %> predictions stats churn-model --since 2026-11-01 --until 2026-11-08 --json',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    window: Flags.string({ summary: 'The last days or hours, up to now or --until.', helpValue: 'DURATION' }),
    since: Flags.string({ summary: 'From this UTC date or time on.', helpValue: 'TIME' }),
    until: Flags.string({ summary: 'Before this UTC date or time.', helpValue: 'TIME' }),
    'create-tables': Flags.boolean({
      summary: 'Make the tables of a log that lives in PostgreSQL, if they are missing.',
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(PredictionsStats)
    const { ctx } = this.session
    const window = logWindow(flags, ctx.now())
    const [project, store] = await Promise.all([this.session.loadProject(), this.session.openStore()])
    const log = openLog(ctx, project, store, args.model)
    const home = logHome(ctx, project, args.model)
    if (flags['create-tables'] && home.kind === 'postgres') {
      const { createTables } = await import('../../predictions/postgres-write.ts')
      await createTables(ctx, home)
    }
    const stats = await log.stats(window)
    const time = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : null)
    const data = { model: args.model, home: log.home, since: time(window.since), until: time(window.until), ...stats }
    return { data, render: (ui) => renderStats(ui, data) }
  }
}
