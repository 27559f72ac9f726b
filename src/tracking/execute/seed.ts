/** The seed of a run, the environment its command gets, the model that it inherits, and the seeds that its parameters name. */
import { randomInt } from 'node:crypto'
import { delimiter } from 'node:path'
import { usage } from '../../core/errors.ts'
import type { ParamValue, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'

type Env = Readonly<Record<string, string | undefined>>

const MAX_SEED = 4_294_967_295

/**
 * Every run has a recorded seed, so that it can be repeated with the same one: the flag's, else MLOPS_SEED, else a
 * random one. A script uses it by reading MLOPS_SEED; Python's hash order follows it by itself.
 * @throws usage `SEED_INVALID`
 */
export function chooseSeed(flag: number | undefined, env: Env): ChosenSeed {
  const inherited = env.MLOPS_SEED
  if (flag !== undefined) return { seed: checked(flag, flag), from: 'flag' }
  if (inherited === undefined || inherited === '') return { seed: randomInt(MAX_SEED), from: 'random' }
  return {
    seed: checked(/^[0-9]{1,10}$/.test(inherited) ? Number(inherited) : Number.NaN, inherited),
    from: 'environment',
  }
}

export interface ChosenSeed {
  readonly seed: number
  readonly from: NonNullable<RunStart['seedFrom']>
}

function checked(seed: number, given: number | string): number {
  if (Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED) return seed
  throw usage({
    code: 'SEED_INVALID',
    message: `${JSON.stringify(given)} is no seed: it must be a whole number from 0 to ${MAX_SEED}.`,
    hint: typeof given === 'string' ? 'Correct MLOPS_SEED, or unset it' : 'Write for example --seed 42',
  })
}

export interface RunVariables {
  readonly store: Pick<Store, 'root'>
  readonly id: string
  readonly model?: string | undefined
  readonly seed: number
  readonly seedFrom: ChosenSeed['from']
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
    MLOPS_RUN_MODEL: run.model,
    MLOPS_SEED: String(run.seed),
    PYTHONHASHSEED: hashSeed(env, run),
    // On a pipe Python would keep its output back for minutes, and lose it when it is killed.
    PYTHONUNBUFFERED: env.PYTHONUNBUFFERED ?? '1',
    ...(pythonPath === '' ? {} : { PYTHONPATH: pythonPath }),
  }
}

/** What a run starts trains the model that it trains, unless it names another. */
export const modelOfParent = (env: Env): string | undefined => (env.MLOPS_RUN_ID && env.MLOPS_RUN_MODEL) || undefined

/**
 * One that somebody set stays, `random` and 0 too: it says how this Python hashes, and is recorded as it is. One that an
 * outer run made of its own seed gives way to the flag of an inner run.
 */
function hashSeed(env: Env, { seed, seedFrom }: RunVariables): string {
  const isOfOuterRun = Boolean(env.MLOPS_RUN_ID) && env.PYTHONHASHSEED === env.MLOPS_SEED && seedFrom === 'flag'
  return env.PYTHONHASHSEED === undefined || env.PYTHONHASHSEED === '' || isOfOuterRun
    ? String(seed)
    : env.PYTHONHASHSEED
}

/** Of a seed that a library is told to choose at random by itself. */
const UNSEEDED = new Set(['', 'none', 'null', 'random'])
/** `n_seeds`, `seed_count`: how many, not which. */
const COUNTS = new Set(['n', 'num', 'number', 'count', 'max', 'min'])

export interface ParamSeed {
  readonly name: string
  readonly value: ParamValue
  /** The parameter is there and says that there is no seed: `random_state: null`. */
  readonly unseeded: boolean
}

/**
 * Parameters that are seeds, by their names as libraries and people write them: `seed`, `random_state`, `randomState`,
 * `model.random_seed`, `data/split_seed`, `seed_everything`, `--seed`. Sorted by name. Pure.
 */
export function seedsInParams(params: Readonly<Record<string, ParamValue>>): ParamSeed[] {
  return Object.entries(params)
    .filter(([name, value]) => isSeedName(name) && !(typeof value === 'number' && !Number.isInteger(value)))
    .map(([name, value]) => ({ name, value, unseeded: isUnseeded(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const isUnseeded = (value: ParamValue): boolean =>
  value === null || value === false || (typeof value === 'string' && UNSEEDED.has(value.toLowerCase()))

function isSeedName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  if (words.some((word) => COUNTS.has(word))) return false
  const [before, last] = [words.at(-2), words.at(-1)]
  if (last === 'state') return before === 'random' || before === 'rng'
  if (last === 'everything' || last === 'value') return before === 'seed'
  return last === 'seed' || last === 'seeds' || last === 'randomstate' || last === 'randomseed' || last === 'rngseed'
}
