/** From the flags of `mlops drift` to what is asked: which combinations make sense, and the values in them. Pure. */
import { type MlopsError, usage } from '../core/errors.ts'
import { given } from '../core/given.ts'
import { parseModelRef } from '../core/names.ts'
import { parseThreshold } from '../drift/check.ts'
import { lengthOf, type WindowFlags } from '../predictions/window.ts'
import type { MetricName } from '../project/config.ts'
import type { FailOn, MonitorRequest } from './types.ts'

/** As oclif parsed them. */
export interface DriftFlags {
  readonly current?: string | undefined
  readonly query?: string | undefined
  readonly window?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly every?: string | undefined
  readonly against: string
  readonly by?: string | undefined
  readonly importances?: string | undefined
  readonly metric?: string | undefined
  readonly threshold?: string | undefined
  readonly report?: readonly string[] | undefined
  readonly alert: boolean
  readonly 'fail-on': string
  readonly all: boolean
  readonly stage?: string | undefined
}

/** What holds for one model and for a fleet. */
export interface Wishes {
  readonly request: Omit<MonitorRequest, 'ref'>
  /** Milliseconds. */
  readonly every: number | undefined
  readonly alert: boolean
  readonly failOn: FailOn
}

export type DriftQuestion =
  | { readonly kind: 'model'; readonly ref: MonitorRequest['ref']; readonly wishes: Wishes }
  | { readonly kind: 'fleet'; readonly stage: string; readonly wishes: Wishes }

/** @throws usage `MODEL_MISSING`, `FLAGS_EXCLUSIVE`, `WINDOW_INVALID`, `THRESHOLD_INVALID`, `NAME_INVALID` */
export function driftQuestion(model: string | undefined, flags: DriftFlags): DriftQuestion {
  const wishes: Wishes = {
    request: requestOf(flags),
    every: flags.every === undefined ? undefined : lengthOf(flags.every, '--every'),
    alert: flags.alert,
    failOn: flags['fail-on'] as FailOn,
  }
  if (!flags.all) {
    if (flags.stage !== undefined)
      throw exclusive('--stage is for --all', `mlops drift ${model ?? 'MODEL'}@${flags.stage}`)
    if (model === undefined) throw modelMissing()
    if (flags.query !== undefined && flags.current === undefined) {
      throw exclusive(
        '--query is for a database that --current names',
        `mlops drift ${model} --current postgres://HOST/DB --query 'SELECT …'`,
      )
    }
    return { kind: 'model', ref: parseModelRef(model), wishes }
  }
  if (model !== undefined) throw exclusive('--all checks every model', `mlops drift ${model}; or mlops drift --all`)
  const own = (['current', 'query', 'by', 'importances'] as const).find((name) => flags[name] !== undefined)
  if (own !== undefined) throw exclusive(`--${own} belongs to one model`, `mlops drift MODEL --${own} …`)
  if (!['baseline', 'previous'].includes(flags.against)) {
    throw exclusive('Every model of --all has a reference of its own', 'mlops drift --all --against previous')
  }
  return { kind: 'fleet', stage: flags.stage ?? 'production', wishes }
}

function requestOf(flags: DriftFlags): Omit<MonitorRequest, 'ref'> {
  const { current, query, by, importances, metric, against } = flags
  const window: WindowFlags = given({ window: flags.window, since: flags.since, until: flags.until })
  const threshold = flags.threshold === undefined ? undefined : parseThreshold(flags.threshold)
  const named = given({ current, query, by, importances, metric: metric as MetricName | undefined, threshold })
  return { ...named, window, against }
}

const exclusive = (why: string, hint: string): MlopsError =>
  usage({ code: 'FLAGS_EXCLUSIVE', message: `${why}.`, hint: `Type: ${hint}` })

const modelMissing = (): MlopsError =>
  usage({
    code: 'MODEL_MISSING',
    message: 'Which model shall be checked?',
    hint: 'Name one: mlops drift MODEL; or check every model in production: mlops drift --all',
  })
