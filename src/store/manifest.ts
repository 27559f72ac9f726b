/**
 * The manifest of a version: an immutable object that names every byte the version consists of.
 *
 * It holds neither version number nor time nor run, so that the same files with the same metrics, parameters and
 * baseline have the same digest wherever and whenever they are registered. Those three stand in the register event.
 */
import type { Digest } from '../core/digest.ts'

/** What a static look at a model file found. The file is never loaded: loading a pickle runs what is in it. */
export interface ScanResult {
  readonly verdict: 'inert' | 'known globals only' | 'can execute code' | 'not determined'
  /** The globals that made it so, at most 20, e.g. `posix.system`. */
  readonly findings: readonly string[]
}

export interface ManifestFile {
  /** Relative, `/`-separated, never `..`. */
  readonly path: string
  readonly sha256: Digest
  readonly size: number
  readonly scan: ScanResult
}

export interface DataFact {
  /** The name it was declared under (`train`, `test`), or `baseline`. */
  readonly name: string
  readonly sha256: Digest
  readonly rows?: number
  readonly columns?: number
  /**
   * `rows`: no file was declared, and `sha256` is the digest of the rows that the script handed to `log_test`
   * (docs/store-format.md, section 6). It says nothing about the digest of a file that holds the same rows.
   */
  readonly of?: 'rows'
}

/** How the bytes of an object are to be read, whose name says nothing. Compression is told by the bytes. */
export type TableFormat = 'csv' | 'jsonl' | 'parquet'

export interface Manifest {
  readonly format: 1
  readonly model: string
  readonly files: readonly ManifestFile[]
  /** Non-finite values are kept, written as strings by the canonical form; read them with `readNumber`. */
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, string | number | boolean | null>>
  /** The profile of the data it was trained on (an object), and that data's hash. */
  readonly baseline?: {
    readonly profile: Digest
    readonly data: DataFact
    /** The counts of the same rows by the values of the column `by` (an object; docs/profile-format.md, Segments). */
    readonly segments?: { readonly by: string; readonly sha256: Digest; readonly size: number }
  }
  readonly target?: string
  readonly prediction?: string
  /** Declared data of the run, and the held-out rows the metrics were measured on (`name: "test"`). */
  readonly data: readonly DataFact[]
  /** The answers of this version on its held-out rows, with the truth (docs/evaluation.md). */
  readonly testPredictions?: {
    readonly sha256: Digest
    readonly size: number
    readonly format?: TableFormat
    /** Digest of the rows that were answered, where the script logged them: equal for two versions, the same rows. */
    readonly rowsDigest?: Digest
  }
  /** How many of the held-out rows stand in the training data too, by hashes of whole rows. */
  readonly overlap?: {
    readonly rows: number
    readonly shared: number
    /** How many can be chance, because training rows repeat each other (docs/evaluation.md). */
    readonly expected?: number
  }
  /** Inputs with the outputs they must give (docs/python-client.md). */
  readonly examples?: { readonly sha256: Digest; readonly size: number; readonly format?: TableFormat }
  /** The recorded evaluation command with `{model}` and `{data}`. */
  readonly evaluate?: string
}
