/**
 * The shapes of scaffolding. A generator says which files a kind of scaffold consists of (pure, from facts that were
 * collected before); the engine compares them with what it generated before and with what people made of it, and
 * plans; applying the plan is the only part that writes. No text of a generated file belongs here: that is in `templates/`.
 */
import type { Json } from '../core/canonical-json.ts'

export const SCAFFOLD_KINDS = ['fastapi', 'docker', 'github-actions', 'cron', 'airflow', 'prefect'] as const
export type ScaffoldKind = (typeof SCAFFOLD_KINDS)[number]

/** One file as the templates and the model give it now. */
export interface GeneratedFile {
  /** Relative to the scaffold's folder, `/`-separated, never `..`. */
  readonly path: string
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
  readonly answers: Readonly<Record<string, Json>>
  /** Sorted by path; no path twice. */
  readonly files: readonly GeneratedFile[]
  /** What to do with it, as commands a person can type, the first first. */
  readonly next: readonly string[]
  readonly warnings: readonly string[]
}

/** What becomes of one file. */
export type FileChange =
  /** New, or replaced because nobody had edited it. */
  | {
      readonly path: string
      readonly action: 'create' | 'replace' | 'merge'
      readonly content: string
      readonly mode: number
    }
  /** Nothing to do: it is what it should be, it is a person's own, or a person deleted it. */
  | { readonly path: string; readonly action: 'unchanged' | 'yours' | 'deleted' }
  /** Its template is gone; removed where nobody had edited it, else left and said. */
  | { readonly path: string; readonly action: 'remove' | 'left' }
  /** Both sides changed the same lines, or a file nobody generated stands in its place. `content` has conflict markers. */
  | { readonly path: string; readonly action: 'conflict'; readonly content: string; readonly why: string }

export interface ScaffoldPlan {
  readonly kind: ScaffoldKind
  /** Absolute path of the folder. */
  readonly folder: string
  readonly changes: readonly FileChange[]
  readonly scaffold: Scaffold
}
