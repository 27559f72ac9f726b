/** `mlops retrain MODEL`: trigger, job, register, validate, promote to staging, by `src/retrain/retrain.ts`. */
import type { RetrainResult } from '../retrain/retrain.ts'
import { Args, changeFlags, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderRetrain, renderStep } from '../ui/views/retrain.ts'

export default class Retrain extends MlopsCommand {
  static override summary = 'Retrain a model by its policy, up to staging.'
  static override description =
    'Reads retraining-policy.yaml. When its trigger fires: trains (a command here, or a workflow on GitHub Actions), registers the result, judges it by the policy and the gate of the stage, moves the stage, and tells. Production takes a person, or a policy of autonomy level 3 that has earned it. A retraining that was killed is gone on with where it stopped. Exit code 0 also when the trigger does not fire, a candidate waits for a person, or a workflow is left to itself. Exit code 3 when the gate refuses (the candidate stays registered), when something is missing without which nothing may be automated, when autonomy level 1 leaves it to a person, and when the last retraining for the same cause failed within the cool-down or was rejected for this production version: --force retrains all the same. Exit code 5 while another one is at work, 6 when the trigger cannot be judged.'
  static override examples = [
    '<%= config.bin %> retrain churn-model --plan',
    '<%= config.bin %> retrain churn-model --current data/june.csv',
    '<%= config.bin %> retrain churn-model --force --reason "labels of June are in"',
    '<%= config.bin %> retrain churn-model --no-wait',
  ]
  static override ownSignals = true
  static override args = {
    model: Args.string({ description: 'The model.', required: true }),
  }
  static override flags = {
    policy: Flags.string({ summary: 'The policy file; otherwise retraining-policy.yaml.', helpValue: 'FILE' }),
    reason: Flags.string({ summary: 'Why; kept in the history. A manual trigger needs it.', helpValue: 'TEXT' }),
    current: Flags.string({
      summary:
        'Check this batch for drift now and decide by it, instead of by the last check: a file, folder or pattern, - or postgres://…?table=NAME. Only where the trigger of the policy is drift.',
      helpValue: 'DATA',
    }),
    force: Flags.boolean({
      summary: 'Retrain though the trigger does not fire, or the same cause was answered already.',
    }),
    plan: Flags.boolean({ summary: 'Show what would be done and why, and stop.' }),
    wait: Flags.boolean({
      summary: 'Stay until a workflow on GitHub Actions has ended (default), or leave it: the next retrain goes on.',
      allowNo: true,
      default: true,
    }),
    ...changeFlags,
  }

  async execute(): Promise<Outcome<RetrainResult>> {
    const { args, flags } = await this.parse(Retrain)
    const { session } = this
    const [{ retrain }, { processSignals }, project, store] = await Promise.all([
      import('../retrain/retrain.ts'),
      import('../tracking/execute/signals.ts'),
      session.loadProject(),
      session.openStore({ write: !flags.plan || flags.current !== undefined }),
    ])
    const result = await retrain(session.ctx, project, store, {
      model: args.model,
      policyFile: flags.policy,
      reason: flags.reason,
      force: flags.force,
      planOnly: flags.plan,
      current: flags.current,
      idempotencyKey: session.idempotencyKey,
      ciJob: session.ciJob,
      signals: processSignals,
      wait: flags.wait,
      onStep: (step) => session.note(renderStep(session.errStyle, step)),
    })
    const isNo =
      ['refused', 'unchanged', 'blocked', 'due'].includes(result.outcome) || result.production?.outcome === 'refused'
    return { data: result, render: (ui) => renderRetrain(ui, result), exit: isNo ? 'no' : 'ok' }
  }
}
