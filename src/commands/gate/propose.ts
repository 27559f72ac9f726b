/** `mlops gate propose`: a promotion as a file that people review, merge, and so approve. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseModelRef } from '../../core/names.ts'
import { type Proposal, proposalText, propose } from '../../lifecycle/gate/proposal.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderGateMarkdown } from '../../ui/reports/gate-markdown.ts'
import { renderProposed } from '../../ui/views/proposal.ts'

export type Result = Proposal & { readonly file: string }

export default class GatePropose extends MlopsCommand {
  static override summary = 'Write a promotion into a small file, for a pull request whose merge is the approval.'
  static override description =
    'The file names the version, its digest, and the digest of the gate as it reads now; nothing is moved. Exit 3 when the gate does not let the version in: then there is nothing to approve. Whoever carries it out holds the file against the store first: mlops gate confirm.'
  static override examples = [
    '<%= config.bin %> gate propose churn-model@staging --to production --output promotions/churn-model.production.json',
    '<%= config.bin %> gate propose churn-model@3 --to production --output churn.json --markdown > body.md',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its newest version.',
      required: true,
    }),
  }
  static override flags = {
    to: Flags.string({ summary: 'The stage it is proposed for.', helpValue: 'STAGE', required: true }),
    output: Flags.string({ summary: 'The file; written over.', helpValue: 'FILE', required: true }),
    test: Flags.string({
      summary: "The version's test set, where the run does not say where it lies.",
      helpValue: 'PATH',
    }),
    markdown: Flags.boolean({ summary: 'Print the table of the gate as Markdown, for the text of a pull request.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(GatePropose)
    const { session } = this
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const { proposal, report } = await propose(session.ctx, project, store, {
      ref: parseModelRef(args.model),
      stage: flags.to,
      ...(flags.test === undefined ? {} : { test: flags.test }),
    })
    const file = resolve(session.ctx.cwd, flags.output)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, proposalText(proposal))
    return {
      data: { ...proposal, file: flags.output },
      render: (ui) => (flags.markdown ? renderGateMarkdown(report) : renderProposed(ui, proposal, flags.output)),
    }
  }
}
