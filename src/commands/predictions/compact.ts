/** `mlops predictions compact`. */
import { usage } from '../../core/errors.ts'
import { type CompactResult, compactLog } from '../../predictions/compact.ts'
import { logHome } from '../../predictions/home.ts'
import { parseDuration } from '../../project/duration.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderCompact } from '../../ui/views/predictions.ts'

export type Result = CompactResult

export default class PredictionsCompact extends MlopsCommand {
  static override summary = 'Turn the log of days that are over into Parquet: smaller, and faster to read.'
  static override description =
    'The Parquet file is read back and compared before the lines it was made of are deleted. Killed at any instant, nothing is lost or counted twice. Every answer stays the same.'
  static override examples = [
    '<%= config.bin %> predictions compact churn-model',
    '<%= config.bin %> predictions compact churn-model --dry-run',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    grace: Flags.string({
      summary: 'How long a day must be over, and its files untouched; at least 2h.',
      helpValue: 'DURATION',
      default: '2h',
    }),
    'dry-run': Flags.boolean({ summary: 'Show what would be compacted; change nothing.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(PredictionsCompact)
    const { ctx } = this.session
    const grace = parseDuration(flags.grace)
    if (grace === undefined || grace < 72e5) {
      throw usage({
        code: 'GRACE_INVALID',
        message: `--grace expects a duration of at least 2h, not ${JSON.stringify(flags.grace)}: writers may append for an hour after a day is over.`,
        hint: '--grace 2h',
      })
    }
    const [project] = await Promise.all([
      this.session.loadProject(),
      this.session.openStore({ write: !flags['dry-run'] }),
    ])
    const data = await compactLog(logHome(ctx, project, args.model), {
      ...{ model: args.model, grace, dryRun: flags['dry-run'], tool: ctx.tool, now: ctx.now().getTime() },
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
      ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
    })
    for (const path of data.grown) {
      ctx.warn(`${path} was written to after its day had been compacted; what was added is not counted`)
    }
    return { data, render: (ui) => renderCompact(ui, data) }
  }
}
