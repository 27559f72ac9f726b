/** `mlops run reproduce`: repeats a run in a place of its own, and says what came out equal. */
import { constants } from 'node:os'
import { EXIT } from '../../core/errors.ts'
import { processSignals } from '../../tracking/execute/signals.ts'
import { prepareReproduction, type ReproduceHooks, reproduce } from '../../tracking/reproduce/reproduce.ts'
import { exitOf, type Reproduction } from '../../tracking/reproduce/result.ts'
import type { ReproducePlan } from '../../tracking/reproduce/types.ts'
import { Args, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { consentTo } from '../../ui/reproduce-consent.ts'
import { reproduceFlags, reproduceRequest } from '../../ui/reproduce-flags.ts'
import { renderForeign, renderPlan, renderReproduction, renderStep } from '../../ui/views/reproduce.ts'

export interface Result {
  readonly plan: ReproducePlan
  /** Null for a dry run. */
  readonly outcome: Omit<Reproduction, 'plan'> | null
}

export default class RunReproduce extends MlopsCommand {
  static override summary = 'Repeat a run exactly, and say what came out equal.'
  static override description =
    'Checks the recorded commit out into a temporary worktree, applies the recorded changes, puts data of the recorded digest in place, installs the recorded packages into a fresh environment, runs the command with the same seeds, and compares metrics and artifacts. Your index and branches are not touched, nor your files but by what the command itself does outside of its folder. Exit code: 0 equal or within tolerance, 3 different, 1 when the command fails, 4 when something is missing, 6 when there is nothing to compare.'
  static override examples = [
    '<%= config.bin %> run reproduce @last --dry-run',
    '<%= config.bin %> run reproduce churn-model@production',
    '<%= config.bin %> run reproduce 01JD3 --tolerance 1e-6 --tolerance auc=0.001 --ignore "*.log"',
  ]
  static override ownSignals = true
  static override args = {
    run: Args.string({
      description: 'An id, the beginning of one, @last, @best:METRIC, or MODEL@VERSION for the run behind it.',
      required: true,
    }),
  }
  static override flags = reproduceFlags
  private endedBy: NodeJS.Signals | undefined

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RunReproduce)
    const { session } = this
    const isDry = flags['dry-run']
    const request = reproduceRequest(args.run, flags)
    const stop = this.listen()
    try {
      const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: !isDry })])
      const planned = await prepareReproduction(session.ctx, project, store, request)
      const { plan } = planned
      if (isDry) {
        const [data, exit] = [{ plan, outcome: null }, plan.missing.length > 0 ? 'notFound' : 'ok'] as const
        return { data, render: (ui) => renderPlan(ui, plan), exit }
      }
      await consentTo(session, plan, renderForeign(session.ui, plan))
      const { plan: _, ...outcome } = await reproduce(session.ctx, project, store, request, planned, this.hooks())
      const [data, exit] = [{ plan, outcome }, exitOf(outcome.verdict)] as const
      return { data, render: (ui) => renderReproduction(ui, plan, outcome), exit }
    } finally {
      stop()
    }
  }

  /** What was made is taken away first. A third signal ends at once; then the next reproduction takes it away. */
  private listen(): () => void {
    let count = 0
    return processSignals((signal) => {
      this.endedBy ??= signal
      if (++count > 2) process.exit(this.exitCodeOf(EXIT.interrupted))
      this.session.abort()
    })
  }

  protected override exitCodeOf(failure: number): number {
    return failure === EXIT.interrupted && this.endedBy !== undefined ? 128 + constants.signals[this.endedBy] : failure
  }

  /** Stdout is for the table. */
  private hooks(): ReproduceHooks {
    const onStep: ReproduceHooks['onStep'] = (step) => this.session.note(renderStep(this.session.errStyle, step))
    return { onStep, stdoutTo: 'stderr', foreground: process.stdin.isTTY === true, signals: processSignals }
  }
}
