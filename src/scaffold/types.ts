/**
 * The shapes of scaffolding. A generator says which files a kind of scaffold consists of (pure, from facts that were
 * collected before); the engine compares them with what it generated before and with what people made of it, and
 * plans; applying the plan is the only part that writes. No text of a generated file belongs here: that is in `templates/`.
 */
import type { Json } from '../core/canonical-json.ts'
import type { Digest } from '../core/digest.ts'

export const SCAFFOLD_KINDS = ['fastapi', 'docker', 'github-actions', 'cron', 'airflow', 'prefect'] as const
export type ScaffoldKind = (typeof SCAFFOLD_KINDS)[number]

/** One file as the templates and the model give it now. */
export interface GeneratedFile {
  /** Relative to the scaffold's folder, `/`-separated, never `..`. */
  readonly path: string
  /** Lines end with `\n`. */
  readonly content: string
  readonly executable?: boolean
  /**
   * `kept in step`: replaced while nobody edited it, merged when somebody did. `yours`: written once as a beginning, and
   * never looked at again: hooks, authentication.
   */
  readonly care: 'kept in step' | 'yours'
}

/** What a generator gives. */
export interface Scaffold {
  readonly kind: ScaffoldKind
  /** What it was made from, kept beside the base contents, so that an update needs no flags: model, options, digests. */
  readonly answers: Answers
  /** Sorted by path; no path twice. */
  readonly files: readonly GeneratedFile[]
  /** What to do with it, as commands a person can type, the first first. */
  readonly next: readonly string[]
  readonly warnings: readonly string[]
  /** What must be done before it works at all: clauses for the headline, each with a warning that says how. */
  readonly unready?: readonly string[]
}

export type Answers = Readonly<Record<string, Json>>

/** `.mlops-scaffold/<kind>/answers.json`: what a scaffold was made from, and the base of every file. */
export interface AnswersFile {
  readonly format: 1
  readonly kind: ScaffoldKind
  /** Which program wrote it: `mlops 0.1.0`. */
  readonly tool: string
  readonly answers: Answers
  /** By path: digest of the base content (of a person's own file: of what it began as). */
  readonly files: Readonly<Record<string, { readonly sha256: Digest; readonly care: GeneratedFile['care'] }>>
}

/** What was generated before: the answers, and the base contents whose digests are right. */
export interface Remembered {
  readonly answers: AnswersFile | undefined
  readonly base: ReadonlyMap<string, string>
  /** An update was interrupted: it is finished first. */
  readonly pending: boolean
}

/** What stands in the folder at a path of the scaffold; not in the map: nothing does. */
export type DiskFile =
  | {
      readonly kind: 'file'
      readonly text: string
      readonly crlf: boolean
      readonly mode: number
      readonly digest: Digest
    }
  /** A link, a folder, a device, no text: nothing that is ever written over. `why` continues "it is". */
  | { readonly kind: 'other'; readonly why: string }

/** What becomes of one file. */
export type FileChange =
  /** New, or replaced because nobody had edited it, or both edits together. */
  | {
      readonly path: string
      readonly action: 'create' | 'replace' | 'merge'
      /** As it will stand there, line ends included. */
      readonly content: string
      readonly mode: number
      /** Of the bytes it was decided by; null: nothing stood there. What stands there then is written over, else nothing. */
      readonly before: Digest | null
    }
  /** Nothing to do: it is what it should be, it is a person's own, or a person deleted it. */
  | { readonly path: string; readonly action: 'unchanged' | 'yours' | 'deleted' }
  /** Its template is gone; removed where nobody had edited it, else left and said. */
  | { readonly path: string; readonly action: 'remove'; readonly before: Digest | null }
  | { readonly path: string; readonly action: 'left' }
  /** Both sides changed the same lines, or a file nobody generated stands in its place. */
  | {
      readonly path: string
      readonly action: 'conflict'
      /** One clause, why it cannot be decided here. */
      readonly why: string
      /** With conflict markers; null where nothing can be written (a link stands there). */
      readonly content: string | null
      readonly mode: number
      readonly before: Digest | null
      /** Lines of the file as it stands, from 1, at which both sides meet. */
      readonly lines: readonly number[]
    }

export interface ScaffoldPlan {
  readonly kind: ScaffoldKind
  /** Absolute path of the folder. */
  readonly folder: string
  readonly changes: readonly FileChange[]
  readonly scaffold: Scaffold
  /** Nothing would be written but `answers.json`. */
  readonly upToDate: boolean
  /** An earlier update was interrupted; applying finishes it first. */
  readonly interrupted: boolean
}
