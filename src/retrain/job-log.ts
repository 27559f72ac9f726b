/**
 * The log of retrainings of a model: numbered claims under `jobs/retrain`, alternately a begin and its end. Whoever
 * takes the next number with a begin trains; a begin without an end whose heartbeat has stopped is dead, and the next
 * number supersedes it. Deciding whether to retrain is `storm.ts` and `plan.ts`.
 */
import { hostname } from 'node:os'
import type { Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { conflict } from '../core/errors.ts'
import { describeDuration } from '../project/duration.ts'
import type { GateResult } from '../store/events.ts'
import type { Store } from '../store/store.ts'

const SCOPE = 'jobs/retrain'
const BEAT_EVERY = 15_000
/** Milliseconds of silence after which a job is taken for dead: several missed beats, and clocks that differ a bit. */
export const DEAD_AFTER = 90_000

export interface JobBegin {
  readonly kind: 'begin'
  readonly attempt: string
  /** Null for a human's own reason. */
  readonly cause: string | null
  readonly reason: string | null
  /** Digest of the manifest in production when it began. */
  readonly champion: string | null
  readonly key: string | null
  /** Digest of what was asked for, for the idempotency key. */
  readonly request: string
  readonly actor: string
  readonly host: string
  readonly time: string
}

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
  readonly key: string | null
  readonly request: string
  readonly time: string
}

export type JobRecord = JobBegin | JobEnd

/** The log as it was read: a claim is made against exactly this. */
export interface JobLog {
  readonly records: readonly JobRecord[]
  readonly head: number
}

export interface Claimed {
  readonly begin: JobBegin
  /** False when another process took this one for dead and went on without it. */
  stillMine(): Promise<boolean>
  /** @returns false when it was superseded: then the record of this end is not in the log */
  end(record: Omit<JobEnd, 'kind' | 'attempt' | 'cause' | 'champion' | 'key' | 'request' | 'time'>): Promise<boolean>
  /** Stops the heartbeat. */
  release(): void
}

export async function readJobs(store: Store, model: string): Promise<JobLog> {
  const claims = await store.claims.list(model, SCOPE)
  return {
    records: claims.map(({ record }) => record as unknown as JobRecord),
    head: claims.at(-1)?.number ?? 0,
  }
}

/**
 * Takes the next number, if the log is still as it was read.
 * @returns undefined when somebody else took it first: read again, decide again
 * @throws conflict `RETRAIN_RUNNING` while another one is at work
 */
export async function claimJob(
  ctx: Context,
  store: Store,
  model: string,
  log: JobLog,
  begin: Omit<JobBegin, 'kind' | 'actor' | 'host' | 'time'>,
): Promise<Claimed | undefined> {
  await refuseWhileRunning(ctx, store, model, log)
  const record: JobBegin = {
    kind: 'begin',
    ...begin,
    actor: ctx.actor.name,
    host: hostname(),
    time: ctx.now().toISOString(),
  }
  const number = log.head + 1
  if (!(await store.claims.take(model, SCOPE, number, record as unknown as Json))) return undefined
  await store.claims.beat(model, SCOPE)
  // A missed beat costs nothing but looks; a process that only waits for this timer may end.
  const timer = setInterval(() => void store.claims.beat(model, SCOPE).catch(() => {}), BEAT_EVERY)
  timer.unref()
  return {
    begin: record,
    stillMine: async () => (await store.claims.newest(model, SCOPE))?.number === number,
    async end(rest) {
      const { attempt, cause, champion, key, request } = record
      const time = ctx.now().toISOString()
      const end: JobEnd = { kind: 'end', attempt, cause, champion, key, request, time, ...rest }
      return store.claims.take(model, SCOPE, number + 1, end as unknown as Json)
    },
    release: () => clearInterval(timer),
  }
}

/** @throws conflict `RETRAIN_RUNNING` */
async function refuseWhileRunning(ctx: Context, store: Store, model: string, log: JobLog): Promise<void> {
  const last = log.records.at(-1)
  if (last?.kind !== 'begin') return
  const age = ctx.now().getTime() - new Date(last.time).getTime()
  const silent = (await store.claims.silent(model, SCOPE)) ?? Number.POSITIVE_INFINITY
  const quiet = Math.min(age, silent * 1000)
  if (quiet >= DEAD_AFTER) return
  throw conflict({
    code: 'RETRAIN_RUNNING',
    message: `${model} is being retrained already, by ${last.actor} on ${last.host}, for ${describeDuration(Math.max(0, age))}.`,
    hint: `Wait for it: mlops status ${model}. Should it have been killed, it gives way ${DEAD_AFTER / 1000} seconds after its last sign of life`,
    details: { model, attempt: last.attempt, host: last.host, actor: last.actor, since: last.time },
  })
}

/** The end of the attempt that was made with this idempotency key and is worth returning: it did not fail. */
export function endOfKey(log: JobLog, key: string, request: string): JobEnd | undefined {
  const same = log.records.filter((record) => record.key === key)
  const other = same.find((record) => record.request !== request)
  if (other !== undefined) {
    throw conflict({
      code: 'IDEMPOTENCY_MISMATCH',
      message: `The idempotency key ${JSON.stringify(key)} was used for another retraining, ${other.time}.`,
      hint: 'Use a new key for a new request.',
      details: { key, time: other.time },
    })
  }
  return same.find(
    (record): record is JobEnd =>
      record.kind === 'end' && ['promoted', 'refused', 'unchanged'].includes(record.outcome),
  )
}
