/**
 * The errors a user can meet, and the exit code of each (`mlops help exit-codes`).
 *
 * Everything the program refuses or fails to do is thrown as one `MlopsError`; the command line catches it in one
 * place and renders it for a person or as the `--json` envelope. Anything else that reaches that place is a bug of
 * ours and is reported as such. No other module may invent an exit code.
 */

/** Exit codes of every command, by name. `mlops help exit-codes` prints this table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  no: 3,
  notFound: 4,
  conflict: 5,
  inconclusive: 6,
  interrupted: 130,
} as const

export type ExitName = keyof typeof EXIT

export interface ErrorDetail {
  /** Stable, upper-case, for scripts: `MODEL_NOT_FOUND`. Never renamed once released. */
  readonly code: string
  /** What happened and why, one or more sentences, no trailing newline. */
  readonly message: string
  /** The next thing to type or to change. */
  readonly hint?: string
  /** Plain data for `--json`: what was required, what was found. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class MlopsError extends Error {
  readonly exit: ExitName
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(exit: ExitName, detail: ErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'MlopsError'
    this.exit = exit
    this.code = detail.code
    this.hint = detail.hint
    this.details = detail.details
  }

  get exitCode(): number {
    return EXIT[this.exit]
  }
}

/** The operation failed: a file could not be read, a disk was full, a child could not start. Exit 1. */
export const failed = (detail: ErrorDetail): MlopsError => new MlopsError('failed', detail)
/** Wrong flags, wrong configuration, a name that is not allowed. Exit 2. */
export const usage = (detail: ErrorDetail): MlopsError => new MlopsError('usage', detail)
/** The answer is no: a gate refused, approval is missing. Exit 3. */
export const refused = (detail: ErrorDetail): MlopsError => new MlopsError('no', detail)
/** No such model, version, run, stage or file. Exit 4. */
export const notFound = (detail: ErrorDetail): MlopsError => new MlopsError('notFound', detail)
/** Someone else moved it first, or an idempotency key was used for another request. Exit 5. */
export const conflict = (detail: ErrorDetail): MlopsError => new MlopsError('conflict', detail)
/** Too little data to say. Exit 6. */
export const inconclusive = (detail: ErrorDetail): MlopsError => new MlopsError('inconclusive', detail)
/** Ctrl-C or a declined prompt. Exit 130. */
export const interrupted = (detail: ErrorDetail): MlopsError => new MlopsError('interrupted', detail)

/** By name as well: under a test runner one module may be loaded twice, as two classes. */
export const isMlopsError = (error: unknown): error is MlopsError =>
  error instanceof MlopsError || (error instanceof Error && error.name === 'MlopsError')

/** The `code` of a Node system error (`ENOSPC`), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
