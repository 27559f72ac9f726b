/** What is found about a version and today's data, drawn together: one verdict and one plain sentence. Pure. */
import { impossible } from '../../core/metric-names.ts'
import type { RealisedNow } from '../../monitor/latest.ts'
import { knownMetric } from '../../monitor/quality.ts'
import type { Findings, Fit, FitRequest, ProductionNow } from './fit.ts'
import type { FitEvaluation } from './fit-evaluation.ts'
import type { InputsFit } from './fit-inputs.ts'
import type { MetricFit } from './fit-rule.ts'

type Reason = { readonly reason: string }

/** @param left what became of comparing the version that is left, where it was looked at */
export function sentence(request: FitRequest, { inputs, labels }: Findings, left?: InputsFit | Reason): Fit {
  const evaluation = 'reason' in labels ? labels : labels.evaluation
  const measured = evaluation !== null && !('reason' in evaluation) ? evaluation : undefined
  const compared = 'reason' in inputs ? undefined : inputs
  const verdict = verdictOf(compared, measured)
  const realised = 'reason' in labels ? undefined : labels.production
  const clauses = [
    inputsClause(inputs),
    evaluation === null ? undefined : evaluationClause(evaluation),
    productionClause(request, measured, realised, left),
  ]
  const production: ProductionNow = {
    version: request.from,
    ...(left === undefined || 'reason' in left ? {} : { inputs: left }),
    ...(realised === undefined ? {} : { realised }),
  }
  return {
    verdict,
    summary: `${HEAD[verdict](`@${request.version}`)}: ${clauses.filter((clause) => clause !== undefined).join('; ')}`,
    ...(compared === undefined ? {} : { compared: compared.compared, rows: compared.rows }),
    ...(compared?.verdict === 'drifted' ? { drifted: compared.drifted } : {}),
    ...(measured === undefined ? {} : { evaluation: measured }),
    ...(production.inputs === undefined && realised === undefined ? {} : { production }),
  }
}

/**
 * Drifted inputs and an evaluation that is clearly worse each decide alone. That the evaluation holds decides where the
 * inputs say nothing: it is the answer that they can only hint at.
 */
function verdictOf(
  inputs: InputsFit | undefined,
  evaluation: FitEvaluation | undefined,
): Exclude<Fit['verdict'], 'skipped'> {
  if (inputs?.verdict === 'drifted') return 'drifted'
  if (evaluation?.verdict === 'worse') return 'worse'
  if (inputs?.verdict === 'fits' || evaluation?.verdict === 'holds') return 'fits'
  return inputs === undefined && evaluation === undefined ? 'not determined' : 'inconclusive'
}

const HEAD: Readonly<Record<Exclude<Fit['verdict'], 'skipped'>, (name: string) => string>> = {
  fits: (name) => `${name} still fits today's data`,
  drifted: (name) => `${name} does not fit today's data`,
  worse: (name) => `${name} does not fit today's data`,
  inconclusive: (name) => `too little to say whether ${name} fits today's data`,
  'not determined': (name) => `not determined whether ${name} fits today's data`,
}

const NAMED = 3

/** @param isNamed only which columns: what became of them is said already, or is of no use */
function inputsClause(inputs: InputsFit | Reason, isNamed = false): string {
  if ('reason' in inputs) return inputs.reason
  const { verdict, rows, compared, drifted } = inputs
  if (verdict === 'fits') return `no column drifted on ${count(rows, 'row')}`
  if (verdict === 'inconclusive') return `${count(rows, 'row')} are too few to tell drift from chance`
  const more = drifted.length > NAMED ? ` and ${drifted.length - NAMED} more` : ''
  const shown = drifted.slice(0, NAMED).map(({ column, summary }) => (isNamed ? column : summary))
  const list = shown.join(isNamed ? ', ' : '; ')
  return `${drifted.length} of ${count(compared, 'column')} drifted on ${count(rows, 'row')} (${list}${more})`
}

function evaluationClause(evaluation: FitEvaluation | Reason): string {
  if ('reason' in evaluation) return `not evaluated again: ${evaluation.reason}`
  const { rows, labelled, window, stage, metrics } = evaluation
  const chosen = labelled > rows ? ` of ${labelled.toLocaleString('en-US')}` : ''
  const on = `on ${rows.toLocaleString('en-US')}${chosen} labelled rows of the last ${window}`
  const order = ['worse', 'inconclusive', 'holds']
  const [first, ...rest] = [...metrics].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
  if (first === undefined) {
    return `its evaluation ${on} printed no metric that was recorded when it was registered (${names(evaluation.now)})`
  }
  // What decides against it comes first, and three figures are as many as a sentence holds.
  const others = rest.slice(0, NAMED - 1).map((each) => metricClause(each, stage))
  return [metricClause(first, stage, on), ...others].join(', ')
}

const names = (metrics: Readonly<Record<string, number>>): string => Object.keys(metrics).slice(0, 5).join(', ')

function metricClause({ metric, now, registered, broken, verdict }: MetricFit, stage: string, on?: string): string {
  const was =
    registered === null
      ? ''
      : `${on === undefined ? ' (' : ', '}${figure(registered)} when it was registered${on === undefined ? ')' : ''}`
  const what = `${metric} ${figure(now)}${on === undefined ? '' : ` ${on}`}${was}`
  const doubt = impossible(metric, now)
  if (doubt !== undefined) return `${what}: that cannot be: ${doubt}`
  const notes = [
    ...(broken === null ? [] : [`it breaks ${broken} of ${stage}`]),
    ...(verdict === 'worse' && broken === null ? ['a clear loss'] : []),
    ...(verdict !== 'inconclusive' ? [] : [broken === null ? 'too few rows to say more' : 'that can be chance']),
  ]
  return notes.length === 0 ? what : `${what}: ${notes.join(', but ')}`
}

/** Would staying be any better? */
function productionClause(
  { from, stage }: FitRequest,
  evaluation: FitEvaluation | undefined,
  realised: RealisedNow | undefined,
  left: InputsFit | Reason | undefined,
): string | undefined {
  const said: string[] = []
  if (left !== undefined) {
    if ('reason' in left) said.push(`not compared: ${left.reason}`)
    else
      said.push(
        `${{ fits: 'fits: ', drifted: 'does not fit either: ', inconclusive: '' }[left.verdict]}${inputsClause(left, true)}`,
      )
  }
  const figures = realised === undefined ? [] : realisedFigures(realised, evaluation)
  if (realised !== undefined && figures.length > 0) {
    said.push(`${figures.join(', ')} on ${count(realised.labelled, 'labelled answer')} of its own`)
  }
  return said.length === 0 ? undefined : `${stage} now (@${from}): ${said.join(', ')}`
}

/** The figures that were looked at of the other version, under whatever spelling; without one the best known. */
function realisedFigures({ metrics }: RealisedNow, evaluation: FitEvaluation | undefined): string[] {
  const wanted = evaluation?.metrics.map(({ metric }) => knownMetric(metric)?.canonical ?? metric) ?? []
  const known = [...new Set(wanted)].filter((name) => Object.hasOwn(metrics, name))
  const shown =
    known.length > 0 ? known : ['auc', 'accuracy', 'rmse'].filter((name) => Object.hasOwn(metrics, name)).slice(0, 1)
  return shown.map((name) => `${name} ${figure(metrics[name] ?? Number.NaN)}`)
}

const figure = (value: number): string => String(Number(value.toPrecision(3)))
const count = (n: number, noun: string): string => `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`
