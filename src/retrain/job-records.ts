/**
 * What stands in the log of retrainings of a model, `jobs/retrain`, one claim each: an attempt begins, its steps are
 * recorded one by one as they are done, and it ends. Plain types and one fold over them; reading and writing the log is
 * in `job-log.ts`.
 */
import { given } from '../core/given.ts'
import type { ProcessPlace } from '../core/process-place.ts'
import type { GateResult } from '../store/events.ts'
import type { Finding } from './trigger.ts'

export interface JobBegin {
  readonly kind: 'begin'
  /** Names the retraining, also when another process takes it up: its `begin` has the same. */
  readonly attempt: string
  /** Null for a human's own reason. */
  readonly cause: string | null
  readonly reason: string | null
  /** Digest of the manifest in production when it began. */
  readonly champion: string | null
  readonly key: string | null
  /** Digest of what was asked for, for the idempotency key. */
  readonly request: string
  /** Digest of what is trained and why: who asks for the same may take it up. Absent in older records. */
  readonly what?: string
  /** The evidence that made the trigger fire. Absent in older records. */
  readonly trigger?: Finding
  /** By `--force`. */
  readonly forced?: true
  /** Another process had begun it and went away. */
  readonly takenUp?: true
  readonly actor: string
  readonly host: string
  /** Absent in older records, and where the system does not tell. */
  readonly process?: ProcessPlace
  readonly time: string
}

/** What was done, or is about to be where doing it twice would cost. */
export type StepDone =
  /** The training is about to start, as this run. */
  | { readonly name: 'training'; readonly run: string }
  | { readonly name: 'trained'; readonly run: string }
  /** A workflow is about to be dispatched; the attempt is its correlation id. */
  | { readonly name: 'dispatching' }
  /** GitHub has taken it; null while the run is not known. */
  | { readonly name: 'dispatched'; readonly runId: number | null; readonly runUrl: string | null }
  | { readonly name: 'registered'; readonly run: string | null; readonly version: number }
  /** The gate said no; a yes is the step `promoted`. */
  | {
      readonly name: 'refused'
      readonly gate: GateResult | null
      readonly awaitsApproval: boolean
      readonly message: string
    }
  | { readonly name: 'promoted'; readonly stage: string; readonly gate: GateResult | null }
  | { readonly name: 'told' }
  /** Nobody is at work any more, and the attempt is open: whoever comes next may go on at once. */
  | { readonly name: 'left'; readonly why: string }

export type JobStep = { readonly kind: 'step'; readonly attempt: string; readonly time: string } & StepDone

/** `unchanged`: training gave the very version in production. `not started`: the command never ran. */
export type JobOutcome = 'promoted' | 'refused' | 'unchanged' | 'failed' | 'not started' | 'interrupted'

export interface JobEnd {
  readonly kind: 'end'
  readonly attempt: string
  readonly outcome: JobOutcome
  readonly cause: string | null
  readonly champion: string | null
  readonly run: string | null
  readonly version: number | null
  readonly stage: string
  readonly gate: GateResult | null
  /** Only a person's approval was missing. */
  readonly awaitsApproval: boolean
  readonly message: string
  /** Of a failure: the exit code of the training, and the last line it printed or what went wrong after it. */
  readonly failure?: { readonly exitCode: number | null; readonly lastLine: string | null }
  /** The page of the workflow run, where it ran on GitHub. */
  readonly workflow?: string
  readonly key: string | null
  readonly request: string
  readonly time: string
}

export type JobRecord = JobBegin | JobStep | JobEnd

/** The log as it was read: a claim is made against exactly this. */
export interface JobLog {
  readonly records: readonly JobRecord[]
  readonly head: number
}

/** An attempt without an end: at work, left, or its process was killed. */
export interface OpenJob {
  readonly attempt: string
  /** The first one. */
  readonly begin: JobBegin
  /** Who was at it last. */
  readonly actor: string
  readonly host: string
  readonly process?: ProcessPlace
  /** Of its newest record. */
  readonly time: string
  /** Runs that were started for it, oldest first. */
  readonly trainings: readonly { readonly run: string; readonly time: string }[]
  /** The run that ended well, where that is recorded. */
  readonly trained: string | null
  /** `accepted`: GitHub has taken it; `runId` is null while the run is not known. */
  readonly dispatch: {
    readonly time: string
    readonly accepted: boolean
    readonly runId: number | null
    readonly runUrl: string | null
  } | null
  readonly registered: { readonly run: string | null; readonly version: number } | null
  readonly refused: Extract<StepDone, { name: 'refused' }> | null
  /** Stages that the candidate has entered, in order. */
  readonly promoted: readonly { readonly stage: string; readonly gate: GateResult | null }[]
  readonly told: boolean
  /** Why nobody is at work; null: somebody was, when last heard of. */
  readonly left: string | null
  /** The last thing that is known to be done. */
  readonly last: StepDone['name'] | null
}

/** The newest attempt, as far as it got; null when it has ended, or there was none. */
export function openJob(records: readonly JobRecord[]): OpenJob | null {
  const newest = records.at(-1)
  if (newest === undefined || newest.kind === 'end') return null
  const own = records.filter((record) => record.attempt === newest.attempt)
  const begins = own.filter((record) => record.kind === 'begin')
  const [begin, latest = begin] = [begins[0], begins.at(-1)]
  if (begin === undefined || latest === undefined) return null
  const steps = own.filter((record) => record.kind === 'step')
  const all = <N extends StepDone['name']>(name: N) =>
    steps.filter((step): step is Extract<JobStep, { name: N }> => step.name === name)
  const dispatching = all('dispatching').at(-1)
  const dispatched = all('dispatched').findLast(({ time }) => time >= (dispatching?.time ?? ''))
  return {
    attempt: newest.attempt,
    begin,
    actor: latest.actor,
    host: latest.host,
    ...given({ process: latest.process }),
    time: newest.time,
    trainings: all('training').map(({ run, time }) => ({ run, time })),
    trained: all('trained').at(-1)?.run ?? null,
    dispatch:
      dispatching === undefined
        ? null
        : {
            time: dispatching.time,
            accepted: dispatched !== undefined,
            runId: dispatched?.runId ?? null,
            runUrl: dispatched?.runUrl ?? null,
          },
    registered: all('registered').at(-1) ?? null,
    refused: all('refused').at(-1) ?? null,
    promoted: all('promoted').map(({ stage, gate }) => ({ stage, gate })),
    told: all('told').length > 0,
    left: newest.kind === 'step' && newest.name === 'left' ? newest.why : null,
    last: steps.filter(({ name }) => name !== 'left').at(-1)?.name ?? null,
  }
}
