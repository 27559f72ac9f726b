/** `mlops scaffold status`: what was scaffolded in this project, and whether it is out of date. */
import { type ScaffoldStatus, scaffoldStatus } from '../../scaffold/scaffold.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderScaffoldStatus } from '../../ui/views/scaffold.ts'

export type Result = { readonly scaffolds: readonly ScaffoldStatus[] }

export default class ScaffoldStatusCommand extends MlopsCommand {
  static override summary = 'List what was scaffolded here and whether it is out of date.'
  static override examples = ['<%= config.bin %> scaffold status', '<%= config.bin %> scaffold status --check --json']
  static override flags = {
    check: Flags.boolean({ summary: 'Exit 3 when something is out of date, 6 when that cannot be said.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(ScaffoldStatusCommand)
    const { session } = this
    const project = await session.loadProject()
    const scaffolds = await scaffoldStatus({ ctx: session.ctx, project, openStore: () => session.openStore() })
    const exit = scaffolds.some(({ upToDate }) => upToDate === false)
      ? ('no' as const)
      : scaffolds.some(({ upToDate }) => upToDate === null)
        ? ('inconclusive' as const)
        : undefined
    return {
      data: { scaffolds },
      render: (ui) => renderScaffoldStatus(ui, scaffolds),
      ...(flags.check && exit !== undefined ? { exit } : {}),
    }
  }
}
