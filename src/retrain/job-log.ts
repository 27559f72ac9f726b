/**
 * Reading and writing the log of retrainings of a model: numbered claims under `jobs/retrain`. Whoever takes the next
 * number with a begin trains; its steps and its end are the numbers after it. An attempt whose heartbeat has stopped is
 * dead, and the next number supersedes it. Deciding whether to retrain is `storm.ts` and `plan.ts`.
 */
import { hostname } from 'node:os'
import type { Json } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { conflict } from '../core/errors.ts'
import { given } from '../core/given.ts'
import { hasGone, ownProcess } from '../core/process-place.ts'
import { describeDuration } from '../project/duration.ts'
import { RETRAINING } from '../store/claims.ts'
import type { Store } from '../store/store.ts'
import {
  type JobBegin,
  type JobEnd,
  type JobLog,
  type JobRecord,
  type JobStep,
  openJob,
  type StepDone,
} from './job-records.ts'

const BEAT_EVERY = 15_000
/** Milliseconds of silence after which a job is taken for dead: several missed beats, and clocks that differ a bit. */
export const DEAD_AFTER = 90_000

export type Ending = Omit<JobEnd, 'kind' | 'attempt' | 'cause' | 'champion' | 'key' | 'request' | 'time'>

export interface Claimed {
  readonly begin: JobBegin
  /** @throws conflict `RETRAIN_SUPERSEDED` when another process took this one for dead and went on without it */
  assertMine(): Promise<void>
  /** Records what is done. @throws conflict `RETRAIN_SUPERSEDED` */
  step(done: StepDone): Promise<void>
  /** @returns false when it was superseded: then the record of this end is not in the log */
  end(record: Ending): Promise<boolean>
  /** Stops the heartbeat. */
  release(): void
}

export async function readJobs(store: Pick<Store, 'claims'>, model: string): Promise<JobLog> {
  const claims = await store.claims.list(model, RETRAINING)
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
  begin: Omit<JobBegin, 'kind' | 'actor' | 'host' | 'process' | 'time'>,
): Promise<Claimed | undefined> {
  if (await isAtWork(ctx, store, model, log)) throw running(ctx, model, log)
  const now = (): string => ctx.now().toISOString()
  const who = { actor: ctx.actor.name, host: hostname(), ...given({ process: ownProcess() }) }
  const record: JobBegin = { kind: 'begin', ...begin, ...who, time: now() }
  let number = log.head
  const take = async (next: JobRecord): Promise<boolean> => {
    if (!(await store.claims.take(model, RETRAINING, number + 1, next as unknown as Json))) return false
    number += 1
    return true
  }
  if (!(await take(record))) return undefined
  await store.claims.beat(model, RETRAINING)
  // A missed beat costs nothing but looks; a process that only waits for this timer may end.
  const timer = setInterval(() => void store.claims.beat(model, RETRAINING).catch(() => {}), BEAT_EVERY)
  timer.unref()
  const { attempt, cause, champion, key, request } = record
  return {
    begin: record,
    async assertMine() {
      if ((await store.claims.newest(model, RETRAINING))?.number !== number) throw superseded(model)
    },
    async step(done) {
      const step: JobStep = { kind: 'step', attempt, time: now(), ...done }
      if (!(await take(step))) throw superseded(model)
      await store.claims.beat(model, RETRAINING)
    },
    async end(rest) {
      return take({ kind: 'end', attempt, cause, champion, key, request, time: now(), ...rest })
    },
    release: () => clearInterval(timer),
  }
}

/** Whether the process that holds the newest attempt was heard of not long ago, and is not known to have gone since. */
export async function isAtWork(
  ctx: Context,
  store: Pick<Store, 'claims'>,
  model: string,
  log: JobLog,
): Promise<boolean> {
  const open = openJob(log.records)
  if (open === null || open.left !== null || hasGone(open.process)) return false
  const age = ctx.now().getTime() - Date.parse(open.time)
  const silent = (await store.claims.silent(model, RETRAINING)) ?? Number.POSITIVE_INFINITY
  return Math.min(age, silent * 1000) < DEAD_AFTER
}

function running(ctx: Context, model: string, { records }: JobLog) {
  const open = openJob(records)
  const { actor = 'somebody', host = 'an unknown host', begin, trainings = [], attempt } = open ?? {}
  const since = begin?.time ?? ctx.now().toISOString()
  const age = describeDuration(Math.max(0, ctx.now().getTime() - Date.parse(since)))
  const run = open?.trained ?? trainings.at(-1)?.run ?? null
  const url = open?.dispatch?.runUrl ?? null
  const what = url !== null ? ` (workflow ${url})` : run !== null ? ` (run ${run})` : ''
  return conflict({
    code: 'RETRAIN_RUNNING',
    message: `${model} is being retrained already, by ${actor} on ${host}, for ${age}${what}. Nothing was trained.`,
    hint: `Wait for it: mlops status ${model}. Should it have been killed, it gives way ${DEAD_AFTER / 1000} seconds after its last sign of life`,
    details: { model, attempt, host, actor, since, run, workflow: url },
  })
}

const superseded = (model: string) =>
  conflict({
    code: 'RETRAIN_SUPERSEDED',
    message: `This retraining of ${model} showed no sign of life for so long that another one took its place, and goes on from where this one was.`,
    hint: `See what became of it: mlops status ${model}`,
  })

/** The end of the attempt that was made with this idempotency key and is worth returning: it did not fail. */
export function endOfKey(log: JobLog, key: string, request: string): JobEnd | undefined {
  const same = log.records.filter((record) => record.kind !== 'step' && record.key === key)
  const other = same.find((record) => record.kind !== 'step' && record.request !== request)
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
