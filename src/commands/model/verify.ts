/** `mlops model verify`: hashes every byte of a version again. */
import { parseModelRef } from '../../core/names.ts'
import { type IntegrityReport, verifyVersion } from '../../lifecycle/versions/integrity.ts'
import { resolveVersion } from '../../store/resolve.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderIntegrity } from '../../ui/views/model.ts'

export interface Result {
  readonly intact: boolean
  readonly versions: readonly IntegrityReport[]
}

export default class ModelVerify extends MlopsCommand {
  static override summary = 'Hash every byte of a version again; exit 1 and name what is damaged.'
  static override examples = [
    '<%= config.bin %> model verify churn-model@3',
    '<%= config.bin %> model verify churn-model',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is all of its versions.',
      required: true,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(ModelVerify)
    const { ctx } = this.session
    const ref = parseModelRef(args.model)
    const store = await this.session.openStore()
    const state = await store.models.state(ref.model)
    const wanted = ref.selector === undefined ? state.versions : [resolveVersion(state, ref, 'newest')]
    const versions: IntegrityReport[] = []
    for (const version of wanted) versions.push(await verifyVersion(ctx, store, ref.model, version))
    const intact = versions.every(({ damage }) => damage.length === 0)
    return {
      data: { intact, versions },
      render: (ui) => renderIntegrity(ui, versions),
      exit: intact ? 'ok' : 'failed',
    }
  }
}
