/** `mlops drift report`: the history of a model's checks as a trend, or one stored check again. */
import { parseModelRef } from '../../core/names.ts'
import { checkTrend, findCheck, type Trend } from '../../drift/trend.ts'
import type { CheckResult } from '../../drift/types.ts'
import { nextOf } from '../../monitor/next.ts'
import { windowOf } from '../../monitor/window.ts'
import { resolveVersion } from '../../store/resolve.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { assertReportPaths, writeReports, writeTrends } from '../../ui/reports/write.ts'
import { renderCheck } from '../../ui/views/drift.ts'
import { renderTrend } from '../../ui/views/trend.ts'

export interface Result {
  /** Null with `--check`. */
  readonly trend: Trend | null
  /** The check that `--check` names, and the command to type next. */
  readonly check: (CheckResult & { readonly next: string }) | null
  /** Absolute paths of the files that were written. */
  readonly reports: readonly string[]
}

const TREND_FORMS = ['.html', '.json', '.md'] as const

export default class DriftReport extends MlopsCommand {
  static override summary = 'Show the history of the checks of a model, or one of them again.'
  static override description =
    'Shows one series of checks: of the version in production, with the window and the reference of its newest check of the prediction log, else of files against the baseline. Reads stored checks; nothing is checked anew, and the exit code is 0 whatever they said. A model that is itself named report is checked with mlops drift report@production, or with the flags first: mlops drift --window 7d report'
  static override examples = [
    '<%= config.bin %> drift report churn-model',
    '<%= config.bin %> drift report churn-model@3 --since 2026-11-01 --report trend.html',
    '<%= config.bin %> drift report churn-model --check 7f3a --report drift.html --report drift.xml',
  ]
  static override args = {
    model: Args.string({ description: 'MODEL, or MODEL@VERSION or MODEL@STAGE for its checks alone.', required: true }),
  }
  static override flags = {
    'all-checks': Flags.boolean({ summary: 'All checks, not those of one series alone.', exclusive: ['check'] }),
    limit: Flags.integer({ summary: 'Only the newest N checks.', helpValue: 'N', min: 1, default: 30 }),
    since: Flags.string({ summary: 'Only checks of rows, or made, since this time.', helpValue: 'TIME' }),
    check: Flags.string({
      summary:
        'One stored check in full: its key, or as much of it as is unique; @last, the newest of a period that is over.',
      helpValue: 'KEY',
      exclusive: ['since'],
    }),
    report: Flags.string({
      summary: 'Write it to a file: .html, .md or .json; with --check also .xml (JUnit) and .prom. Repeatable.',
      helpValue: 'FILE',
      multiple: true,
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(DriftReport)
    const { ctx } = this.session
    const files = flags.report ?? []
    await assertReportPaths(ctx, files, flags.check === undefined ? TREND_FORMS : undefined)
    const ref = parseModelRef(args.model)
    const store = await this.session.openStore()
    const state = await store.models.state(ref.model)
    if (flags.check !== undefined) {
      const stored = await findCheck(store, ref.model, flags.check)
      const check = { ...stored, next: nextOf(stored) }
      const reports = await writeReports(ctx, files, check)
      return { data: { trend: null, check, reports }, render: (ui) => renderCheck(ui, check) }
    }
    const trend = await checkTrend(store, {
      model: ref.model,
      limit: flags.limit,
      all: flags['all-checks'],
      prefer: state.stages.production?.version,
      ...(ref.selector === undefined ? {} : { version: resolveVersion(state, ref, 'production').version }),
      ...(flags.since === undefined ? {} : { since: windowOf({ since: flags.since }, '7d', ctx.now()).since }),
    })
    const reports = await writeTrends(ctx, files, trend)
    return { data: { trend, check: null, reports }, render: (ui) => renderTrend(ui, trend) }
  }
}
