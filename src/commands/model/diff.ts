/** `mlops model diff`: what changed between two versions, offline. */
import { usage } from '../../core/errors.ts'
import { type ModelRef, parseModelRef } from '../../core/names.ts'
import { directionsOfModel } from '../../lifecycle/gate/rules.ts'
import { type CodeDiff, codeDiff } from '../../lifecycle/versions/code-diff.ts'
import { contractSettings } from '../../lifecycle/versions/contract.ts'
import { diffVersions, loadContracts, loadLock, type VersionDiff } from '../../lifecycle/versions/diff.ts'
import { loadVersion, type VersionDetail } from '../../lifecycle/versions/version.ts'
import { modelConfig } from '../../project/load.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderDiff } from '../../ui/views/diff.ts'

export interface Result extends VersionDiff {
  /** With `--code`; else null. */
  readonly lines: CodeDiff | null
}

export default class ModelDiff extends MlopsCommand {
  static override summary =
    'Show what changed between two versions: metrics, parameters, contract, command, data, code, packages, files.'
  static override examples = [
    '<%= config.bin %> model diff churn-model@1 churn-model@2',
    '<%= config.bin %> model diff churn-model production staging --code',
  ]
  static override args = {
    from: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE, or the MODEL alone before two of its versions.',
      required: true,
    }),
    to: Args.string({ description: 'The other version.', required: true }),
    last: Args.string({ description: 'The second version, when the first argument is the MODEL alone.' }),
  }
  static override flags = { code: Flags.boolean({ summary: 'Also print the change of the code, line by line.' }) }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ModelDiff)
    const { session } = this
    const [first, second] = refs(args.from, args.to, args.last)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const [from, to] = await Promise.all([load(store, first), load(store, second)])
    const [lockFrom, lockTo] = await Promise.all([loadLock(store, from), loadLock(store, to)])
    const directions = directionsOfModel(modelConfig(project, to.model))
    const settings = contractSettings(project, to.model)
    const contract = await loadContracts(store, await store.models.state(to.model), from, to, settings)
    const diff = diffVersions(from, to, { from: lockFrom, to: lockTo }, { directions }, contract)
    const lines = flags.code ? await codeDiff(session.ctx, store, project.root, from, to) : null
    return { data: { ...diff, lines }, render: (ui) => renderDiff(ui, diff, lines) }
  }
}

/** `MODEL@A MODEL@B`, or `MODEL A B`. */
function refs(from: string, to: string, last: string | undefined): [ModelRef, ModelRef] {
  if (last !== undefined) return [parseModelRef(`${from}@${to}`), parseModelRef(`${from}@${last}`)]
  if (/^\d+$/.test(to) || !from.includes('@')) {
    throw usage({
      code: 'TWO_VERSIONS_NEEDED',
      message: 'Two versions are needed.',
      hint: 'Write: mlops model diff MODEL@1 MODEL@2, or mlops model diff MODEL 1 2',
    })
  }
  return [parseModelRef(from), parseModelRef(to)]
}

async function load(store: Store, ref: ModelRef): Promise<VersionDetail> {
  const state = await store.models.state(ref.model)
  return loadVersion(store, state, resolveVersion(state, ref, 'production'))
}
