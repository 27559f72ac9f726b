/** `mlops store verify`. */
import type { VerifyReport } from '../../store/verify.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderVerify } from '../../ui/views/store.ts'

export type Result = VerifyReport

export default class StoreVerify extends MlopsCommand {
  static override summary = 'Read every file of the store and name each one that is damaged.'
  static override description =
    'Hashes all objects, follows every log, compares the stages with the history, and looks for everything that a record refers to. Changes nothing. Exits 1 when anything is damaged; warnings alone exit 0.'
  static override examples = ['<%= config.bin %> store verify', '<%= config.bin %> store verify --json']

  async execute(): Promise<Outcome<Result>> {
    await this.parse(StoreVerify)
    const { ctx } = this.session
    const [{ storeRoot }, { verifyStore }] = await Promise.all([
      this.session.loadProject(),
      import('../../store/verify.ts'),
    ])
    const report = await verifyStore(storeRoot, {
      ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    })
    return { data: report, exit: report.ok ? 'ok' : 'failed', render: (ui) => renderVerify(ui, report) }
  }
}
