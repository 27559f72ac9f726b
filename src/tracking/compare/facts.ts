/**
 * What is known of one run, as plain data: everything that a comparison, or the causes of a reproduction's difference,
 * can be about. Reading it from a store is `read-facts.ts`.
 */
import type { Digest } from '../../core/digest.ts'
import type {
  DeclaredData,
  EnvironmentRecord,
  HostFacts,
  ParamValue,
  PythonFacts,
  RunArtifact,
  RunEnd,
  RunStart,
} from '../../store/run-records.ts'
import type { RunStatus } from '../records/status.ts'

export interface RunFacts {
  readonly run: string
  readonly status: RunStatus
  readonly model: string | null
  readonly command: readonly string[]
  readonly cwd: string
  /** Null outside of a repository. */
  readonly git: NonNullable<RunStart['git']> | null
  readonly python: PythonFacts | null
  /** Null in records of older writers, and where the object cannot be read. */
  readonly environment: EnvironmentRecord | null
  readonly packages: PackageFacts
  readonly env: Readonly<Record<string, string>>
  readonly host: HostFacts
  readonly seed: number | null
  readonly seedFrom: NonNullable<RunStart['seedFrom']> | null
  readonly data: readonly DeclaredData[]
  readonly params: Readonly<Record<string, ParamValue>>
  /** Non-finite values as strings, as in the records. */
  readonly metrics: Readonly<Record<string, number | string>>
  /** Digest of the held-out rows with their truth, where the script logged them. */
  readonly testRows: Digest | null
  readonly tags: readonly string[]
  readonly artifacts: readonly RunArtifact[]
  readonly started: string
  /** Seconds; of a run that has not ended, up to its last sign of life. */
  readonly duration: number | null
  readonly exit: number | null
  readonly signal: string | null
  readonly resources: NonNullable<RunEnd['resources']> | null
  readonly actor: string
  readonly source: RunStart['source']
  readonly tool: string
  readonly parent: string | null
}

/** The packages of an interpreter, by name as an index compares names, or why they are not known. */
export type PackageFacts =
  | { readonly known: true; readonly packages: ReadonlyMap<string, PackageFact> }
  | { readonly known: false; readonly why: string }

export interface PackageFact {
  readonly name: string
  readonly version: string
  /** Where it came from, if not from an index by name and version. */
  readonly from?: string
  /** Digest of what is installed. */
  readonly installed?: Digest
}

/** Outputs and declared data, which records of their own know: no patch has to hold them. */
export const knownPaths = ({ artifacts, data }: Pick<RunFacts, 'artifacts' | 'data'>): string[] => [
  ...artifacts.map(({ path }) => path),
  ...data.map(({ path }) => path.replace(/^(?:\.\.?\/)+/, '')),
]

/** Variables that name the CI job or the run itself: two always differ in them, and nothing follows from it. */
export const isJobIdentity = (name: string): boolean => /^(?:CI|CI_.*|GITHUB_.*|MLOPS_.*)$/.test(name)

/**
 * Variables that a difference of results can come from. Where the packages lie is none of them, since the packages are
 * compared themselves; nor is a hash seed that only repeats the run's seed.
 */
export const telling = ({ env, seed }: Pick<RunFacts, 'env' | 'seed'>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) =>
        !isJobIdentity(name) &&
        !['VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV'].includes(name) &&
        !(name === 'PYTHONHASHSEED' && value === String(seed)),
    ),
  )
