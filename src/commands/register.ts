/** `mlops register`: a run's artifact, or existing files, becomes the next version of a model. */
import { parseMetricFlags } from '../lifecycle/register/flags.ts'
import type { RegisterResult } from '../lifecycle/register/types.ts'
import { Args, changeFlags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { registerFlags } from '../ui/register-flags.ts'
import { renderRegistered } from '../ui/views/register.ts'

export type Result = RegisterResult

export default class Register extends MlopsCommand {
  static override summary = 'Make the next version of a model from a run or from files.'
  static override description =
    'Copies the files into the store, looks at them without loading them, profiles the baseline, and writes one event. The same content again gives the version that exists already. Exit 3 when the gate of --stage refuses; the version is registered all the same.'
  static override examples = [
    '<%= config.bin %> register churn-model --run @last --baseline data/train.csv --target churned',
    '<%= config.bin %> register churn-model --run @last --test data/test.csv --stage staging',
    '<%= config.bin %> register churn-model --artifact model.joblib --metric auc=0.84 --message "from the notebook"',
  ]
  static override args = { model: Args.string({ description: 'Name of the model.', required: true }) }
  static override flags = { ...registerFlags, ...changeFlags }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Register)
    const { session } = this
    const { registerVersion } = await import('../lifecycle/register/register.ts')
    const { parseParamFlags } = await import('../tracking/values/value-maps.ts')
    const metrics = parseMetricFlags(flags.metric ?? [])
    const params = parseParamFlags(flags.param ?? [])
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: true })])
    const result = await registerVersion(session.ctx, project, store, {
      model: args.model,
      ...given('run', flags.run),
      ...given('artifacts', flags.artifact),
      ...given('baseline', flags['no-baseline'] ? (false as const) : flags.baseline),
      ...given('target', flags.target),
      ...given('prediction', flags.prediction),
      carryOver: flags['carry-over'],
      ...given('test', flags.test),
      ...given('testPredictions', flags['test-predictions']),
      ...given('examples', flags.examples),
      ...given('evaluate', flags.evaluate),
      metrics,
      params,
      ...given('tags', flags.tag),
      ...given('stage', flags.stage),
      ...given('message', flags.message),
      force: flags.force,
      ...given('idempotencyKey', session.idempotencyKey),
      ...given('ciJob', session.ciJob),
    })
    return { data: result, render: (ui) => renderRegistered(ui, result), exit: exitOf(result) }
  }
}

const exitOf = ({ stage }: RegisterResult) => (stage?.outcome === 'refused' ? 'no' : 'ok')

/** A flag that was not given is no member at all: strict types tell the two apart. */
const given = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
