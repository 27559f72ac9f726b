/** `mlops model import`: an archive becomes the next version here. */
import { given } from '../../core/given.ts'
import type { ImportResult } from '../../transfer/import-result.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderImported } from '../../ui/views/transfer.ts'

export type Result = ImportResult

export default class ModelImport extends MlopsCommand {
  static override summary = 'Register the version in an archive as the next version here.'
  static override description =
    'All of the archive is checked before anything is written: names, sizes, digests, records. The scan for code is made anew. No stage is moved and nothing of the archive is run. Importing it again gives the version that exists already.'
  static override examples = [
    '<%= config.bin %> model import churn-model@3.tar',
    '<%= config.bin %> model import churn-model@3.tar --as churn-eu',
    '<%= config.bin %> model import churn-model@3.tar --dry-run',
  ]
  static override args = {
    file: Args.string({ description: 'An archive that `mlops model export` wrote.', required: true }),
  }
  static override flags = {
    as: Flags.string({ summary: 'Name of the model here; that of the archive by default.', helpValue: 'MODEL' }),
    'dry-run': Flags.boolean({ summary: 'Check all of the archive and stop there.' }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ModelImport)
    const { session } = this
    const dryRun = flags['dry-run']
    const { importVersion } = await import('../../transfer/import.ts')
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: !dryRun })])
    const { idempotencyKey, ciJob } = session
    const result = await importVersion(session.ctx, project, store, {
      file: args.file,
      dryRun,
      ...given({ as: flags.as, idempotencyKey, ciJob }),
    })
    return { data: result, render: (ui) => renderImported(ui, result) }
  }
}
