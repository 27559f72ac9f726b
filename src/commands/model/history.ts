/** `mlops model history`: who moved what, when and why. */
import { isMlopsError } from '../../core/errors.ts'
import { parseModelRef } from '../../core/names.ts'
import { type HistoryEntry, history } from '../../lifecycle/versions/history.ts'
import type { ModelState } from '../../store/fold.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderHistory } from '../../ui/views/history.ts'

export interface Result {
  readonly model: string
  /** Newest first. */
  readonly events: readonly HistoryEntry[]
}

export default class ModelHistory extends MlopsCommand {
  static override summary = 'Show who moved what, when, why and on what evidence; newest first.'
  static override examples = [
    '<%= config.bin %> model history churn-model',
    '<%= config.bin %> model history churn-model --stage production --limit 10',
  ]
  static override args = {
    model: Args.string({ description: 'MODEL, or MODEL@VERSION for what concerns that version.', required: true }),
  }
  static override flags = {
    stage: Flags.string({ summary: 'Only the moves of this stage.', helpValue: 'STAGE' }),
    limit: Flags.integer({ summary: 'Only the newest N events.', helpValue: 'N', min: 1 }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(ModelHistory)
    const ref = parseModelRef(args.model)
    const store = await this.session.openStore()
    const state = await store.models.state(ref.model)
    const asked = {
      ...(ref.selector === undefined ? {} : { version: resolveVersion(state, ref, 'newest').version }),
      ...(flags.stage === undefined ? {} : { stage: flags.stage }),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    }
    const events = history(state, asked, await this.effects(store, state))
    return { data: { model: ref.model, events }, render: (ui) => renderHistory(ui, ref.model, events) }
  }

  /** What the log says must be told, whatever ails the records beside it. */
  private async effects(store: Store, state: ModelState) {
    const { retrainingEffects } = await import('../../lifecycle/status/retraining-effect.ts')
    try {
      return await retrainingEffects(store, state)
    } catch (error) {
      if (!isMlopsError(error)) throw error
      this.session.ctx.warn(`Whether retraining helped is not known: ${error.message}`)
      return undefined
    }
  }
}
