/**
 * The records of a run, as plain types: what `mlops track` and the Python client both write (docs/store-format.md).
 *
 *   runs/<ulid>/run.json              at the start, write-once
 *   runs/<ulid>/{params,metrics,tags,artifacts}/<writer>.jsonl   appended while it runs, one file per writing process
 *   runs/<ulid>/intents/<writer>-<n>.json   write-once wishes: register, set_baseline
 *   runs/<ulid>/evidence/<writer>-<n>.json  write-once: held-out evidence and examples that the script logged
 *   runs/<ulid>/clients/<writer>.json   write-once: a Python client that attached to the run of `mlops track`
 *   runs/<ulid>/annotations/<ulid>.json write-once, also after the end: what people and later runs say of it
 *   runs/<ulid>/output.log            the child's stdout and stderr as they came
 *   runs/<ulid>/alive                 heartbeat: its mtime
 *   runs/<ulid>/end.json              at the end, write-once: folds the streams and pins every file above by digest
 */
import type { Actor } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import type { ProcessPlace } from '../core/process-place.ts'
import type { Pin } from './events.ts'

export type ParamValue = string | number | boolean | null

export interface GitFacts {
  readonly commit: string | null
  readonly branch: string | null
  /** User-info removed. */
  readonly remote: string | null
  readonly dirty: boolean
  /** The dirty patch, untracked source files included, as an object; secrets redacted. */
  readonly patch?: { readonly sha256: Digest; readonly size: number; readonly files: readonly string[] }
  /** What the patch leaves out (data, secrets, too large), and how many values in it were redacted, in words. */
  readonly notes?: readonly string[]
  /** Absent when there are none. */
  readonly submodules?: readonly SubmoduleFacts[]
}

export interface SubmoduleFacts {
  /** Relative to the top of the repository, `/`-separated; nested ones too. */
  readonly path: string
  /** What is checked out; null when the submodule is not initialised. */
  readonly commit: string | null
  /** As .gitmodules says, user-info removed. */
  readonly url: string | null
  readonly dirty: boolean
  /** Its own dirty patch, paths relative to the submodule. */
  readonly patch?: { readonly sha256: Digest; readonly size: number; readonly files: readonly string[] }
}

export interface PythonFacts {
  /** `sys.executable` of the interpreter the command uses. */
  readonly executable: string
  readonly version: string
  /** One `name==version` per line, sorted, as an object. */
  readonly lock?: { readonly sha256: Digest; readonly packages: number }
  /** An object: canonical JSON of `EnvironmentRecord`. Absent in records of older writers. */
  readonly environment?: Pin & {
    readonly manager: PackageManager
    /** Of how many packages the bytes are known by digest. */
    readonly hashed: number
  }
}

/** Who keeps the environment: the lock file or folder beside it that says so; `pip` when nothing else does. */
export type PackageManager = 'pip' | 'uv' | 'conda' | 'poetry' | 'pixi'

/** The whole environment of an interpreter, as an object of its own: `run reproduce` makes a fresh one from it. */
export interface EnvironmentRecord {
  readonly format: 1
  readonly manager: PackageManager
  readonly python: {
    readonly version: string
    /** `cpython`, `pypy`, … (`sys.implementation.name`) */
    readonly implementation: string
    /** As wheels name it, for example `linux-x86_64` (`sysconfig.get_platform()`). */
    readonly platform: string
    /** The interpreter a virtual environment was made from, or its own path. */
    readonly base: string
  }
  /** Sorted by name. */
  readonly packages: readonly LockedPackage[]
  /**
   * Lock files that describe the environment, as they were but for secrets, by path relative to the project, absolute
   * outside of it; e.g. `uv.lock`, `poetry.lock`, `requirements.txt` with hashes.
   */
  readonly locks: readonly (Pin & { readonly path: string })[]
}

