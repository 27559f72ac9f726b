/** `mlops model export`: one version as one file that another store imports. */
import { parseModelRef } from '../../core/names.ts'
import { type ExportResult, exportVersion } from '../../transfer/export.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderExported } from '../../ui/views/transfer.ts'

export type Result = ExportResult

export default class ModelExport extends MlopsCommand {
  static override summary = 'Write one version into an archive that another store can import.'
  static override description =
    'The archive is a plain tar file with the model files, the baseline, the held-out evidence and the records of the run. The same version gives the same bytes wherever and whenever it is exported. Everything is hashed again on the way out; a damaged version is refused.'
  static override examples = [
    '<%= config.bin %> model export churn-model@3',
    '<%= config.bin %> model export churn-model@production --output churn.tar --json',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is the version in production, else the newest.',
      required: true,
    }),
  }
  static override flags = {
    output: Flags.string({ summary: 'Where to write it; MODEL@VERSION.tar here by default.', helpValue: 'FILE' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ModelExport)
    const ref = parseModelRef(args.model)
    const store = await this.session.openStore()
    const result = await exportVersion(this.session.ctx, store, {
      ref,
      ...(flags.output === undefined ? {} : { output: flags.output }),
    })
    return { data: result, render: (ui) => renderExported(ui, result) }
  }
}
