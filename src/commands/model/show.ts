/** `mlops model show`: everything recorded of one version, offline. */
import { parseModelRef } from '../../core/names.ts'
import { loadVersion, type VersionDetail } from '../../lifecycle/versions/version.ts'
import { resolveVersion } from '../../store/resolve.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderVersion } from '../../ui/views/model.ts'

export type Result = VersionDetail

export default class ModelShow extends MlopsCommand {
  static override summary = 'Show one version: its run, data, code, packages, metrics and files.'
  static override examples = [
    '<%= config.bin %> model show churn-model',
    '<%= config.bin %> model show churn-model@3 --json',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is the version in production, else the newest.',
      required: true,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(ModelShow)
    const ref = parseModelRef(args.model)
    const store = await this.session.openStore()
    const state = await store.models.state(ref.model)
    const detail = await loadVersion(store, state, resolveVersion(state, ref, 'production'))
    return { data: detail, render: (ui) => renderVersion(ui, detail) }
  }
}