export interface LockedPackage {
  readonly name: string
  readonly version: string
  /** Where it does not come from an index by name and version. What lies inside of the project is relative to it. */
  readonly from?:
    | { readonly kind: 'path' | 'editable' | 'archive'; readonly url: string; readonly subdirectory?: string }
    | {
        readonly kind: 'vcs'
        readonly url: string
        readonly vcs: string
        readonly commit: string
        readonly subdirectory?: string
      }
    | { readonly kind: 'conda'; readonly url: string }
  /** `sha256:…` of the archives that may be installed: out of a lock file, direct_url.json or conda-meta. */
  readonly hashes?: readonly string[]
  /**
   * What is installed, whoever installed it: the digest of the sorted `path\0hash\n` lines of RECORD without what an
   * installation writes itself (RECORD, INSTALLER, REQUESTED, direct_url.json, *.pyc, scripts outside of the package).
   * Absent of editable packages, and where there is no RECORD.
   */
  readonly installed?: Digest
}

export interface DeclaredData {
  readonly name: string
  /** As the user wrote it, relative to `cwd`. */
  readonly path: string
  readonly kind: 'file' | 'directory'
  /** Of a directory: the digest of its sorted `path\0sha256\n` lines. */
  readonly sha256: Digest
  readonly size: number
  readonly rows?: number
  readonly columns?: number
  /** Of a directory: how many regular files. */
  readonly files?: number
  /** Of a directory: the lines its digest is of are kept as the object of that digest. */
  readonly manifest?: Pin
  /** The bytes are kept as objects: of a file under `sha256`, of a directory under the digests of its manifest. */
  readonly snapshot?: true
  /** What DVC says of this path. */
  readonly dvc?: DvcEntry
}

export interface DvcEntry {
  /** Relative to `cwd`: `data/train.csv.dvc`, or `dvc.lock`. */
  readonly file: string
  /** Of dvc.lock: the stage whose output or dependency it is. */
  readonly stage?: string
  /** `md5` of the entry, with `.dir` at the end for a folder. */
  readonly md5: string
  /** Whether the bytes that were read are those of the entry. */
  readonly matches: boolean
}

export interface RunStart {
  readonly format: 1
  readonly id: string
  readonly model?: string
  readonly started: string
  readonly command: readonly string[]
  /** Relative to the project, `.` for its root; absolute outside of it. */
  readonly cwd: string
  readonly git?: GitFacts
  readonly python?: PythonFacts
  readonly env: Readonly<Record<string, string>>
  readonly host: HostFacts
  readonly seed?: number
  /** Who chose `seed`; absent in records of older writers. `random`: mlops did, and the script may not read it. */
  readonly seedFrom?: 'flag' | 'environment' | 'random'
  readonly data: readonly DeclaredData[]
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
  readonly actor: Actor
  readonly tool: string
  /** Who writes: `track`, or `python` for a plain `python train.py` or a notebook. */
  readonly source: 'track' | 'python'
  /** Who writes the heartbeat, so that others on the same machine see at once that it is gone. */
  readonly process?: ProcessPlace
  /** The run that this one, or the one that started it, repeats (`mlops run reproduce`); its wishes are never granted. */
  readonly reproduces?: string
  /** The run that started this one, through the MLOPS_RUN_ID of its environment. */
  readonly parent?: string
}

export interface HostFacts {
  readonly name: string
  readonly platform: string
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  /** The processor as its maker names it. */
  readonly cpu?: string
  /** Kernel release. */
  readonly release?: string
  /** As `nvidia-smi` lists them; memory in bytes. */
  readonly gpus?: readonly { readonly name: string; readonly memory?: number; readonly driver?: string }[]
}

export interface RunArtifact {
  /** Relative to the run's cwd, `/`-separated. */
  readonly path: string
  readonly sha256: Digest
  readonly size: number
}

export interface RunEnd {
  readonly format: 1
  readonly status: 'finished' | 'failed' | 'interrupted'
  readonly exit: number | null
  readonly signal: string | null
  readonly ended: string
  /** Seconds. */
  readonly duration: number
  /** The last value of each metric; non-finite values as strings. */
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly tags: readonly string[]
  readonly artifacts: readonly RunArtifact[]
  /**
   * Facts that were still being computed when run.json was written (hashing a large data file takes seconds, and
   * neither the command nor run.json waits for it). They replace those of run.json; `Runs.read` merges them.
   */
  readonly late?: {
    readonly git?: GitFacts
    readonly python?: PythonFacts
    readonly data?: readonly DeclaredData[]
    /** With its GPUs, whose listing takes seconds on some machines. */
    readonly host?: HostFacts
  }
  /** The model that the script named through the client, when the command line named none. */
  readonly model?: string
  readonly resources?: Resources
  /** Length and digest of every other file of the run, by path relative to the run. */
  readonly files: Readonly<Record<string, { readonly sha256: Digest; readonly size: number }>>
  /** What went wrong with the recording itself though the command went on. */
  readonly warnings: readonly string[]
}

