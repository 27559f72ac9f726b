/** `mlops run purge`. */
import { interrupted, usage } from '../../core/errors.ts'
import { parseDuration } from '../../project/duration.ts'
import { applyPurge, type PurgeResult, planPurge } from '../../tracking/trash/purge-runs.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderPurge } from '../../ui/views/trash.ts'

export type Result = PurgeResult

export default class RunPurge extends MlopsCommand {
  static override summary = 'Remove runs in the trash for good.'
  static override description =
    'Without RUN all that were deleted more than 30 days ago. What another run names (it was started by it, it repeats it) stays unless both go. Shows what would go and asks. What the runs stored as objects is freed later, by mlops store gc, where nothing else needs it.'
  static override examples = [
    '<%= config.bin %> run purge --dry-run',
    '<%= config.bin %> run purge --older-than 7d --yes',
    '<%= config.bin %> run purge 01JD3',
  ]
  static override strict = false
  static override args = {
    run: Args.string({ description: 'Of a run in the trash, an id or the beginning of one; several.' }),
  }
  static override flags = {
    'older-than': Flags.string({
      summary: 'Only what has been in the trash for so long; 30d, or 1h for runs that are named.',
      helpValue: 'DURATION',
    }),
    'dry-run': Flags.boolean({ summary: 'Show what would go; remove nothing.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv, flags } = await this.parse(RunPurge)
    const { session } = this
    const olderThan = age(flags['older-than'])
    const store = await session.openStore({ write: !flags['dry-run'] })
    const plan = await planPurge(session.ctx, store, { runs: argv.map(String), olderThan })
    const planned = { ...plan, purged: false }
    if (flags['dry-run'] || plan.runs.length === 0) return { data: planned, render: (ui) => renderPurge(ui, planned) }
    if (!session.yes) session.note(renderPurge(session.ui, planned))
    if (!(await session.confirm({ question: 'Remove them for good?', flag: '--yes' }))) throw declined()
    const result = await applyPurge(session.ctx, store, plan)
    return { data: result, render: (ui) => renderPurge(ui, result) }
  }
}

function age(text: string | undefined): number | undefined {
  const parsed = text === undefined ? undefined : /^0[smhdw]?$/.test(text) ? 0 : parseDuration(text)
  if (text === undefined || parsed !== undefined) return parsed
  throw usage({
    code: 'DURATION_INVALID',
    message: `--older-than ${JSON.stringify(text)} is no length of time.`,
    hint: 'Write for example 30d, 12h, or 0s for at once',
  })
}

const declined = () =>
  interrupted({
    code: 'PURGE_DECLINED',
    message: 'Nothing was purged.',
    hint: 'See what is in the trash: mlops run list --deleted',
  })
