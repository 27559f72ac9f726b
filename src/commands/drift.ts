/** `mlops drift`: what a version sees today against what it was trained on, for one model or for all. */

import type { RetrainingEffect } from '../lifecycle/status/retraining-effect.ts'
import type { Schedule } from '../monitor/cron.ts'
import { exitOfCheck } from '../monitor/exit.ts'
import type { FleetReport } from '../monitor/fleet.ts'
import { driftQuestion } from '../monitor/request.ts'
import { driftSchedule } from '../monitor/schedule.ts'
import type { DriftReport } from '../monitor/types.ts'
import { Args, MlopsCommand, type Outcome } from '../ui/command.ts'
import { driftFlags } from '../ui/drift-flags.ts'
import { assertReportPaths, writeReports } from '../ui/reports/write.ts'
import { renderCheck } from '../ui/views/drift.ts'
import { renderFleet, renderSchedule } from '../ui/views/drift-fleet.ts'

/** The check as it is stored with what became of it, and whether the retraining behind the version helped; with `--all` one for each model; with `--cron` lines to copy. */
export type Result =
  | (DriftReport & { readonly retraining?: RetrainingEffect })
  | (FleetReport & { readonly reports?: readonly string[] })
  | Schedule

export default class Drift extends MlopsCommand {
  static override summary = 'Compare what a version sees with what it was trained on.'
  static override description =
    'Looks at data you name or at a window of the prediction log, where the service and the labels that have arrived are judged too. Exits 3 when there is drift, or a breach of the service or the quality; 6 when there are too few rows to say; 1 when an alert reached nobody. With --every, any bad period is 3. With --all the worst of all models counts: 1, 3, 6, 0. A column drifts when the difference is as large as the threshold and beyond sampling noise.'
  static override examples = [
    '<%= config.bin %> drift churn-model --current june.csv',
    '<%= config.bin %> drift churn-model --window 7d --alert --report drift.html',
    '<%= config.bin %> drift churn-model --window 30d --every 1d',
    '<%= config.bin %> drift churn-model@3 --current june.parquet --against may.parquet --by region --fail-on drift',
    '<%= config.bin %> drift --all --alert --cron',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its version in production. Not with --all.',
    }),
  }
  static override flags = driftFlags

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Drift)
    const { session } = this
    const { ctx } = session
    const question = driftQuestion(args.model, flags)
    const project = await session.loadProject()
    if (flags.cron) {
      const program = [process.execPath, process.argv[1] ?? 'mlops']
      const schedule = driftSchedule(ctx, project, question, { program, words: this.argv })
      return { data: schedule, render: (ui) => renderSchedule(ui, schedule) }
    }
    const paths = flags.report ?? []
    await assertReportPaths(ctx, paths)
    const store = await session.openStore({ write: true })
    const { wishes } = question
    if (question.kind === 'fleet') {
      const { driftOfFleet } = await import('../monitor/fleet.ts')
      const fleet = await driftOfFleet(ctx, project, store, question.stage, wishes)
      const checks = fleet.models.flatMap(({ check }) => check ?? [])
      const data = paths.length === 0 ? fleet : { ...fleet, reports: await writeReports(ctx, paths, checks) }
      return { data, render: (ui) => renderFleet(ui, data), exit: fleet.exitCode }
    }
    const { driftOfModel } = await import('../monitor/drift.ts')
    const { effectOfRetraining } = await import('../lifecycle/status/retraining-effect.ts')
    const checked = await driftOfModel(ctx, project, store, question.ref, wishes)
    const retraining = await effectOfRetraining(store, checked)
    const report = retraining === null ? checked : { ...checked, retraining }
    const data = paths.length === 0 ? report : { ...report, reports: await writeReports(ctx, paths, report) }
    return { data, render: (ui) => renderCheck(ui, data), exit: exitOfCheck(report, wishes.failOn) }
  }
}