export interface Resources {
  /** The most memory that was in use at one time, in bytes; of what, says `memoryOf`. */
  readonly maxRssBytes?: number
  /**
   * `family`: of all processes of the command together, what they share counted once (sampled; the peak of any single
   * one is exact). `process`: of the process that wrote the run alone. Absent in records of older writers: a sampled
   * sum of `track`, one process of the Python client.
   */
  readonly memoryOf?: 'family' | 'process'
  /** User and system time of the command and of all that it waited for. */
  readonly cpuSeconds?: number
}

/**
 * How a value came in, when it was not logged by the client. In the end of the run a logged value outranks one from a
 * file, and that outranks a printed one, which is often rounded. `argument`: a flag of the command, what was asked for
 * and not yet what the script made of it; it ranks lowest.
 */
export type ValueOrigin = 'argument' | 'printed' | 'file'

/** Lines of the streams. `t` is RFC 3339 UTC. */
export interface MetricLine {
  readonly t: string
  readonly key: string
  readonly value: number | string
  readonly step?: number
  readonly from?: Exclude<ValueOrigin, 'argument'>
}
export interface ParamLine {
  readonly t: string
  readonly key: string
  readonly value: ParamValue
  readonly from?: ValueOrigin
}
export interface TagLine {
  readonly t: string
  readonly tag: string
}
export interface ArtifactLine extends RunArtifact {
  readonly t: string
}

/** Written once by every Python client that attaches to a run it did not create. */
export interface ClientRecord {
  readonly format: 1
  readonly writer: string
  readonly pid: number
  /** Where `pid` is counted; absent in records of older writers, and where the system does not say. */
  readonly process?: ProcessPlace
  /** As in `mlops.track("churn-model")`. */
  readonly model?: string
  readonly python: { readonly executable: string; readonly version: string }
  readonly tool: string
  readonly time: string
}

/** A wish of the training script, applied by the binary when the run has ended well (docs/store-format.md, "Runs"). */
export type Intent =
  | {
      readonly format: 1
      readonly kind: 'register'
      readonly model: string
      readonly stage?: string
      readonly tags: readonly string[]
      readonly message?: string
    }
  | {
      readonly format: 1
      readonly kind: 'baseline'
      readonly model: string
      /** The rows as an object: a CSV the client wrote. */
      readonly data: { readonly sha256: Digest; readonly size: number }
    }

/** What the script logged with `log_test` and `log_examples`: the rows lie in the objects, as JSON lines. */
export type RunEvidence =
  | {
      readonly format: 1
      readonly kind: 'test'
      readonly time: string
      /** The held-out file (docs/evaluation.md): truth, answer, score, id and the columns of slices. */
      readonly data: { readonly sha256: Digest; readonly size: number }
      readonly rows: number
      /** Of the rows that were answered; 0 when they were not handed over. */
      readonly columns: number
      /** Digest of these rows with their truth (docs/store-format.md, section 6); absent when they have none. */
      readonly rowsDigest?: Digest
    }
  | {
      readonly format: 1
      readonly kind: 'examples'
      readonly time: string
      readonly data: { readonly sha256: Digest; readonly size: number }
      readonly rows: number
    }

/** What is said of a run after it was written: in order of `id`, the last word counts. Never pinned by end.json. */
export type Annotation = {
  readonly format: 1
  /** A ULID, and the name of the file. */
  readonly id: string
  readonly run: string
  readonly actor: Actor
  readonly time: string
} & (
  | { readonly kind: 'tags'; readonly add: readonly string[]; readonly remove: readonly string[] }
  /** Free text, secrets redacted; each is kept, none replaces another. */
  | { readonly kind: 'note'; readonly text: string }
  /** `by` is the run that repeated this one. */
  | { readonly kind: 'reproduced'; readonly by: string; readonly verdict: ReproductionVerdict }
)

/** The word of the worst row of the table: `within tolerance` also covers equal predictions of a model whose bytes differ. */
export type ReproductionVerdict = 'equal' | 'within tolerance' | 'different'
