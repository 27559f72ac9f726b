/** `mlops doctor`: what will fail when it is needed, and how far the way to production is. */
import { assertName } from '../core/names.ts'
import { examine } from '../doctor/doctor.ts'
import type { DoctorReport } from '../doctor/types.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderDoctor } from '../ui/views/doctor.ts'

export type Result = DoctorReport

export default class Doctor extends MlopsCommand {
  static override summary = 'Find what will fail when it is needed, and rate the four production gaps.'
  static override description =
    'Looks at the versions in stages, whether their environments can still be installed, whether policies can fire, whether channels answer, and whether the clock and the disk can be trusted. Nothing is sent and nothing is changed. Exit code 3 when something is wrong.'
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor churn-model --offline',
    '<%= config.bin %> doctor --json',
  ]
  static override args = { model: Args.string({ description: 'Only this model.' }) }
  static override flags = {
    offline: Flags.boolean({ summary: 'Ask no channel and no package index; say what was not looked at.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Doctor)
    const { session } = this
    if (args.model !== undefined) assertName('model', args.model)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore()])
    const report = await examine(session.ctx, project, store, { model: args.model, offline: flags.offline })
    const bad = report.findings.some(({ severity }) => severity === 'bad')
    return { data: report, render: (ui) => renderDoctor(ui, report), exit: bad ? 'no' : 'ok' }
  }
}
