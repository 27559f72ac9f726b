/**
 * The one place where an error becomes text or an envelope: what happened, why, the next command to type.
 * Whatever is not an `MlopsError` and not a parse error of oclif is a bug of ours and is called one.
 */
import { EXIT, failed, interrupted, MlopsError, systemCode, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { cleanText } from './clean.ts'
import { flagElsewhere } from './elsewhere.ts'
import type { EnvelopeError } from './envelope.ts'
import type { Style } from './style.ts'
import { wrap } from './wrap.ts'

const BUG_CODE = 'BUG'

export interface Failure {
  readonly exitCode: number
  readonly error: EnvelopeError
  /** The stack, shown under `--debug` alone. */
  readonly stack: string | undefined
  readonly isBug: boolean
}

/** What a parse error needs to know to be helpful. */
export interface ParseContext {
  /** `model list`, or '' before a command was found. */
  readonly command: string
  /** Names of the flags of the command, without dashes. */
  readonly flags: readonly string[]
}

export function explain(thrown: unknown, context: ParseContext): Failure {
  const error =
    thrown instanceof MlopsError ? thrown : (parseProblem(thrown, context) ?? promptEnded(thrown) ?? lostFolder(thrown))
  const stack = thrown instanceof Error ? thrown.stack : undefined
  if (error !== undefined) {
    return {
      exitCode: error.exitCode,
      error: { code: error.code, message: error.message, hint: error.hint ?? null, details: error.details ?? null },
      stack,
      isBug: false,
    }
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  return {
    exitCode: EXIT.failed,
    error: {
      code: BUG_CODE,
      message: `This is a bug of mlops: ${message}`,
      hint: 'Run the command again with --debug and report what it prints',
      details: null,
    },
    stack,
    isBug: true,
  }
}

/**
 * For a person, on stderr. No trailing newline.
 * @param width columns of stderr: what is longer is broken between words
 */
export function renderFailure(failure: Failure, style: Style, debug: boolean, width: number): string {
  const { message, hint, details } = failure.error
  const [first = '', ...more] = message.split('\n').map(cleanText)
  const text = [style.bad(wrap(`${style.symbols.bad} ${first}`, width, 2))]
  for (const line of more) text.push(wrap(`  ${line}`, width, 2))
  for (const problem of problemsOf(details)) {
    text.push(wrap(`  ${style.symbols.bullet} ${cleanText(problem)}`, width, 4))
  }
  if (hint !== null) {
    text.push(wrap(`  ${style.symbols.arrow} ${hint.split('\n').map(cleanText).join('\n    ')}`, width, 4))
  }
  if (debug && failure.stack !== undefined) text.push(style.dim(failure.stack))
  return text.join('\n')
}

/** `details.problems` as strings: every configuration problem with its file:line, listed below the message. */
function problemsOf(details: unknown): readonly string[] {
  const problems = (details as { problems?: unknown } | null | undefined)?.problems
  if (!Array.isArray(problems)) return []
  return problems.filter((problem): problem is string => typeof problem === 'string')
}

/** `process.cwd()` in a folder that somebody deleted. */
function lostFolder(thrown: unknown): MlopsError | undefined {
  if ((thrown as NodeJS.ErrnoException | undefined)?.syscall !== 'uv_cwd') return undefined
  return failed({
    code: 'FOLDER_GONE',
    message: `The folder that this shell is in cannot be found any more (${systemCode(thrown)}): it was deleted or moved.`,
    hint: 'cd to a folder that exists; cd "$PWD" when it was made anew',
    cause: thrown,
  })
}

/** Inquirer rejects with these names on Ctrl-C and on an aborted signal. */
function promptEnded(thrown: unknown): MlopsError | undefined {
  const name = thrown instanceof Error ? thrown.name : ''
  if (!['ExitPromptError', 'AbortPromptError', 'AbortError'].includes(name)) return undefined
  return interruption()
}

export const interruption = (): MlopsError =>
  interrupted({ code: 'INTERRUPTED', message: 'Interrupted; nothing further was done.' })

/** oclif's parse errors, told apart by their shape: their classes are not exported and are renamed by bundling. */
function parseProblem(thrown: unknown, context: ParseContext): MlopsError | undefined {
  if (!(thrown instanceof Error) || !('oclif' in thrown)) return undefined
  const shape = thrown as Error & { flags?: unknown; args?: unknown }
  const help = seeHelp(context)
  if (Array.isArray(shape.flags)) return unknownFlags(shape.flags.map(String), context)
  if (Array.isArray(shape.args)) return wrongArguments(shape.args, help)
  const message = tidy(thrown.message)
  return usage({ code: 'USAGE', message: message.endsWith('.') ? message : `${message}.`, hint: help })
}

const seeHelp = ({ command }: ParseContext): string => `See mlops ${command === '' ? '' : `${command} `}--help`

/** Typed by mistake they would act: nobody is led to them by a misspelling of something else. */
const ACTING = new Set(['yes', 'force', 'delete'])

/** @param flags with their dashes */
export function unknownFlags(flags: readonly string[], context: ParseContext): MlopsError {
  const known = context.flags.filter((flag) => !ACTING.has(flag))
  const elsewhere = flags.map((flag) => flagElsewhere(flag, context.flags)).find((hint) => hint !== undefined)
  // Dashes are no letters: with them two words that share none would be near.
  const near = flags.map((flag) => nearest(flag.replace(/^-+/, ''), known)).find((flag) => flag !== undefined)
  const close = near === undefined ? undefined : `--${near}`
  const names = flags.join(', ')
  return usage({
    code: 'UNKNOWN_FLAG',
    message: `${['mlops', context.command].filter(Boolean).join(' ')} has no flag ${names}.`,
    hint: elsewhere ?? (close === undefined ? seeHelp(context) : `Did you mean ${close}?`),
    details: {
      flags: [...flags],
      ...(close === undefined || elsewhere !== undefined ? {} : { suggestion: close }),
    },
  })
}

/** Missing arguments are objects with a name, surplus ones are the words themselves. */
function wrongArguments(args: readonly unknown[], help: string): MlopsError {
  const missing = args.map((arg) =>
    typeof arg === 'object' && arg !== null ? (arg as { name?: unknown }).name : undefined,
  )
  if (missing.every((name) => typeof name === 'string')) {
    const names = missing.map((name) => String(name).toUpperCase())
    return usage({
      code: 'MISSING_ARGUMENT',
      message: `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} missing.`,
      hint: help,
      details: { missing: names },
    })
  }
  const words = args.map(String)
  return usage({
    code: 'UNEXPECTED_ARGUMENT',
    message: `${words.map((word) => JSON.stringify(word)).join(', ')} ${words.length === 1 ? 'is' : 'are'} not expected here.`,
    hint: help,
    details: { unexpected: words },
  })
}

const tidy = (message: string): string =>
  message
    .replace(/\n?See more help with --help/g, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--\S+)\s+/, '$1: ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: oclif colours parts of its messages
    .replace(/\u001b\[[\d;]*m/g, '')
    .trim()

/** A reader that went away (`mlops model list | head -1`) is not an error of ours. */
export const isClosedPipe = (error: unknown): boolean => systemCode(error) === 'EPIPE'
