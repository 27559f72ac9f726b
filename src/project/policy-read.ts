/**
 * The trigger and the job of a policy: which keys belong to which type, and what only several keys together can say.
 * What each key may be is in `policy-schema.ts`.
 */
import { nearest } from '../core/nearest.ts'
import { METRICS } from './config-schema.ts'
import { HOUR, parseDuration } from './duration.ts'
import type { Job, Say, Trigger, Trusted } from './policy.ts'
import { REALISED_METRICS, realisedMetric } from './realised-metrics.ts'

type RawTrigger = Trusted['trigger']
type RawJob = Partial<NonNullable<Trusted['job']>>

/** How long a workflow is waited for where the policy says nothing. */
const TIMEOUT = 6 * HOUR

const TRIGGER_KEYS: Readonly<Record<RawTrigger['type'], readonly string[]>> = {
  drift: ['metric', 'threshold', 'column', 'window'],
  schedule: ['every'],
  new_data: ['data'],
  metric: ['metric', 'threshold', 'window'],
  manual: [],
}

export function toTrigger(raw: RawTrigger, say: Say): Trigger {
  for (const key of ['metric', 'threshold', 'column', 'window', 'every', 'data'] as const) {
    if (raw[key] !== undefined && !TRIGGER_KEYS[raw.type].includes(key)) {
      say(['trigger', key], `a trigger of type ${raw.type} has no ${key}`)
    }
  }
  switch (raw.type) {
    case 'drift':
      return toDrift(raw, say)
    case 'schedule':
      if (raw.every === undefined) {
        say(['trigger'], 'a trigger of type schedule needs every, for example every: 30d', 'every')
      }
      return { type: 'schedule', every: parseDuration(raw.every ?? '') ?? 0 }
    case 'new_data':
      if (raw.data === undefined) {
        say(['trigger'], 'a trigger of type new_data needs data, the path of the file', 'data')
      }
      return { type: 'new_data', data: raw.data ?? '' }
    case 'metric':
      return toMetric(raw, say)
    default:
      return { type: raw.type }
  }
}

function toDrift({ metric: word = 'psi', threshold, column, window }: RawTrigger, say: Say): Trigger {
  const metric = METRICS.find((name) => name === word)
  if (metric === undefined) say(['trigger', 'metric'], notOneOf(word, METRICS))
  if (threshold !== undefined && threshold <= 0) {
    say(['trigger', 'threshold'], `expected a number above 0, found "${threshold}"`)
  }
  return {
    type: 'drift',
    metric: metric ?? 'psi',
    ...(threshold === undefined ? {} : { threshold }),
    ...(column === undefined ? {} : { column }),
    ...(window === undefined ? {} : { window }),
  }
}

function toMetric({ metric: word, threshold, window }: RawTrigger, say: Say): Trigger {
  if (word === undefined) say(['trigger'], 'a trigger of type metric needs metric, for example metric: auc', 'metric')
  if (threshold === undefined) {
    say(['trigger'], 'a trigger of type metric needs threshold, for example threshold: 0.80', 'threshold')
  }
  const metric = word === undefined ? undefined : realisedMetric(word)
  // Which way it is better must be known; labels give no others anyway.
  if (word !== undefined && metric === undefined) say(['trigger', 'metric'], notOneOf(word, REALISED_METRICS))
  return {
    type: 'metric',
    metric: metric ?? '',
    threshold: threshold ?? 0,
    ...(window === undefined ? {} : { window }),
  }
}

function notOneOf(word: string, known: readonly string[]): string {
  const close = nearest(word, known)
  const guess = close === undefined ? '' : `; did you mean ${close}?`
  return `expected ${known.join(', ')}, found ${JSON.stringify(word)}${guess}`
}

const REMOTE_KEYS = ['workflow', 'repository', 'ref', 'inputs', 'timeout'] as const

export function toJob(raw: RawJob, type: NonNullable<RawJob['type']>, say: Say): Job {
  const strange = type === 'command' ? REMOTE_KEYS : (['command', 'data'] as const)
  for (const key of strange) if (raw[key] !== undefined) say(['job', key], `a job of type ${type} has no ${key}`)
  if (type === 'command') {
    const { command, data } = raw
    return { type, ...(command === undefined ? {} : { command }), ...(data === undefined ? {} : { data }) }
  }
  const { workflow, repository, ref, inputs, timeout } = raw
  if (workflow === undefined) {
    say(['job'], 'a job of type github_actions needs workflow, the file name of the workflow', 'workflow')
  }
  return {
    type,
    workflow: workflow ?? '',
    ...(repository === undefined ? {} : { repository }),
    ...(ref === undefined ? {} : { ref }),
    inputs: inputs ?? {},
    timeout: timeout === undefined ? TIMEOUT : (parseDuration(timeout) ?? TIMEOUT),
  }
}
