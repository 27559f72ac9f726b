/** `mlops predictions prune`. */
import { interrupted } from '../../core/errors.ts'
import { keepFor, logHome } from '../../predictions/home.ts'
import { applyPrune, type PruneResult, planPrune } from '../../predictions/prune.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderPrune } from '../../ui/views/predictions.ts'

export type Result = PruneResult

export default class PredictionsPrune extends MlopsCommand {
  static override summary = 'Delete predictions that are older than what is kept.'
  static override description =
    'Whole days that are over, with their labels; those older than 90 days, or than `predictions: {keep: …}` of mlops.yaml, or than --keep. Shows what would go and asks.'
  static override examples = [
    '<%= config.bin %> predictions prune churn-model --dry-run',
    '<%= config.bin %> predictions prune churn-model --keep 30d --yes',
  ]
  static override args = { model: Args.string({ description: 'The model.', required: true }) }
  static override flags = {
    keep: Flags.string({ summary: 'How long predictions are kept.', helpValue: 'DURATION' }),
    'dry-run': Flags.boolean({ summary: 'Show what would go; delete nothing.' }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(PredictionsPrune)
    const { session } = this
    const [project] = await Promise.all([session.loadProject(), session.openStore({ write: !flags['dry-run'] })])
    const home = logHome(session.ctx, project, args.model)
    const plan = await planPrune(session.ctx, home, args.model, keepFor(project, args.model, flags.keep))
    const isNothing = plan.days.length === 0 && plan.unmatched === 0
    if (isNothing || flags['dry-run']) {
      return { data: { ...plan, removed: false }, render: (ui) => renderPrune(ui, { ...plan, removed: false }) }
    }
    if (!session.yes) session.note(renderPrune(session.ui, { ...plan, removed: false }))
    if (!(await session.confirm({ question: 'Delete them for good?', flag: '--yes' }))) throw declined(args.model)
    const data = await applyPrune(session.ctx, home, plan)
    return { data, render: (ui) => renderPrune(ui, data) }
  }
}

const declined = (model: string) =>
  interrupted({
    code: 'PRUNE_DECLINED',
    message: `Nothing was deleted from the predictions of ${model}.`,
    hint: `See what is there: mlops predictions stats ${model}`,
  })
