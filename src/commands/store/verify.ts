/** `mlops store verify`. */
import { resolve } from 'node:path'
import { isMlopsError } from '../../core/errors.ts'
import type { VerifyReport } from '../../store/verify.ts'
import { Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderVerify } from '../../ui/views/store.ts'

export type Result = VerifyReport

export default class StoreVerify extends MlopsCommand {
  static override summary = 'Read every file of the store and name each one that is damaged.'
  static override description =
    'Hashes all objects, follows every log, compares the stages with the history, and looks for everything that a record refers to. A store that a team shares is brought up to its branch first; when the remote does not answer, a warning says as of when the folder is. Changes nothing else. Exits 1 when anything is damaged; warnings alone exit 0. A history that was cut off at its end, or written anew as a whole, shows only --against an export (docs/audit.md).'
  static override examples = [
    '<%= config.bin %> store verify',
    '<%= config.bin %> store verify --against audit-2026-11-21.jsonl',
  ]
  static override flags = {
    against: Flags.string({
      summary: 'An audit export that was kept elsewhere: every event in it must still be in its place.',
      helpValue: 'FILE',
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { flags } = await this.parse(StoreVerify)
    const { ctx } = this.session
    const [project, { verifyStore }] = await Promise.all([this.session.loadProject(), import('../../store/verify.ts')])
    const { storeRoot } = project
    await this.bringUpToDate(storeRoot, project.config.sharing !== undefined)
    const against = flags.against === undefined ? undefined : await this.audit(flags.against)
    const report = await verifyStore(storeRoot, {
      ...(against === undefined ? {} : { against }),
      ...(ctx.progress === undefined ? {} : { progress: ctx.progress }),
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
    })
    return { data: report, exit: report.ok ? 'ok' : 'failed', render: (ui) => renderVerify(ui, report) }
  }

  /** What the team has done is verified too; where the remote does not answer it is said as of when this is. */
  private async bringUpToDate(root: string, isSharedByConfig: boolean): Promise<void> {
    try {
      const { readSharing } = await import('../../store/git-sharing.ts')
      if (isSharedByConfig || readSharing(root) !== undefined) await this.session.openStore()
    } catch (error) {
      // What is wrong with the folder is in the report; a folder that is no store is said by what reads it.
      if (!isMlopsError(error)) throw error
      this.session.ctx.warn(error.message)
    }
  }

  private async audit(file: string) {
    const { readAudit } = await import('../../store/audit-compare.ts')
    return readAudit(resolve(this.session.ctx.cwd, file))
  }
}
