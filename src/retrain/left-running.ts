/**
 * A training that outlived the `mlops retrain` that had started it: `kill -9` reaches one process, not its child. It is
 * known by the id of its run in its environment, so that no number of a process has to be trusted. Linux shows that, to
 * the same user; elsewhere nothing is found.
 */
import { readdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Context } from '../core/context.ts'
import { conflict } from '../core/errors.ts'
import type { Store } from '../store/store.ts'
import { runStateOf } from './facts.ts'
import type { OpenJob } from './job-records.ts'

/**
 * Nothing trains beside it.
 * @param open an attempt whose own process has gone
 * @throws conflict `TRAINING_STILL_RUNNING`
 */
export async function assertNoTrainingLeft(ctx: Context, store: Store, model: string, open: OpenJob): Promise<void> {
  const last = open.trainings.at(-1)
  if (last === undefined || (await runStateOf(store, open)) !== 'killed') return
  if (open.host !== hostname()) {
    ctx.warn(
      `The stopped attempt trained on ${open.host}: whether its training (run ${last.run}) still runs there cannot be seen from here.`,
    )
    return
  }
  const pids = (await processesOfRun(last.run)).filter((pid) => pid !== process.pid)
  if (pids.length === 0) return
  const many = pids.length === 1 ? 'pid' : 'pids'
  throw conflict({
    code: 'TRAINING_STILL_RUNNING',
    message: `The training of a stopped retraining of ${model} is still running: ${many} ${pids.join(', ')}, since ${last.time} (run ${last.run}). Nothing was trained beside it.`,
    hint: `Nobody waits for its result; stop it, then retrain again: kill ${pids.join(' ')}`,
    details: { model, attempt: open.attempt, run: last.run, since: last.time, pids },
  })
}

/** Those that were started for a run, and what they started; empty where the system does not show it. Ascending. */
export async function processesOfRun(run: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const wanted = `\0MLOPS_RUN_ID=${run}\0`
  const pids = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        // Gone meanwhile, or somebody else's.
        const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
        return `\0${environment}`.includes(wanted) ? [Number(name)] : []
      }),
  )
  return pids.flat().sort((a, b) => a - b)
}
