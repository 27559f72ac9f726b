/** `mlops help configuration`: every key of mlops.yaml and of the policy file, from their schemas. */
import { type ConfigKey, configKeys } from '../../project/config-keys.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderConfigKeys } from '../../ui/views/configuration.ts'

export interface Result {
  readonly keys: readonly ConfigKey[]
}

export default class HelpConfiguration extends MlopsCommand {
  static override summary = 'Print every key of mlops.yaml and of the retraining policy.'
  static override examples = ['<%= config.bin %> help configuration', '<%= config.bin %> help configuration | less']

  async execute(): Promise<Outcome<Result>> {
    await this.parse(HelpConfiguration)
    const keys = configKeys()
    return { data: { keys }, render: (ui) => renderConfigKeys(ui, keys) }
  }
}
