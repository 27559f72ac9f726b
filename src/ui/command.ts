/**
 * The base of every command: parses, runs `execute()`, prints its outcome or its error, sets the exit code.
 * Replaces oclif's own `--json`, `catch` and `warn`, which lose exit codes and dump internals.
 *
 * A command implements `execute()` alone; see docs/architecture.md, "Writing a command".
 */
import { constants } from 'node:os'
import * as Args from '@oclif/core/args'
import { Command } from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import type { Input, ParserOutput } from '@oclif/core/interfaces'
import { EXIT, type ExitName } from '../core/errors.ts'
import { baseFlags, changeFlags } from './base-flags.ts'
import { cleanOutput } from './clean.ts'
import { SCHEMA_VERSION, toJson } from './envelope.ts'
import { explain, type Failure, interruption, isClosedPipe, renderFailure } from './errors.ts'
import { flagProblem } from './flag-values.ts'
import type { Ended } from './output.ts'
import { type BaseFlagValues, peekBaseFlags } from './peek-flags.ts'
import { createSession, type Session } from './session.ts'
import type { Ui } from './ui.ts'

export type { Session, Ui }
export { Args, changeFlags, Flags }

export interface Outcome<T> {
  /** What `--json` prints as `data`. */
  readonly data: T
  /** What a person reads on stdout; no trailing newline; '' prints nothing. */
  readonly render: (ui: Ui) => string
  /** Default `ok`. `drift` answers `no` though the command itself went well. */
  readonly exit?: ExitName | number
}

/** A closed terminal and a cancelled CI job are heard like Ctrl-C: temporary files are removed, children ended. */
const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds that a command gets after Ctrl-C to end by itself. */
const GRACE = 1_000

export abstract class MlopsCommand extends Command {
  static override baseFlags = baseFlags
  /** True for a command that hands signals on to a child by itself: no handler is installed for it. */
  static ownSignals = false
  /** True for a command that takes another command after `--`: those words are not parsed, see `rawAfterDashes`. */
  static takesCommand = false

  protected session!: Session
  /** The arguments after the first `--`, unchanged; undefined when there was none. */
  protected rawAfterDashes: readonly string[] | undefined
  private parsedOnce: unknown
  /** Of the first signal: 128 and its number. */
  private stoppedWith: number | undefined

  /** Does the work by calling one use case; throws `MlopsError`. Never prints by itself. */
  abstract execute(): Promise<Outcome<unknown>>

  override async run(): Promise<Ended> {
    const ctor = this.ctor as typeof MlopsCommand
    const command = (this.id ?? '').replaceAll(':', ' ')
    const tool = `mlops ${this.config.version}`
    let session = createSession(peekBaseFlags(this.argv, process.env), tool, '')
    let failure: Failure | undefined
    const stopListening = ctor.ownSignals
      ? () => {}
      : this.listenForInterrupt(() => this.fail(session, command, interruption()))
    try {
      this.splitAtDashes(ctor)
      if (ctor.takesCommand && this.rawAfterDashes === undefined) await this.refuseForgottenDashes(ctor, command)
      const { flags } = await this.parse(ctor)
      const problem = flagProblem(flags, { ...ctor.baseFlags, ...ctor.flags })
      if (problem !== undefined) throw problem
      session = createSession(flags as BaseFlagValues, tool, process.cwd())
      this.session = session
      const outcome = await this.execute()
      process.exitCode = typeof outcome.exit === 'number' ? outcome.exit : EXIT[outcome.exit ?? 'ok']
      session.clearProgress()
      this.print(session, command, outcome)
    } catch (error) {
      failure = this.fail(session, command, error)
    } finally {
      stopListening()
    }
    return { command, failure, wrote: session.wrote, exitCode: this.exitCodeOf(EXIT.failed) }
  }

