/**
 * One command on a clone of a shared store, in a process that ends itself by SIGKILL at the n-th step of the protocol.
 * Arguments: JSON of `WorkerJob`. Prints one line of JSON about each step, and what it was told at the end.
 */
import { execFileSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { joinStore } from '../../../../src/store/git-join.ts'
import { openStore } from '../../../../src/store/open.ts'
import { promote, register } from '../../../crash/scenario.ts'

export interface WorkerJob {
  readonly root: string
  readonly remote: string
  readonly branch: string
  readonly env: Readonly<Record<string, string>>
  readonly what: 'register' | 'promote' | 'join' | 'claim'
  readonly op: string
  /** It ends itself at this step, counted from 1; 0: never. */
  readonly killAt: number
  /** At the first time a commit is ready, the branch is moved here: somebody was faster. */
  readonly overtakenBy?: string
}

const job = JSON.parse(process.argv[2] ?? '{}') as WorkerJob
const say = (record: object): void => void writeSync(1, `${JSON.stringify(record)}\n`)
let [steps, overtaken] = [0, false]

const step = (name: string): void => {
  steps += 1
  say({ step: name })
  if (steps === job.killAt) process.kill(process.pid, 'SIGKILL')
  if (name !== 'committed' || job.overtakenBy === undefined || overtaken) return
  overtaken = true
  const ref = `refs/heads/${job.branch}`
  execFileSync('git', ['-C', job.remote, 'update-ref', ref, job.overtakenBy], { env: job.env })
}

const actor = { name: 'worker@ci', origin: 'ci' as const }
const now = (): Date => new Date()
const wish = { remote: job.remote, branch: job.branch, at: '/' }

async function work(): Promise<unknown> {
  const common = { env: job.env, actor, step }
  if (job.what === 'join') return (await joinStore(job.root, wish, { ...common, now, mayCreate: true })).what
  const store = await openStore(job.root, { write: true, now, git: common })
  if (job.what === 'register') return (await register(store, job.op)).kind
  if (job.what === 'promote') return (await promote(store, job.op, 1)).kind
  return store.claims.take('churn-model', 'jobs/retrain', 1, { by: job.op })
}

work().then(
  (told) => say({ told, steps }),
  (error: unknown) => say({ error: String(error), steps }),
)
