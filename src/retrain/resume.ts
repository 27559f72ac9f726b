/**
 * Taking up a retraining whose process went away: whether it is the one that is asked for, how far it got, and what
 * comes next. Pure. Doing it is in `job.ts`, which goes by the same records.
 */
import { versionName } from '../core/names.ts'
import type { RunState } from './facts.ts'
import type { OpenJob } from './job-records.ts'
import { MOST_TRAININGS } from './storm.ts'

/** An attempt that did not end, for a person. */
export interface Unfinished {
  readonly attempt: string
  readonly since: string
  readonly by: string
  readonly host: string
  /** Where it stopped, in words: `after training`. */
  readonly stopped: string
  readonly run: string | null
  readonly version: number | null
  readonly workflow: string | null
  /** Trainings of it that were killed within the cool-down. */
  readonly killed: number
}

/** What comes next when it is taken up. */
export type NextStep = 'train' | 'give up' | 'fail' | 'follow' | 'register' | 'validate' | 'tell'

export interface Resume extends Unfinished {
  readonly next: NextStep
}

interface Known {
  readonly open: OpenJob
  readonly runState: RunState | null
  readonly model: string
  /** Milliseconds. */
  readonly coolDown: number
  readonly now: Date
}

export function unfinishedOf({ open, runState, model, coolDown, now }: Known): Unfinished {
  const run = open.trained ?? open.trainings.at(-1)?.run ?? null
  const recent = open.trainings.filter(({ time }) => now.getTime() - Date.parse(time) < coolDown)
  return {
    attempt: open.attempt,
    since: open.begin.time,
    by: open.actor,
    host: open.host,
    stopped: stoppedAt(open, runState, model),
    run,
    version: open.registered?.version ?? null,
    workflow: open.dispatch?.runUrl ?? null,
    // Whatever trained before the last one was killed too, or it would not have trained again.
    killed: runState === 'killed' ? recent.length : 0,
  }
}

export function resumeOf(known: Known): Resume {
  const unfinished = unfinishedOf(known)
  return { ...unfinished, next: nextOf(known, unfinished) }
}

function nextOf({ open, runState }: Known, { killed }: Unfinished): NextStep {
  const { promoted, refused, registered, dispatch } = open
  if (promoted.length > 0 || refused !== null) return 'tell'
  if (registered !== null) return 'validate'
  if (dispatch !== null) return 'follow'
  if (runState === 'finished') return 'register'
  if (runState === 'failed') return 'fail'
  return killed >= MOST_TRAININGS ? 'give up' : 'train'
}

const AFTER_TRAINING = 'after training'

/** What is left of an attempt that is not gone on with, and how to keep what it made. */
export function leftAsItIs(model: string, { stopped, since, run, version }: Unfinished): string {
  const said = `An earlier retraining stopped ${stopped} (${since}) and is left as it is: something else is asked for now.`
  if (version !== null) {
    return `${said} To see what a gate says of it: mlops gate check ${versionName(model, version)} --to STAGE`
  }
  // Of a run that was killed or failed nothing can be registered.
  if (run === null || stopped !== AFTER_TRAINING) return said
  return `${said} To keep what it trained: mlops register ${model} --run ${run}`
}

function stoppedAt(
  { last, registered, promoted, dispatch }: OpenJob,
  runState: RunState | null,
  model: string,
): string {
  const name = registered === null ? model : versionName(model, registered.version)
  switch (last) {
    case 'told':
      return 'after everybody was told'
    case 'promoted':
      return `after ${name} entered ${promoted.at(-1)?.stage ?? 'its stage'}`
    case 'refused':
      return `after the gate refused ${name}`
    case 'registered':
      return `after registering ${name}`
    case 'dispatched':
      return dispatch?.runUrl == null ? 'after dispatching the workflow' : `after dispatching ${dispatch.runUrl}`
    case 'dispatching':
      return 'while dispatching the workflow'
    case null:
    case 'left':
      return 'before the training began'
    default:
      if (runState === 'finished') return AFTER_TRAINING
      return runState === 'failed' ? 'after the training failed' : 'while training'
  }
}

/** Whether the training of it has ended well: that is never done twice. */
export const isTrained = ({ next }: Pick<Resume, 'next'>): boolean => ['register', 'validate', 'tell'].includes(next)
