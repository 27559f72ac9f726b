/** `mlops store gc`. */
import { usage } from '../../core/errors.ts'
import { parseDuration } from '../../project/duration.ts'
import type { GcReport } from '../../store/gc.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderGc } from '../../ui/views/gc.ts'

export type Result = GcReport

export default class StoreGc extends MlopsCommand {
  static override summary = 'Find objects that nothing refers to, and with --delete remove them.'
  static override description =
    'Says what would go, how much that is, and why the rest stays; changes nothing without --delete. What nothing refers to, and nobody needed for the grace, is put into the trash; what has been there for the grace is removed for good by a later gc. Runs in the trash keep their objects until they are purged. Works while others write. Refused in a store that is damaged, or that was written by a newer mlops (docs/trash.md).'
  static override examples = [
    '<%= config.bin %> store gc',
    '<%= config.bin %> store gc --delete',
    '<%= config.bin %> store gc --delete --grace 30d --json',
  ]
  static override flags = {
    delete: Flags.boolean({ summary: 'Do it.' }),
    grace: Flags.string({
      summary: 'How long nothing is touched after it was needed last; at least 1d.',
      helpValue: 'DURATION',
      default: '14d',
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(StoreGc)
    const { session } = this
    const [{ storeRoot }, { collectGarbage, MIN_GRACE }] = await Promise.all([
      session.loadProject(),
      import('../../store/gc.ts'),
    ])
    const grace = parseDuration(flags.grace)
    if (grace === undefined || grace < MIN_GRACE) throw badGrace(flags.grace)
    // Of a shared branch all that it has must be here before anything is removed.
    await session.openStore(flags.delete ? { write: true, ask: 'must' } : {})
    const report = await collectGarbage(session.ctx, storeRoot, { remove: flags.delete, grace })
    return { data: report, render: (ui) => renderGc(ui, report) }
  }
}

const badGrace = (text: string) =>
  usage({
    code: 'GRACE_INVALID',
    message: `--grace ${JSON.stringify(text)} is not a length of time of at least a day.`,
    hint: 'Write for example 14d or 1d: within it writers refer to what they have stored',
  })
