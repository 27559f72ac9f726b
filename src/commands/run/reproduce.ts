/** `mlops run reproduce`: repeats a run in a place of its own, and says what came out equal. */
import { constants } from 'node:os'
import { EXIT } from '../../core/errors.ts'
import { processSignals } from '../../tracking/execute/signals.ts'
import { type Planned, prepareReproduction, reproduce } from '../../tracking/reproduce/reproduce.ts'
import type { Reproduction } from '../../tracking/reproduce/result.ts'
import type { ReproducePlan, ReproduceRequest } from '../../tracking/reproduce/types.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { parseGivenData, parseTolerances } from '../../ui/reproduce-flags.ts'
import type { Session } from '../../ui/session.ts'
import { renderPlan, renderReproduction, renderStep } from '../../ui/views/reproduce.ts'

export interface Result {
  readonly plan: ReproducePlan
  /** Null for a dry run. */
  readonly outcome: Omit<Reproduction, 'plan'> | null
}

const EXITS = {
  equal: 'ok',
  'within tolerance': 'ok',
  different: 'no',
  failed: 'failed',
  'nothing to compare': 'inconclusive',
} as const

export default class RunReproduce extends MlopsCommand {
  static override summary = 'Repeat a run exactly, and say what came out equal.'
  static override description =
    'Checks the recorded commit out into a temporary worktree, applies the recorded changes, puts data of the recorded digest in place, installs the recorded packages into a fresh environment, runs the command with the same seeds, and compares metrics and artifacts. Your files, index and branches are not touched. Exit code: 0 equal or within tolerance, 3 different, 1 when the command fails, 4 when something is missing, 6 when there is nothing to compare.'
  static override examples = [
    '<%= config.bin %> run reproduce @last --dry-run',
    '<%= config.bin %> run reproduce churn-model@production',
    '<%= config.bin %> run reproduce 01JD3 --tolerance 1e-6 --tolerance auc=0.001 --ignore "*.log"',
  ]
  static override ownSignals = true
  private endedBy: NodeJS.Signals | undefined
  static override args = {
    run: Args.string({
      description: 'An id, the beginning of one, @last, @best:METRIC, or MODEL@VERSION for the run behind it.',
      required: true,
    }),
  }
  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Show the plan and what is missing; run nothing.' }),
    keep: Flags.boolean({ summary: 'Leave the worktree and the environment, and say where.' }),
    tolerance: Flags.string({
      summary: 'How far metrics may be apart: of all (1e-6), or NAME=X.',
      helpValue: 'X|NAME=X',
      multiple: true,
    }),
    ignore: Flags.string({
      summary: 'A metric or artifact that does not count.',
      helpValue: 'NAME|GLOB',
      multiple: true,
    }),
    environment: Flags.option({
      summary: 'The recorded packages in a fresh environment, or those that are installed now.',
      options: ['fresh', 'current'] as const,
      default: 'fresh' as const,
    })(),
    data: Flags.string({
      summary: 'A copy of declared data, or of a file that the run read.',
      helpValue: 'NAME=PATH',
      multiple: true,
    }),
    twice: Flags.boolean({ summary: 'Run it twice, to tell a script that is not deterministic from another cause.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(RunReproduce)
    const { session } = this
    const isDry = flags['dry-run']
    const request: ReproduceRequest = {
      reference: args.run,
      keep: flags.keep,
      environment: flags.environment,
      tolerances: parseTolerances(flags.tolerance ?? []),
      ignore: flags.ignore ?? [],
      data: (flags.data ?? []).map(parseGivenData),
      twice: flags.twice,
    }
    const stop = this.listen()
    try {
      const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: !isDry })])
      const planned = await prepareReproduction(session.ctx, project, store, request)
      const { plan } = planned
      if (isDry) {
        const exit = plan.missing.length > 0 ? 'notFound' : 'ok'
        return { data: { plan, outcome: null }, render: (ui) => renderPlan(ui, plan), exit }
      }
      const { plan: _, ...outcome } = await reproduce(
        session.ctx,
        project,
        store,
        request,
        planned,
        this.hooks(session, planned),
      )
      return {
        data: { plan, outcome },
        render: (ui) => renderReproduction(ui, plan, outcome),
        exit: EXITS[outcome.verdict],
      }
    } finally {
      stop()
    }
  }

  /** What was made is taken away before the end; the third signal ends at once, and the next reproduction takes it away. */
  private listen(): () => void {
    let count = 0
    return processSignals((signal) => {
      count++
      this.endedBy ??= signal
      if (count > 2) process.exit(this.exitCodeOf(EXIT.interrupted))
      this.session.abort()
    })
  }

  protected override exitCodeOf(failure: number): number {
    return failure === EXIT.interrupted && this.endedBy !== undefined ? 128 + constants.signals[this.endedBy] : failure
  }

  private hooks(session: Session, { plan }: Planned) {
    for (const risk of plan.missing.length > 0 ? [] : plan.risks) session.ctx.warn(risk)
    return {
      onStep: (step: Parameters<typeof renderStep>[1]) => session.note(renderStep(session.errStyle, step)),
      // Stdout is for the table.
      stdoutTo: 'stderr' as const,
      foreground: process.stdin.isTTY === true,
      signals: processSignals,
    }
  }
}
