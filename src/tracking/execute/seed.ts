/** The seed of a run, and the environment its command gets. */
import { randomInt } from 'node:crypto'
import { delimiter } from 'node:path'
import { usage } from '../../core/errors.ts'
import type { Store } from '../../store/store.ts'

type Env = Readonly<Record<string, string | undefined>>

const MAX_SEED = 4_294_967_295

/**
 * Every run has a recorded seed, so that it can be repeated with the same one: the flag's, else MLOPS_SEED, else a
 * random one. A script uses it by reading MLOPS_SEED; Python's hash order follows it by itself.
 * @throws usage `SEED_INVALID`
 */
export function chooseSeed(flag: number | undefined, env: Env): number {
  const inherited = env.MLOPS_SEED
  const seed = flag ?? (inherited === undefined || inherited === '' ? randomInt(MAX_SEED) : Number(inherited))
  if (Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED) return seed
  throw usage({
    code: 'SEED_INVALID',
    message: `${JSON.stringify(flag ?? inherited)} is no seed: it must be a whole number from 0 to ${MAX_SEED}.`,
    hint: flag === undefined ? 'Correct MLOPS_SEED, or unset it' : 'Write for example --seed 42',
  })
}

export interface RunVariables {
  readonly store: Pick<Store, 'root'>
  readonly id: string
  readonly seed: number
  /** Folder of the Python client, for PYTHONPATH. */
  readonly client: string | undefined
}

/** The caller's environment plus what ties the command to its run. */
export function childEnvironment(env: Env, run: RunVariables): Record<string, string | undefined> {
  const pythonPath = [run.client, env.PYTHONPATH].filter((part) => part !== undefined && part !== '').join(delimiter)
  return {
    ...env,
    MLOPS_STORE: run.store.root,
    MLOPS_RUN_ID: run.id,
    MLOPS_RUN_DIR: `${run.store.root}/runs/${run.id}`,
    MLOPS_SEED: String(run.seed),
    PYTHONHASHSEED: env.PYTHONHASHSEED || String(run.seed),
    // On a pipe Python would keep its output back for minutes, and lose it when it is killed.
    PYTHONUNBUFFERED: env.PYTHONUNBUFFERED ?? '1',
    ...(pythonPath === '' ? {} : { PYTHONPATH: pythonPath }),
  }
}
