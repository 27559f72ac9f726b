/**
 * From the words of a command line to one command: the only entry, used by bin/run.js (built) and bin/dev.js (source).
 *
 * oclif's own dispatch loads its configuration, plugins and help for every command, which costs more than most of our
 * commands do. Here a table of command ids (oclif's manifest) finds the module, and oclif's `Command` does the parsing;
 * `--help` goes the full way through oclif (`help.ts`). Knows nothing of single commands.
 */
import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { EXIT, type MlopsError, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { cleanOutput } from './clean.ts'
import { SCHEMA_VERSION, toJson } from './envelope.ts'
import { explain, isClosedPipe, renderFailure } from './errors.ts'
import { firstPage } from './first-page.ts'
import { peekBaseFlags } from './peek-flags.ts'
import { createStyle, wantsColor, wantsUnicode } from './style.ts'

/** What dispatch needs to know of a command. */
export interface CommandEntry {
  readonly hidden: boolean
  readonly summary: string
  readonly load: () => Promise<unknown>
}

export interface Program {
  /** Absolute: the folder of package.json. */
  readonly root: string
  readonly version: string
  /** By id, parts joined with ":" (`model:list`). */
  readonly commands: Readonly<Record<string, CommandEntry>>
  /** What it is, one sentence. */
  readonly about: string
  /** Prints the help of a command or a topic. */
  readonly showHelp: (words: readonly string[]) => Promise<void>
}

/** Words that dispatch sees: options of ours may stand before the command, as in `mlops --json status`. */
const FLAGS_WITH_VALUE = new Set(['--store', '--idempotency-key'])

export async function main(program: Program, argv: readonly string[]): Promise<void> {
  ignoreClosedPipes()
  try {
    await dispatch(program, argv)
  } catch (error) {
    if (!isClosedPipe(error)) report(error, argv)
  }
  // A timer or a socket that some library left open must not keep a finished command alive.
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
  process.exit()
}

async function dispatch(program: Program, argv: readonly string[]): Promise<void> {
  const { leading, rest } = splitLeadingFlags(argv)
  const found = findCommand(program.commands, rest)
  if (found === undefined && rest[0] === 'help') return dispatch(program, [...leading, ...rest.slice(1), '--help'])
  if (wantsHelp(argv) || rest.length === 0) {
    return help(program, argv, found === undefined ? topicWords(program, rest) : found.id.split(':'))
  }
  if (found === undefined) {
    const words = wordsOf(rest)
    if (words.length === 1 && isTopic(program, words)) return help(program, argv, words)
    throw unknownCommand(program, rest)
  }
  const module = (await found.entry.load()) as { default: new (argv: string[], config: Config) => Command }
  module.default.prototype.constructor.id = found.id
  await new module.default([...leading, ...found.rest], lightConfig(program)).run()
}

/** oclif decides about colour by itself, from the environment, when it is loaded: it is told our decision there. */
async function help(program: Program, argv: readonly string[], words: readonly string[]): Promise<void> {
  const { env } = process
  const color = wantsColor(process.stdout.isTTY === true, env, peekBaseFlags(argv, env)['no-color'])
  if (words.length === 0) {
    const commands = Object.entries(program.commands).flatMap(([id, { hidden, summary }]) =>
      hidden ? [] : [{ id, summary }],
    )
    const style = createStyle({ color, unicode: wantsUnicode(env, process.platform) })
    process.stdout.write(`${firstPage(program.about, commands, style)}\n`)
    return
  }
  if (!color) {
    delete env.FORCE_COLOR
    env.NO_COLOR = '1'
  }
  await program.showHelp(words)
}

/**
 * The part of oclif's Config that a command uses while it parses and runs; the whole one takes longer to load than
 * most commands take to run.
 */
function lightConfig(program: Program): Config {
  return {
    bin: 'mlops',
    root: program.root,
    name: 'mlops',
    version: program.version,
    topicSeparator: ' ',
    runHook: async () => ({ successes: [], failures: [] }),
  } as unknown as Config
}

function splitLeadingFlags(argv: readonly string[]): { leading: string[]; rest: string[] } {
  let at = 0
  while (at < argv.length && argv[at]?.startsWith('-') && argv[at] !== '--') {
    at += FLAGS_WITH_VALUE.has(argv[at] ?? '') ? 2 : 1
  }
  return { leading: argv.slice(0, at), rest: argv.slice(at) }
}

const wordsOf = (argv: readonly string[]): string[] => {
  const end = argv.findIndex((word) => word.startsWith('-'))
  return end < 0 ? [...argv] : argv.slice(0, end)
}

/** The longest run of leading words that is a command's id; what follows are its arguments. */
function findCommand(commands: Program['commands'], argv: readonly string[]) {
  const words = wordsOf(argv)
  for (let count = Math.min(3, words.length); count > 0; count--) {
    const id = words.slice(0, count).join(':')
    const entry = Object.hasOwn(commands, id) ? commands[id] : undefined
    if (entry !== undefined) return { id, entry, rest: argv.slice(count) }
  }
  return undefined
}

function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h')
}

const isTopic = (program: Program, words: readonly string[]): boolean =>
  Object.keys(program.commands).some((id) => id.startsWith(`${words.join(':')}:`))

/** Help for words that name no command: the topic they begin, or an error. */
function topicWords(program: Program, rest: readonly string[]): string[] {
  const words = wordsOf(rest)
  if (words.length === 0) return []
  if (isTopic(program, words.slice(0, 1)) && words.length === 1) return words
  throw unknownCommand(program, rest)
}

export function unknownCommand(program: Pick<Program, 'commands'>, rest: readonly string[]): MlopsError {
  const words = wordsOf(rest).slice(0, 2)
  const known = Object.entries(program.commands)
    .filter(([, entry]) => !entry.hidden)
    .map(([id]) => id.replaceAll(':', ' '))
  const topics = new Set(known.map((id) => id.split(' ')[0] ?? ''))
  const typed = words.length > 1 && !topics.has(words[0] ?? '') ? (words[0] ?? '') : words.join(' ')
  const close = nearest(words.join(' '), known) ?? nearest(words[0] ?? '', [...topics])
  return usage({
    code: 'UNKNOWN_COMMAND',
    message: `There is no command ${JSON.stringify(typed === '' ? (rest[0] ?? '') : typed)}.`,
    hint: close === undefined ? 'See mlops --help' : `Did you mean mlops ${close}?`,
    details: { command: typed, ...(close === undefined ? {} : { suggestion: close }) },
  })
}

/** Errors before a command was found. */
function report(error: unknown, argv: readonly string[]): void {
  const flags = peekBaseFlags(argv, process.env)
  const failure = explain(error, { command: '', flags: [] })
  process.exitCode = failure.exitCode || EXIT.failed
  if (flags.json) {
    const envelope = { schemaVersion: SCHEMA_VERSION, command: '', status: 'error', error: failure.error, warnings: [] }
    process.stdout.write(`${toJson(envelope, process.stdout.isTTY === true)}\n`)
    return
  }
  const color = wantsColor(process.stderr.isTTY === true, process.env, flags['no-color'])
  const style = createStyle({ color, unicode: wantsUnicode(process.env, process.platform) })
  process.stderr.write(`${cleanOutput(renderFailure(failure, style, flags.debug), color)}\n`)
}

/** `mlops model list | head -1`: the reader may leave; a change in progress still ends as it should. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!isClosedPipe(error)) throw error
    })
  }
}
