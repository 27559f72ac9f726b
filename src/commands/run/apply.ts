/** `mlops run apply`: does what the script of a run asked for. The Python client calls it; people may, too. */
import { type AppliedIntents, applyIntents } from '../../lifecycle/register/intents.ts'
import { resolveRun } from '../../tracking/records/resolve-run.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderApplied } from '../../ui/views/run.ts'

export type Result = AppliedIntents & { readonly run: string }

export default class RunApply extends MlopsCommand {
  static override summary = 'Do what the script of a run asked for: register, set a baseline.'
  static override description =
    'A training script on a host without mlops leaves its wishes in the run; this does those that are still pending. Doing it twice changes nothing.'
  static override examples = ['<%= config.bin %> run apply @last']
  static override args = {
    run: Args.string({ description: 'Its id, the beginning of it, @last, @last~2 or @best:METRIC.', default: '@last' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args } = await this.parse(RunApply)
    const { session } = this
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: true })])
    const run = await resolveRun(session.ctx, store, args.run)
    const applied = await applyIntents(session.ctx, project, store, run)
    for (const { message, hint } of applied.failures) session.ctx.warn(`${message} ${hint}`)
    const result = { run, ...applied }
    return {
      data: result,
      render: (ui) => renderApplied(ui, ui.style, result).join('\n'),
      exit: applied.failures.length > 0 ? 'failed' : 'ok',
    }
  }
}
