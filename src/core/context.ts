/**
 * What a use case may know of the world around it. Domain folders never read `process` or the clock by themselves:
 * a command builds one `Context` and passes it in, so every use case runs in a test with a fixed time and folder.
 */

/** Who did it. `origin` says how far the name can be believed: typed on a command line, or supplied by a CI system. */
export interface Actor {
  /** `ada@laptop`, or the CI system's user. */
  readonly name: string
  readonly origin: 'local' | 'ci'
  /** The page of the CI run, when a CI system supplied the name. */
  readonly url?: string
}

export interface Context {
  /** Absolute path of the folder the user stands in. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly actor: Actor
  /** `mlops 0.1.0`: written into every record. */
  readonly tool: string
  readonly now: () => Date
  /** Ends long work early; a use case that sees it aborted stops at the next safe point. */
  readonly signal?: AbortSignal
  /** What `-` reads where data are named. Untouched until then; absent where there is none. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  /** Long work says how far it is. The command line draws it on a terminal and drops it elsewhere. */
  readonly progress?: (step: string, fraction?: number) => void
  /** Something the user should know though the work goes on. Printed on stderr and put into the envelope. */
  readonly warn: (message: string) => void
}