  /** oclif's parser, made safe: the second call (in `execute`) returns the first call's result. */
  // biome-ignore lint/suspicious/noExplicitAny: the signature of oclif
  override async parse<F extends Record<string, any>, B extends Record<string, any>, A extends Record<string, any>>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    if (this.parsedOnce === undefined) {
      const parsed = await super.parse(hardened(options ?? (this.ctor as unknown as Input<F, B, A>)), argv)
      this.parsedOnce = { ...parsed, flags: this.withFalse(parsed.flags) }
    }
    return this.parsedOnce as ParserOutput<F, B, A>
  }

  /** oclif declares a boolean flag as `boolean` and leaves it undefined when it was not given. */
  private withFalse(flags: Record<string, unknown>): Record<string, unknown> {
    const { baseFlags, flags: own } = this.ctor as typeof MlopsCommand
    const absent = Object.entries({ ...baseFlags, ...own }).flatMap(([name, { type, ...flag }]) =>
      type === 'boolean' && !('allowNo' in flag && flag.allowNo === true) ? [[name, false]] : [],
    )
    return { ...Object.fromEntries(absent), ...flags }
  }

  private splitAtDashes(ctor: typeof MlopsCommand): void {
    const at = this.argv.indexOf('--')
    if (at < 0) return
    this.rawAfterDashes = this.argv.slice(at + 1)
    if (ctor.takesCommand) this.argv = this.argv.slice(0, at)
  }

  private async refuseForgottenDashes(ctor: typeof MlopsCommand, command: string): Promise<void> {
    const { forgottenDashes } = await import('./forgotten-dashes.ts')
    const problem = forgottenDashes(command, this.argv, { ...ctor.baseFlags, ...ctor.flags })
    if (problem !== undefined) throw problem
  }

  private print(session: Session, command: string, outcome: Outcome<unknown>): void {
    if (session.json) {
      const { warnings } = session
      writeJson({ schemaVersion: SCHEMA_VERSION, command, status: 'ok', data: outcome.data ?? null, warnings })
      return
    }
    const text = outcome.render(session.ui)
    if (text !== '') process.stdout.write(`${cleanOutput(text, session.ui.style.color)}\n`)
  }

  /** For `track`, whose own failures must not look like those of the command it runs. */
  protected exitCodeOf(failure: number): number {
    return failure
  }

  private fail(session: Session, command: string, thrown: unknown): Failure | undefined {
    if (isClosedPipe(thrown)) return undefined
    const ctor = this.ctor as typeof MlopsCommand
    const flags = Object.keys({ ...ctor.baseFlags, ...ctor.flags })
    const failure = explain(thrown, { command, flags })
    process.exitCode = this.exitCodeOf(
      failure.exitCode === EXIT.interrupted ? (this.stoppedWith ?? failure.exitCode) : failure.exitCode,
    )
    session.clearProgress()
    if (session.json) {
      const { warnings } = session
      writeJson({ schemaVersion: SCHEMA_VERSION, command, status: 'error', error: failure.error, warnings })
      if (!failure.isBug || !session.debug) return failure
    }
    process.stderr.write(
      `${cleanOutput(renderFailure(failure, session.errStyle, session.debug, session.errWidth), session.errStyle.color)}\n`,
    )
    return failure
  }

  /**
   * The first Ctrl-C, SIGTERM or SIGHUP aborts `ctx.signal` and gives the command a second to stop where it likes; a
   * second one, or the end of that second, ends the process. The store is safe against being killed at any instant.
   */
  private listenForInterrupt(report: () => void): () => void {
    const end = (): void => {
      report()
      process.exit(this.stoppedWith ?? EXIT.interrupted)
    }
    let interruptions = 0
    let grace: NodeJS.Timeout | undefined
    const listener = (signal: NodeJS.Signals): void => {
      interruptions += 1
      this.stoppedWith ??= 128 + constants.signals[signal]
      if (interruptions > 1) end()
      this.session?.abort()
      grace ??= setTimeout(end, GRACE).unref()
    }
    for (const signal of STOPPING) process.on(signal, listener)
    return () => {
      for (const signal of STOPPING) process.off(signal, listener)
      clearTimeout(grace)
    }
  }
}

/** One line, indented for people: a terminal is the only reader that profits. */
function writeJson(envelope: unknown): void {
  process.stdout.write(`${toJson(envelope, process.stdout.isTTY === true)}\n`)
}

/**
 * oclif fills a missing argument from stdin, which would swallow a pipe, and lets a repeatable flag take every word
 * that follows it. Neither is wanted anywhere.
 */
// biome-ignore lint/suspicious/noExplicitAny: the signature of oclif
function hardened<F extends Record<string, any>, B extends Record<string, any>, A extends Record<string, any>>(
  options: Input<F, B, A>,
): Input<F, B, A> {
  const args = mapValues(options.args ?? {}, (arg) => ({ ...arg, ignoreStdin: true }))
  const flags = mapValues(options.flags ?? {}, (flag) =>
    flag.multiple === true ? { ...flag, multipleNonGreedy: true } : flag,
  )
  return {
    flags: flags as NonNullable<typeof options.flags>,
    args: args as NonNullable<typeof options.args>,
    ...(options.baseFlags === undefined ? {} : { baseFlags: options.baseFlags }),
    ...(options.strict === undefined ? {} : { strict: options.strict }),
    enableJsonFlag: false,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: definitions of flags and arguments, whose types oclif spreads over generics
function mapValues(record: object, change: (value: any) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
