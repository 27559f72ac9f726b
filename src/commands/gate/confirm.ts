/** `mlops gate confirm`: does a proposed promotion still hold, just as it was reviewed? */
import { resolve } from 'node:path'
import { type Confirmation, confirm } from '../../lifecycle/gate/proposal.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderGateMarkdown } from '../../ui/reports/gate-markdown.ts'
import { renderConfirmation } from '../../ui/views/proposal.ts'

export type Result = Confirmation

export default class GateConfirm extends MlopsCommand {
  static override summary = 'Hold a proposed promotion against the store; change nothing.'
  static override description =
    'Exit 0 when the version has the digest that the file names, and the gate reads as it did when it was proposed; 3 when the file was edited, or the rules, the champion or the verdict have changed since. What is in the stage already holds.'
  static override examples = [
    '<%= config.bin %> gate confirm promotions/churn-model.production.json',
    '<%= config.bin %> gate confirm promotions/churn-model.production.json --markdown >> "$GITHUB_STEP_SUMMARY"',
  ]
  static override args = {
    file: Args.string({ description: 'The file that mlops gate propose wrote.', required: true }),
  }
  static override flags = {
    test: Flags.string({
      summary: "The version's test set, where the run does not say where it lies.",
      helpValue: 'PATH',
    }),
    markdown: Flags.boolean({ summary: 'Print the table of the gate as Markdown.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(GateConfirm)
    const { session } = this
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const file = resolve(session.ctx.cwd, args.file)
    const found = await confirm(session.ctx, project, store, file, flags.test)
    const markdown = (): string =>
      [...found.problems.map((problem) => `- ❌ ${problem}`), renderGateMarkdown(found.report)].join('\n\n')
    return {
      data: found,
      render: (ui) => (flags.markdown ? markdown() : renderConfirmation(ui, found)),
      exit: found.holds ? 'ok' : 'no',
    }
  }
}
