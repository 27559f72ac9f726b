/** `mlops run compare`: runs side by side, and what of them differs. */
import { directionsOfModel } from '../../lifecycle/gate/rules.ts'
import { modelConfig } from '../../project/load.ts'
import { type CodeDiff, codeDiffs } from '../../tracking/compare/code-diff.ts'
import type { RunComparison } from '../../tracking/compare/compare.ts'
import { readComparison } from '../../tracking/compare/read.ts'
import { whichRuns } from '../../tracking/compare/which-runs.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderMarkdownComparison } from '../../ui/reports/run-compare/markdown.ts'
import { COMPARISON_FORMS, writeComparisons } from '../../ui/reports/run-compare/write.ts'
import { assertReportPaths } from '../../ui/reports/write.ts'
import { renderComparison } from '../../ui/views/run-compare.ts'

export interface Result extends RunComparison {
  /** With `--diff`: for each run after the first; else null. */
  readonly diffs: readonly CodeDiff[] | null
  /** Absolute paths of the files that were written. */
  readonly reports: readonly string[]
}

export default class RunCompare extends MlopsCommand {
  static override summary = 'Show what differs between runs: parameters, metrics, data, code, packages, environment.'
  static override description =
    'Differences are from the first run. Without RUN: the two newest finished runs. What is equal is said in one line. Runs that go on, failed or were interrupted are compared as far as they are recorded.'
  static override examples = [
    '<%= config.bin %> run compare',
    '<%= config.bin %> run compare @last~1 @last --diff',
    '<%= config.bin %> run compare churn-model@production @best:auc @last --report runs.html',
    '<%= config.bin %> run compare --markdown >> "$GITHUB_STEP_SUMMARY"',
  ]
  static override strict = false
  static override args = {
    run: Args.string({
      description:
        'Two to eight: an id, the beginning of one, @last~2, @best:auc, or MODEL@VERSION for the run behind it.',
    }),
  }
  static override flags = {
    model: Flags.string({
      char: 'm',
      summary: 'Only runs of this model count for @last and @best.',
      helpValue: 'MODEL',
    }),
    all: Flags.boolean({ summary: 'Show equal values too, and every row.' }),
    diff: Flags.boolean({ summary: 'Also print the change of the code, line by line.' }),
    markdown: Flags.boolean({ summary: 'Print Markdown, for example for the summary of a CI job.' }),
    report: Flags.string({
      summary: 'Write it to a file: .html, .md or .json. Repeatable.',
      helpValue: 'FILE',
      multiple: true,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { argv, flags } = await this.parse(RunCompare)
    const { session } = this
    const { ctx } = session
    await assertReportPaths(ctx, flags.report ?? [], COMPARISON_FORMS)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const named = await whichRuns(ctx, store, argv.map(String), flags.model)
    const { start } = await store.runs.read(named[0]?.run ?? '')
    const directions = start.model === undefined ? {} : directionsOfModel(modelConfig(project, start.model))
    const { comparison, facts } = await readComparison(ctx, store, named, { directions })
    const diffs = flags.diff ? await codeDiffs(ctx, store, project.root, facts) : null
    const shown = { comparison, diffs }
    const reports = await writeComparisons(ctx, flags.report ?? [], shown, flags.all)
    return {
      data: { ...comparison, diffs, reports },
      render: (ui) =>
        flags.markdown ? renderMarkdownComparison(shown, flags.all) : renderComparison(ui, shown, flags.all),
    }
  }
}
