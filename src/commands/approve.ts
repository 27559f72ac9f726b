/** `mlops approve`: a person's word for a version, ahead of the move. */
import { parseModelRef } from '../core/names.ts'
import { type ApproveResult, approve } from '../lifecycle/promote/approve.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { askConsent } from '../ui/consent.ts'
import { renderApproval } from '../ui/views/approve.ts'
import { renderPromotePlan } from '../ui/views/promote.ts'

export type Result = ApproveResult

export default class Approve extends MlopsCommand {
  static override summary = 'Approve a version for a stage, ahead of the move.'
  static override description =
    'Shows what mlops promote would do and records the word of a person; nothing is moved. It holds until the gate of the stage changes, for these bytes alone and for one promotion. On a terminal you are asked; elsewhere a name and a reason are needed, and on a CI system the page of its run is recorded with them.'
  static override examples = [
    '<%= config.bin %> approve churn-model@3 --to production',
    '<%= config.bin %> approve churn-model@staging --to production --as ada --reason "better on June data"',
    '<%= config.bin %> approve churn-model@3 --to production --dry-run',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its newest version.',
      required: true,
    }),
  }
  static override flags = {
    to: Flags.string({ summary: 'The stage that it may enter.', helpValue: 'STAGE', required: true }),
    as: Flags.string({ summary: 'Name of the person who approves; nobody is asked then.', helpValue: 'NAME' }),
    reason: Flags.string({ summary: 'Why; kept in the history. Needed where nobody is asked.', helpValue: 'TEXT' }),
    test: Flags.string({
      summary:
        "The version's test set, a file or folder, to score the champion on it, where the run does not say where it lies.",
      helpValue: 'PATH',
    }),
    'dry-run': Flags.boolean({ summary: 'Show the plan and who has approved; change nothing.' }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Approve)
    const { session } = this
    const ref = parseModelRef(args.model)
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: !flags['dry-run'] })])
    const isAsked = session.interactive && flags.as === undefined
    const result = await approve(session.ctx, project, store, {
      ref,
      stage: flags.to,
      dryRun: flags['dry-run'],
      ...(flags.as === undefined ? {} : { name: flags.as }),
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.test === undefined ? {} : { test: flags.test }),
      ...(session.idempotencyKey === undefined ? {} : { idempotencyKey: session.idempotencyKey }),
      ...(isAsked
        ? {
            ask: (plan) =>
              askConsent(session, {
                shown: (ui) => renderPromotePlan(ui, plan),
                question: `Approve ${plan.model}@${plan.version} for ${plan.stage} as ${session.ctx.actor.name}?`,
                flag: '--as NAME --reason TEXT',
                hasReason: flags.reason !== undefined,
              }),
          }
        : {}),
    })
    const isNo = result.outcome === 'planned' && !result.passes
    // Whoever was asked has seen the plan already.
    return { data: result, render: (ui) => renderApproval(ui, result, !isAsked), exit: isNo ? 'no' : 'ok' }
  }
}
