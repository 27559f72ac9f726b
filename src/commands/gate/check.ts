/** `mlops gate check`: would the gate of a stage let a version in? Nothing is written. */
import { parseModelRef } from '../../core/names.ts'
import { checkGate, type GateReport } from '../../lifecycle/gate/check.ts'
import { findPolicy } from '../../retrain/find-policy.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderGateMarkdown } from '../../ui/reports/gate-markdown.ts'
import { renderGateReport } from '../../ui/views/gate.ts'

export type Result = GateReport

const EXITS = { pass: 'ok', fail: 'no', inconclusive: 'inconclusive' } as const

export default class GateCheck extends MlopsCommand {
  static override summary = 'Say whether the gate of a stage would let a version in; change nothing.'
  static override description =
    'The same checks as of mlops promote: recorded metrics, the champion scored anew where that is needed, slices, external commands. Exit code 0 when all pass, 3 when one fails (also when only an approval is missing), 6 when nothing fails and something could not be judged. A pull request that nobody has approved yet is checked with --without-approval.'
  static override examples = [
    '<%= config.bin %> gate check churn-model --to staging',
    '<%= config.bin %> gate check churn-model@3 --to production --without-approval --markdown >> "$GITHUB_STEP_SUMMARY"',
    '<%= config.bin %> gate check churn-model@staging --to production --json',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its newest version.',
      required: true,
    }),
  }
  static override flags = {
    to: Flags.string({ summary: 'The stage whose gate it is.', helpValue: 'STAGE', required: true }),
    policy: Flags.string({
      summary: 'Also what the validation of this policy file asks for, as a retraining does.',
      helpValue: 'FILE',
    }),
    test: Flags.string({
      summary:
        "The version's test set, a file or folder, to score the champion on it, where the run does not say where it lies.",
      helpValue: 'PATH',
    }),
    'without-approval': Flags.boolean({ summary: 'Leave approvals out: what can be said before anybody approves.' }),
    markdown: Flags.boolean({ summary: 'Print Markdown, for a step summary or a pull request.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(GateCheck)
    const { session } = this
    const ref = parseModelRef(args.model)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const policy =
      flags.policy === undefined ? undefined : await findPolicy(session.ctx, project, ref.model, flags.policy)
    const report = await checkGate(session.ctx, project, store, {
      ref,
      stage: flags.to,
      withoutApproval: flags['without-approval'],
      ...(policy === undefined ? {} : { validation: policy.validation }),
      ...(flags.test === undefined ? {} : { test: flags.test }),
    })
    return {
      data: report,
      render: (ui) => (flags.markdown ? renderGateMarkdown(report) : renderGateReport(ui, report)),
      exit: EXITS[report.verdict],
    }
  }
}
