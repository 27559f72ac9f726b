/**
 * What the last retraining of a model came to, read from its claims under `jobs/retrain`: enough for `status`. Writing
 * them, and what may start after them, is `src/retrain/`. A record of another shape is passed over.
 */
import { hasGone } from '../../core/process-place.ts'
import { RETRAINING } from '../../store/claims.ts'
import type { Store } from '../../store/store.ts'

export interface LastRetraining {
  /** `stopped`: its process went away, or nobody waits for it; `mlops retrain` goes on with it if the same is asked for. */
  readonly outcome: 'running' | 'stopped' | 'failed' | 'refused' | 'unchanged' | 'promoted'
  readonly time: string
  readonly run: string | null
  /** The page of the workflow run, where it runs on GitHub. */
  readonly workflow: string | null
  readonly version: number | null
  /** One line: what failed, or where it stopped. */
  readonly message: string
  /** Digest of the manifest that was in production. */
  readonly champion: string | null
}

/** Seconds without a sign of life after which a job is taken for dead, as in `src/retrain/job-log.ts`. */
const DEAD_AFTER = 90
const DECIDED: readonly unknown[] = ['failed', 'refused', 'unchanged', 'promoted']

type Loose = Readonly<Record<string, unknown>>

/** @returns null when there was none, or none that says anything about the model */
export async function lastRetraining(store: Store, model: string, now: Date): Promise<LastRetraining | null> {
  const newest = await store.claims.newest(model, RETRAINING)
  if (newest === undefined) return null
  const last = newest.record as Loose
  if (DECIDED.includes(last.outcome)) return summary(last, last.outcome as LastRetraining['outcome'])
  const records = (await store.claims.list(model, RETRAINING)).map(({ record }) => record as Loose)
  if (last.kind === 'begin' || last.kind === 'step') return openOne(store, model, records, last, now)
  // Somebody pressed Ctrl-C the last time: what came of the one before still holds.
  const end = records.findLast(({ outcome }) => DECIDED.includes(outcome))
  return end === undefined ? null : summary(end, end.outcome as LastRetraining['outcome'])
}

/** One that has not ended: somebody is at it, or it waits for the next process. */
async function openOne(
  store: Store,
  model: string,
  records: readonly Loose[],
  last: Loose,
  now: Date,
): Promise<LastRetraining> {
  const own = records.filter(({ attempt }) => attempt === last.attempt)
  const memberOf = (member: string): unknown => own.findLast((record) => record[member] != null)?.[member]
  const begin = own.find(({ kind }) => kind === 'begin')
  const isLeft = last.kind === 'step' && last.name === 'left'
  const isDead = hasGone(own.findLast(({ kind }) => kind === 'begin')?.process)
  const isRunning = !isLeft && !isDead && (await isAlive(store, model, last, now))
  const step = own.findLast(({ kind, name }) => kind === 'step' && name !== 'left')
  const known = { time: begin?.time, champion: begin?.champion, run: memberOf('run'), version: memberOf('version') }
  const message = isLeft ? last.why : step === undefined ? 'before the training began' : whereIn(step)
  return summary({ ...known, workflow: memberOf('runUrl'), message }, isRunning ? 'running' : 'stopped')
}

/** Where an attempt stood when it was last heard of, in words. */
function whereIn({ name, version, stage }: Loose): string {
  const it = typeof version === 'number' ? `@${version}` : 'its version'
  switch (name) {
    case 'training':
      return 'while training'
    case 'trained':
      return 'after training'
    case 'dispatching':
      return 'while dispatching the workflow'
    case 'dispatched':
      return 'after dispatching the workflow'
    case 'registered':
      return `after registering ${it}`
    case 'refused':
      return 'after the gate refused its version'
    case 'promoted':
      return `after its version entered ${typeof stage === 'string' ? stage : 'its stage'}`
    case 'told':
      return 'after everybody was told'
    default:
      return `after the step ${name}`
  }
}

async function isAlive(store: Store, model: string, last: Loose, now: Date): Promise<boolean> {
  const age = (now.getTime() - Date.parse(String(last.time))) / 1000
  const silent = (await store.claims.silent(model, RETRAINING)) ?? Number.POSITIVE_INFINITY
  return Math.min(age, silent) < DEAD_AFTER
}

function summary(record: Loose, outcome: LastRetraining['outcome']): LastRetraining {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const failure = (record.failure ?? {}) as Loose
  const exit = typeof failure.exitCode === 'number' ? `exit code ${failure.exitCode}: ` : ''
  const said = text(failure.lastLine) ?? text(record.message)?.split('\n', 1)[0] ?? ''
  return {
    outcome,
    time: text(record.time) ?? '',
    run: text(record.run),
    workflow: text(record.workflow),
    version: typeof record.version === 'number' ? record.version : null,
    message: `${exit}${said}`,
    champion: text(record.champion),
  }
}
