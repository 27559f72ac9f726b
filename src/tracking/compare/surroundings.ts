/** Where several runs ran: Python, machine, seed, folder, variables; and how they went: status, time, memory. Pure. */
import { isJobIdentity, type RunFacts } from './facts.ts'
import { type ValueRow, type Values, valueRows } from './rows.ts'

export type SurroundingKind = 'python' | 'seed' | 'host' | 'folder' | 'variables' | 'job'

export interface SurroundingRow extends ValueRow {
  /** `job`: what names a CI job or the run itself, always differs, and says nothing. */
  readonly kind: SurroundingKind
}

export function surroundingRows(runs: readonly RunFacts[]): SurroundingRow[] {
  const group = (kind: SurroundingKind, values: (run: RunFacts) => Values): SurroundingRow[] => {
    const sides = runs.map(values)
    const inOrder = kind === 'variables' || kind === 'job' ? undefined : [...new Set(sides.flatMap(Object.keys))]
    return valueRows(sides, inOrder).map((row) => ({ ...row, kind }))
  }
  return [
    ...group('python', python),
    ...group('seed', ({ seed, seedFrom }) => ({ seed: seed ?? undefined, 'seed chosen by': seedFrom ?? undefined })),
    ...group('host', host),
    ...group('folder', ({ cwd }) => ({ folder: cwd })),
    ...group('variables', (run) => variables(run, false)),
    ...group('job', (run) => variables(run, true)),
  ]
}

const python = ({ python, environment }: RunFacts): Values => ({
  python: python?.version,
  implementation: environment?.python.implementation,
  'python platform': environment?.python.platform,
  'package manager': environment?.manager ?? python?.environment?.manager,
  interpreter: python?.executable,
})

const host = ({ host }: RunFacts): Values => ({
  host: host.name,
  platform: host.platform,
  kernel: host.release,
  processor: host.cpu,
  CPUs: host.cpus,
  'host memory': host.memory,
  GPUs:
    host.gpus?.map(({ name, driver }) => (driver === undefined ? name : `${name} (${driver})`)).join(', ') || undefined,
})

/** A hash seed that only repeats the run's seed is no news. */
const variables = ({ env, seed }: RunFacts, isJob: boolean): Values =>
  Object.fromEntries(
    Object.entries(env)
      .filter(
        ([name, value]) => (isJobIdentity(name) || (name === 'PYTHONHASHSEED' && value === String(seed))) === isJob,
      )
      .map(([name, value]) => [`$${name}`, value]),
  )

export interface OutcomeRow extends ValueRow {
  readonly unit: 'seconds' | 'bytes' | null
}

const UNITS: Readonly<Record<string, OutcomeRow['unit']>> = {
  duration: 'seconds',
  'CPU time': 'seconds',
  'peak memory': 'bytes',
}

export function outcomeRows(runs: readonly RunFacts[]): OutcomeRow[] {
  const sides = runs.map(
    (run): Values => ({
      status: run.status,
      'exit code': run.exit ?? undefined,
      signal: run.signal ?? undefined,
      duration: run.duration ?? undefined,
      'CPU time': run.resources?.cpuSeconds,
      'peak memory': run.resources?.maxRssBytes,
      model: run.model ?? undefined,
      by: run.actor,
      'written by': run.source === 'track' ? 'mlops track' : 'the Python client',
      tool: run.tool,
      parent: run.parent ?? undefined,
    }),
  )
  return valueRows(sides, [...new Set(sides.flatMap(Object.keys))]).map((row) => ({
    ...row,
    unit: UNITS[row.name] ?? null,
  }))
}
