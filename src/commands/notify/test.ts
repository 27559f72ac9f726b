/** `mlops notify test`: a test message to channels. */
import { assertName } from '../../core/names.ts'
import { channelsOf } from '../../monitor/channels.ts'
import { type ChannelTest, noChannels, testChannels } from '../../notify/test-message.ts'
import type { Project } from '../../project/config.ts'
import { modelNotFound } from '../../store/commit-problems.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderChannelTests } from '../../ui/views/notify.ts'

export type Result = { readonly channels: readonly ChannelTest[] }

export default class NotifyTest extends MlopsCommand {
  static override summary = 'Send a test message to channels, and say which took it.'
  static override description =
    'Without a channel: those of the model, or of every model in mlops.yaml. What is sent is marked as a test; in PagerDuty and GitHub it is closed again at once. Secrets come from environment variables, and a missing one is named. Exits 1 when a channel did not take the message.'
  static override examples = [
    '<%= config.bin %> notify test',
    '<%= config.bin %> notify test --model churn-model',
    '<%= config.bin %> notify test slack:#ml-alerts email:ml@example.com',
  ]
  static override args = {
    channel: Args.string({ description: 'A channel as in mlops.yaml: slack:#ml-alerts.', multiple: true }),
  }
  static override flags = {
    model: Flags.string({ summary: 'The channels that are configured for this model.', helpValue: 'MODEL' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(NotifyTest)
    const project = await this.session.loadProject()
    if (flags.model !== undefined) await this.assertModel(project, flags.model)
    const named = (args.channel ?? []) as unknown as readonly string[]
    const channels = named.length > 0 ? named : await configured(project, flags.model)
    const results = await testChannels(this.session.ctx, channels, flags.model, { root: project.root })
    return {
      data: { channels: results },
      exit: results.every(({ delivered }) => delivered) ? 'ok' : 'failed',
      render: (ui) => renderChannelTests(ui, results),
    }
  }

  /** A model that is only written in mlops.yaml has its channels already. */
  private async assertModel(project: Project, model: string): Promise<void> {
    assertName('model', model)
    const configured = Object.keys(project.config.models)
    if (configured.includes(model)) return
    const registered = await (await this.session.openStore()).models.list()
    if (!registered.includes(model)) throw modelNotFound(model, [...new Set([...registered, ...configured])].sort())
  }
}

async function configured(project: Project, model: string | undefined): Promise<readonly string[]> {
  const models = model === undefined ? Object.keys(project.config.models) : [model]
  const store = { root: project.storeRoot }
  const channels = (await Promise.all(models.map((each) => channelsOf(project, store, each)))).flat()
  if (channels.length === 0) throw noChannels(model)
  return channels
}
