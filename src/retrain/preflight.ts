/**
 * What must be there before a retraining may go without a person: a version in production that could need a successor,
 * a baseline to see drift by, a metric to judge the successor by, labelled rows to measure it on, and declared data that
 * can be read: without these nobody may train. Pure; all that is missing is named at once, each with what to type or to
 * write.
 */
import { refused } from '../core/errors.ts'
import { betterOf } from '../core/metric-names.ts'
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import { gateRules, PRODUCTION } from '../lifecycle/gate/rules.ts'
import type { ModelConfig } from '../project/config.ts'
import type { Gate } from '../project/gate-config.ts'
import type { Policy } from '../project/policy.ts'
import type { Manifest } from '../store/manifest.ts'
import type { DataProblem } from './declared-data.ts'

export interface PreflightCheck {
  readonly what: 'version in production' | 'baseline' | 'metric' | 'labelled data' | 'data to train on'
  readonly ok: boolean
  /** What was found, or why it is needed. One sentence without a full stop. */
  readonly found: string
  /** What to type or to write; null where nothing is missing. */
  readonly mend: string | null
}

export interface PreflightFacts {
  readonly model: string
  readonly policy: Pick<Policy, 'file' | 'validation' | 'job'>
  readonly config: ModelConfig
  readonly stage: string
  readonly inProduction: boolean
  /** The version in production, else the newest; null while there is none. */
  readonly known: { readonly version: number; readonly manifest: Manifest } | null
  /** The model has a baseline of its own (`set_baseline`). */
  readonly modelBaseline: boolean
  /** Of the job, by name. */
  readonly data: Readonly<Record<string, string>>
  readonly dataProblems: readonly DataProblem[]
}

export function preflight(facts: PreflightFacts): readonly PreflightCheck[] {
  return [production(facts), baseline(facts), metric(facts), labels(facts), ...declared(facts)]
}

/** What nobody can go without, not even a person who insists: the training would be in vain. */
export const isIndispensable = ({ what }: PreflightCheck): boolean => what === 'data to train on'

export const missingOf = (checks: readonly PreflightCheck[]): readonly PreflightCheck[] =>
  checks.filter(({ ok }) => !ok)

function production({ model, inProduction, known, config }: PreflightFacts): PreflightCheck {
  const what = 'version in production'
  if (inProduction && known !== null) return good(what, `${versionName(model, known.version)} is in production`)
  if (known === null) {
    return bad(
      what,
      `${model} has no version, so there is nothing that could need a successor`,
      `mlops retrain ${model} --force --reason "the first version", or register one: mlops register ${model} --artifact FILE --baseline DATA`,
    )
  }
  const name = versionName(model, known.version)
  return bad(
    what,
    `no version of ${model} is in production; the newest is ${name}`,
    promotionCommand(name, PRODUCTION, gateRules(config, PRODUCTION).approval),
  )
}

function baseline({ model, known, modelBaseline }: PreflightFacts): PreflightCheck {
  const what = 'baseline'
  const name = known === null ? model : versionName(model, known.version)
  if (known?.manifest.baseline !== undefined) return good(what, `${name} has one`)
  if (modelBaseline) return good(what, `${model} has one`)
  return bad(
    what,
    `${name} has none, so nobody can see whether its data has moved`,
    `mlops register ${model} --run RUN --baseline DATA, then promote that version`,
  )
}

function metric({ policy, config, stage, known }: PreflightFacts): PreflightCheck {
  const what = 'metric'
  const configured = Object.hasOwn(config.gates, stage) ? config.gates[stage] : undefined
  const bounds = [policy.validation, ...(configured === undefined ? [] : [configured])].flatMap(boundsOf)
  if (bounds.length > 0) return good(what, `a candidate must keep ${[...new Set(bounds)].join(', ')}`)
  const recorded = Object.entries(known?.manifest.metrics ?? {}).find(([, value]) => typeof value === 'number')
  const [name, value] = recorded ?? ['auc', 0.8]
  return bad(
    what,
    'no bound says what a candidate must reach, so any would do',
    `write in ${policy.file ?? 'retraining-policy.yaml'}, under policy: the line  validation: {${betterOf(name) === 'higher' ? 'min' : 'max'}_${name}: ${value}}`,
  )
}

function boundsOf({ min, max, slices }: Gate): string[] {
  return [
    ...Object.entries(min).map(([name, bound]) => `${name} >= ${bound}`),
    ...Object.entries(max).map(([name, bound]) => `${name} <= ${bound}`),
    ...slices.map(({ by }) => `bounds by ${by}`),
  ]
}

function labels({ model, config, known, data, policy }: PreflightFacts): PreflightCheck {
  const what = 'labelled data'
  const target = config.schema.target ?? known?.manifest.target
  if (target !== undefined) return good(what, `the truth is column ${target}`)
  const test = ['test', 'holdout', 'held-out'].find((name) => Object.hasOwn(data, name))
  if (test !== undefined) return good(what, `the job holds out ${data[test]}`)
  if (known?.manifest.data.some(({ name }) => name === 'test')) {
    return good(what, `${versionName(model, known.version)} was measured on a test set`)
  }
  const declare = policy.job.type === 'command' ? `, or under policy.job:  data: {test: PATH}` : ''
  return bad(
    what,
    'neither a target nor a test set is known, so nobody can tell a good candidate from a bad one',
    `write in mlops.yaml, under models: ${model}: the line  schema: {target: COLUMN}${declare}`,
  )
}

/** None for a job that declares none: it may read what it likes. */
function declared({ data, dataProblems, policy }: PreflightFacts): PreflightCheck[] {
  const what = 'data to train on'
  const names = Object.entries(data).map(([name, path]) => `${name}=${path}`)
  if (names.length === 0) return []
  if (dataProblems.length === 0) return [good(what, `${names.join(', ')} can be read`)]
  const found = dataProblems.map(({ name, path, problem }) => `${name}=${path}: ${problem}`).join('; ')
  const paths = dataProblems.map(({ name }) => `${name}: PATH`).join(', ')
  const file = policy.file ?? 'retraining-policy.yaml'
  return [bad(what, found, `put it there, or name another in ${file}, under policy.job:  data: {${paths}}`)]
}

const good = (what: PreflightCheck['what'], found: string): PreflightCheck => ({ what, ok: true, found, mend: null })
const bad = (what: PreflightCheck['what'], found: string, mend: string): PreflightCheck => ({
  what,
  ok: false,
  found,
  mend,
})

/**
 * @param byPerson a person asked for it, and is held up only by what is indispensable
 * @returns refused `PREFLIGHT_REFUSED`, naming all that is missing
 */
export function preflightRefused(
  model: string,
  file: string | null,
  missing: readonly PreflightCheck[],
  byPerson = false,
) {
  const lines = missing.map(({ what, found, mend }) => `  no ${what}: ${found}\n    ${mend}`)
  const count = missing.length === 1 ? 'One thing is' : `${missing.length} things are`
  const which = byPerson ? `${model} cannot be retrained` : `${model} is not ready to be retrained without a person`
  return refused({
    code: 'PREFLIGHT_REFUSED',
    message: `${which}. ${count} missing:\n${lines.join('\n')}`,
    hint: missing.some(isIndispensable)
      ? `Nothing was trained. When it is there: mlops retrain ${model}${byPerson ? ' --reason TEXT' : ''}`
      : `A person may retrain it all the same: mlops retrain ${model} --force --reason TEXT`,
    details: { model, policy: file, missing },
  })
}
