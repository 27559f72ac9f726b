/** `mlops drift`: compares a batch of production rows with the baseline of a version. */
import { usage } from '../core/errors.ts'
import { checkDrift, parseThreshold } from '../drift/check.ts'
import { nextStep } from '../drift/summary.ts'
import type { CheckResult } from '../drift/types.ts'
import type { MetricName } from '../project/config.ts'
import { Args, Flags, MlopsCommand, type Outcome } from '../ui/command.ts'
import { renderCheck } from '../ui/views/drift.ts'

/** The check as it is stored, and the command to type next. */
export type Result = CheckResult & { readonly next: string }

const METRICS: readonly MetricName[] = ['psi', 'js', 'ks', 'wasserstein', 'chi2', 'linf']

export default class Drift extends MlopsCommand {
  static override summary = 'Compare a batch with the baseline of a version.'
  static override description =
    'Reads CSV, Parquet and JSONL. Exits 3 when there is drift and 6 when there are too few rows to say. A column drifts when the difference is as large as the threshold and beyond sampling noise.'
  static override examples = [
    '<%= config.bin %> drift churn-model --current june.csv',
    '<%= config.bin %> drift churn-model@3 --current june.parquet --metric ks --threshold 0.15',
    '<%= config.bin %> drift churn-model --current june.csv --against may.csv --fail-on drift',
  ]
  static override args = {
    model: Args.string({
      description: 'MODEL@VERSION or MODEL@STAGE; MODEL alone is its version in production.',
      required: true,
    }),
  }
  static override flags = {
    current: Flags.string({ summary: 'The batch: a CSV, Parquet or JSONL file.', helpValue: 'DATA' }),
    against: Flags.string({
      summary: 'What to compare with: baseline, @VERSION or @STAGE, or a data file.',
      helpValue: 'REFERENCE',
      default: 'baseline',
    }),
    metric: Flags.string({
      summary: 'Measure of the difference (default: mlops.yaml, else psi).',
      options: [...METRICS],
    }),
    threshold: Flags.string({ summary: 'From which effect on a column drifts.', helpValue: 'NUMBER' }),
    'fail-on': Flags.string({
      summary: 'inconclusive: exit 3 on drift, 6 when inconclusive; drift: 3 on drift only; never.',
      options: ['inconclusive', 'drift', 'never'],
      default: 'inconclusive',
    }),
  }

  async execute(): Promise<Outcome<Result>> {
    const { args, flags } = await this.parse(Drift)
    const { session } = this
    if (flags.current === undefined) {
      throw usage({
        code: 'CURRENT_MISSING',
        message: 'Which rows shall be checked? Name a CSV, Parquet or JSONL file.',
        hint: `mlops drift ${args.model} --current FILE`,
      })
    }
    const [project, store] = await Promise.all([session.loadProject(), session.openStore({ write: true })])
    const check = await checkDrift(session.ctx, project, store, {
      ref: args.model,
      current: flags.current,
      against: flags.against,
      ...(flags.metric === undefined ? {} : { metric: flags.metric as MetricName }),
      ...(flags.threshold === undefined ? {} : { threshold: parseThreshold(flags.threshold) }),
    })
    const result = { ...check, next: nextStep(check) }
    return { data: result, render: (ui) => renderCheck(ui, result), exit: exitOf(check.verdict, flags['fail-on']) }
  }
}

function exitOf(verdict: CheckResult['verdict'], failOn: string): 'ok' | 'no' | 'inconclusive' {
  if (verdict === 'drift') return failOn === 'never' ? 'ok' : 'no'
  return verdict === 'inconclusive' && failOn === 'inconclusive' ? 'inconclusive' : 'ok'
}
