/** A reproduction as plain data: what is asked for, what is known, what is planned. No work here. */
import type { Digest } from '../../core/digest.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { EnvironmentRecord, LockedPackage, PackageManager, RunStart } from '../../store/run-records.ts'
import type { RunFacts } from '../compare/facts.ts'
import type { OutsideLink } from './outside-links.ts'

export interface ReproduceRequest {
  /** `RUN`, as every command takes one, or `MODEL@V`. */
  readonly reference: string
  readonly keep: boolean
  readonly environment: 'fresh' | 'current'
  readonly tolerances: Tolerances
  /** Names or patterns of metrics and artifacts whose rows say nothing. */
  readonly ignore: readonly string[]
  /** `--data NAME=PATH`: of declared data, or of a path in the run's folder that was not declared. */
  readonly data: readonly { readonly name: string; readonly path: string }[]
  /** Run the command once more in the same place, to prove that it is not deterministic. */
  readonly twice: boolean
  /** Run it although links of the code lead out of the worktree. */
  readonly allowOutside: boolean
}

export interface Tolerances {
  /** Of every metric that is not named; see `withinTolerance`. */
  readonly general: number
  readonly byName: Readonly<Record<string, number>>
}

/** The run that is repeated, as its records say; the folder itself may be gone. */
export interface Original {
  readonly start: RunStart
  readonly facts: RunFacts
  /** The version whose run it is, where one was named. */
  readonly version: { readonly name: string; readonly manifest: Manifest } | null
  /** Its folder is in the store; otherwise its records come from the objects that a register event pins. */
  readonly inStore: boolean
  /** The file of its folder that is not what was registered, so that only the pinned records are believed; else null. */
  readonly changed: string | null
}

/** Something without which there is no reproduction. */
export interface Missing {
  readonly what: string
  /** One sentence. */
  readonly why: string
  /** The command that mends it, or what to do. */
  readonly mend: string
}

/** A file that Git LFS keeps: the commit holds only its digest. */
export interface LargeFile {
  /** Relative to the top of the repository. */
  readonly path: string
  readonly sha256: Digest
  /** Absolute path of its bytes in this clone; null: nowhere. */
  readonly source: string | null
}

export interface CodeFacts {
  /** Top folder of the repository that holds the code. */
  readonly top: string | null
  /** Why there is none. */
  readonly reason: string | null
  readonly hasCommit: boolean
  readonly shallow: boolean
  readonly remote: boolean
  /** Is the object of the patch in the store? True where there is none to be. */
  readonly hasPatch: boolean
  readonly patchBytes: Buffer | null
  readonly largeFiles: readonly LargeFile[]
  /** Links of the commit and its changes that lead out of the worktree, as far as their words say. */
  readonly outside: readonly OutsideLink[]
  readonly submodules: readonly {
    readonly path: string
    readonly commit: string
    /** There is a repository in its folder. */
    readonly isCheckedOut: boolean
    readonly hasCommit: boolean
    readonly hasPatch: boolean
  }[]
}

/** Where the bytes of declared data come from; `snapshot`: out of the store, `mixed`: in parts. */
export type DataOrigin = 'git' | 'present' | 'snapshot' | 'mixed' | 'dvc' | 'given' | 'in place'

export interface PlannedData {
  readonly name: string
  /** As recorded. */
  readonly path: string
  readonly kind: 'file' | 'directory'
  /** Null for what the run did not declare: nobody can say whether it is the same. */
  readonly sha256: Digest | null
  readonly size: number | null
  /** Null: nowhere. */
  readonly from: DataOrigin | null
  /** Absolute path of the bytes, where they come from a file or folder. */
  readonly source: string | null
  /** Why the first places do not do, in words. */
  readonly notes: readonly string[]
  readonly mend: string | null
}

export interface PlannedEnvironment {
  /** `none`: the run used no Python. */
  readonly kind: 'fresh' | 'current' | 'none'
  readonly manager: PackageManager | null
  readonly python: {
    readonly recorded: string
    readonly found: string | null
    readonly executable: string | null
  } | null
  readonly packages: number
  /** Packages that are installed only if their archive has a recorded hash. */
  readonly hashed: number
  /** Where else than from an index packages are taken from, one phrase each. */
  readonly sources: readonly string[]
  readonly installer: 'pip' | 'uv' | 'conda' | 'mamba' | 'micromamba' | null
}

/** Printable: what `--dry-run` shows. */
export interface ReproducePlan {
  readonly run: string
  readonly version: string | null
  /** How the original ended. */
  readonly status: string
  readonly command: readonly string[]
  /** Relative to the project. */
  readonly cwd: string
  /** Who ran it, and where. */
  readonly origin: {
    readonly actor: string
    readonly host: string
    /** Why somebody should look before it runs here; empty for a run of one's own. One phrase each. */
    readonly foreign: readonly string[]
  }
  readonly code: {
    readonly commit: string | null
    readonly patch: { readonly files: readonly string[]; readonly size: number } | null
    readonly submodules: readonly { readonly path: string; readonly commit: string | null }[]
  }
  readonly data: readonly PlannedData[]
  readonly environment: PlannedEnvironment
  readonly seed: number | null
  /** All of it; with any, nothing is run. */
  readonly missing: readonly Missing[]
  /** What may make it come out differently though nothing is missing. One sentence each. */
  readonly risks: readonly string[]
}

/** What the plan is made of. */
export interface Facts {
  readonly original: Original
  readonly code: CodeFacts
  readonly data: readonly PlannedData[]
  readonly environment: EnvironmentFacts
  readonly allowOutside: boolean
  readonly here: { readonly actor: string; readonly host: string }
}

export interface EnvironmentFacts {
  /** Null where the run recorded none: its packages may still be known by name and version. */
  readonly record: EnvironmentRecord | null
  /** Of the record, or of the older lock; null where neither is known. */
  readonly packages: readonly LockedPackage[] | null
  readonly interpreter: FoundInterpreter | null
  readonly installer: PlannedEnvironment['installer']
  readonly wanted: 'fresh' | 'current'
}

export interface FoundInterpreter {
  readonly executable: string
  readonly version: string
  /** `sys.implementation.name` */
  readonly implementation: string
}
