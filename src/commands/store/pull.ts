/** `mlops store pull`: the folder as the team's branch has it. */
import type { PullReport } from '../../store/git-pull.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderPull } from '../../ui/views/store.ts'

export type Result = PullReport

export default class StorePull extends MlopsCommand {
  static override summary = "Bring a shared store's folder up to its branch, once or again and again."
  static override description =
    'Every command does so by itself when it begins; this is for those that only read the folder, such as a service that follows a stage. Fails where the remote does not answer. With --every it goes on until it is stopped, and only says that the remote does not answer (docs/git-store.md).'
  static override examples = ['<%= config.bin %> store pull', '<%= config.bin %> store pull --every 10']
  static override flags = {
    every: Flags.integer({
      summary: 'Again after so many seconds, until it is stopped.',
      helpValue: 'SECONDS',
      min: 1,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(StorePull)
    const { session } = this
    const [{ storeRoot }, { pulled }] = await Promise.all([session.loadProject(), import('../../store/git-pull.ts')])
    const open = () => session.openStore({ ask: 'must' })
    const report = await pulled(session.ctx, storeRoot, open, flags.every)
    return { data: report, render: (ui) => renderPull(ui, report) }
  }
}
