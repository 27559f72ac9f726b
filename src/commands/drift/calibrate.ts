/** `mlops drift calibrate`: how often the thresholds fire on data known to be fine, and which would keep a promise. */
import { parseModelRef } from '../../core/names.ts'
import { calibrate } from '../../monitor/calibrate.ts'
import { calibrateRequest, nextStep } from '../../monitor/calibrate-request.ts'
import type { Calibration, ConfigChange } from '../../monitor/calibration.ts'
import { applyThresholds, planThresholds } from '../../monitor/thresholds.ts'
import { calibrateFlags } from '../../ui/calibrate-flags.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderCalibration, renderChange } from '../../ui/views/calibrate.ts'

export type Result = Calibration & {
  /** What the proposal changes in mlops.yaml; null without a proposal. */
  readonly change: ConfigChange | null
  /** The command to type next. */
  readonly next: string
}

export default class DriftCalibrate extends MlopsCommand {
  static override summary = 'Show how often the thresholds fire on data known to be fine, and propose better ones.'
  static override description =
    'Cuts reference data into chunks as large as the windows in production and checks each: the training data by default, data you name, or periods of the prediction log that were fine. Proposes thresholds that keep a promised rate of false alarms, says how sure that is and which shift they would still detect, and writes them to mlops.yaml when asked to. Nothing else is changed and no check is stored. Exits 6 with too few chunks that can say something, and where no thresholds keep the promise. A model that is itself named calibrate is checked with mlops drift calibrate@production.'
  static override examples = [
    '<%= config.bin %> drift calibrate churn-model',
    '<%= config.bin %> drift calibrate churn-model --data may.parquet --rows 5000 --write',
    '<%= config.bin %> drift calibrate churn-model@3 --window 180d --every 7d --false-alarms 0.02',
    '<%= config.bin %> drift calibrate churn-model --shuffle --json',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its version in production.',
      required: true,
    }),
  }
  static override flags = calibrateFlags

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(DriftCalibrate)
    const { session } = this
    const { ctx } = session
    const request = calibrateRequest(parseModelRef(args.model), flags)
    const project = await session.loadProject()
    const store = await session.openStore()
    const found = await calibrate(ctx, project, store, request)
    const planned = found.proposal === null ? undefined : await planThresholds(ctx, project, found)
    const isOpen = planned !== undefined && planned.change.lines.length > 0
    const isAsked = isOpen && planned.edit !== undefined && !flags.write && !session.yes && session.interactive
    if (isAsked) session.note(renderCalibration(session.ui, { ...found, change: planned.change, next: '' }))
    const write = isAsked
      ? await session.confirm({ question: 'Write these thresholds to mlops.yaml?', flag: '--write' })
      : isOpen && (flags.write || session.yes)
    const change = planned === undefined ? null : write ? await applyThresholds(planned) : planned.change
    const data = { ...found, change, next: nextStep(found, change, this.argv) }
    return {
      data,
      render: (ui) => (isAsked ? renderChange(ui, data) : renderCalibration(ui, data)),
      ...(found.proposal?.isPossible !== true ? { exit: 'inconclusive' as const } : {}),
    }
  }
}
