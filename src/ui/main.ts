/**
 * From the words of a command line to one command: the only entry, used by bin/run.js (built) and bin/dev.js (source).
 *
 * oclif's own dispatch loads its configuration, plugins and help for every command, which costs more than most of our
 * commands do. Here a table of command ids (oclif's manifest) finds the module, and oclif's `Command` does the parsing;
 * `--help` goes the full way through oclif (`help.ts`). Knows nothing of single commands.
 */
import type { Config } from '@oclif/core/config'
import { EXIT, type MlopsError, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { cleanOutput } from './clean.ts'
import type { MlopsCommand } from './command.ts'
import { commandElsewhere } from './elsewhere.ts'
import { type Envelope, type HelpResult, SCHEMA_VERSION, toJson, type VersionResult } from './envelope.ts'
import { explain, type Failure, isClosedPipe, renderFailure, unknownFlags } from './errors.ts'
import { firstPage } from './first-page.ts'
import { type Ended, type Output, unprinted, watchOutput } from './output.ts'
import { BASE_FLAGS, peekBaseFlags } from './peek-flags.ts'
import { createStyle, wantsColor, wantsUnicode } from './style.ts'
import { columnsOf } from './wrap.ts'

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
  /** The help of a command or a topic. */
  readonly helpText: (words: readonly string[]) => Promise<string>
}

/** Options may stand before the command, as in `mlops --json status`: those whose value is the next word. */
const FLAGS_WITH_VALUE = new Set([
  '--idempotency-key',
  ...Object.keys(BASE_FLAGS).filter((flag) => BASE_FLAGS[flag]?.hasValue === true),
])
const HELP_FLAGS = ['--help', '-h']

export async function main(program: Program, argv: readonly string[]): Promise<void> {
  const output = watchOutput(process.stdout, process.stderr)
  let ended: Ended | undefined
  try {
    ended = await dispatch(program, argv, output)
  } catch (error) {
    if (!isClosedPipe(error)) report(error, argv)
  }
  const problem = await output.settle()
  if (problem !== undefined) reportUnprinted(problem, ended, argv)
  await output.settle()
  // A timer or a socket that some library left open must not keep a finished command alive.
  process.exit()
}

async function dispatch(program: Program, argv: readonly string[], output: Output): Promise<Ended | undefined> {
  const { leading, rest } = splitLeadingFlags(argv)
  if (leading.includes('--version')) return version(program, argv)
  const found = findCommand(program.commands, rest)
  if (found === undefined && rest[0] === 'help')
    return dispatch(program, [...leading, ...rest.slice(1), '--help'], output)
  if (wantsHelp(argv) || rest.length === 0) {
    return help(program, argv, found === undefined ? topicWords(program, rest) : found.id.split(':'))
  }
  if (found === undefined) {
    const words = wordsOf(rest)
    if (words.length === 1 && isTopic(program, words)) return help(program, argv, words)
    throw unknownCommand(program, rest)
  }
  const module = (await found.entry.load()) as { default: new (argv: string[], config: Config) => MlopsCommand }
  output.takeOver()
  module.default.prototype.constructor.id = found.id
  return new module.default([...leading, ...found.rest], lightConfig(program)).run()
}

/**
 * Prints the help of a command, a topic or the first page (no words); under --json in the envelope. Help of a command is
 * given whatever else was typed, but flags that go with no command at all must be ones that every command has.
 */
async function help(program: Program, argv: readonly string[], words: readonly string[]): Promise<undefined> {
  const isCommand = Object.hasOwn(program.commands, words.join(':'))
  if (!isCommand) refuseUnknownFlags(argv)
  const { env } = process
  const { json, 'no-color': noColor } = peekBaseFlags(argv, env)
  const color = !json && wantsColor(process.stdout.isTTY === true, env, noColor)
  const text = words.length === 0 ? firstPageText(program, color) : await oclifHelp(program, words, color)
  if (!json) {
    process.stdout.write(text)
    return
  }
  const prefix = words.join(':')
  const commands = visibleCommands(program).filter(
    ({ id }) => prefix === '' || id === prefix || (!isCommand && id.startsWith(`${prefix}:`)),
  )
  const data: HelpResult = {
    topic: words.join(' '),
    text,
    commands: commands.map(({ id, summary }) => ({ command: id.replaceAll(':', ' '), summary })),
  }
  writeEnvelope({ schemaVersion: SCHEMA_VERSION, command: 'help', status: 'ok', data, warnings: [] })
}

const visibleCommands = (program: Program): { readonly id: string; readonly summary: string }[] =>
  Object.entries(program.commands).flatMap(([id, { hidden, summary }]) => (hidden ? [] : [{ id, summary }]))

function firstPageText(program: Program, color: boolean): string {
  const style = createStyle({ color, unicode: wantsUnicode(process.env, process.platform) })
  return `${firstPage(program.about, visibleCommands(program), style, columnsOf(process.stdout))}\n`
}

/** oclif decides about colour by itself, from the environment, when it is loaded: it is told our decision there. */
function oclifHelp(program: Program, words: readonly string[], color: boolean): Promise<string> {
  const { env } = process
  if (!color) {
    delete env.FORCE_COLOR
    env.NO_COLOR = '1'
  }
  return program.helpText(words)
}

/** `mlops --version` alone is answered by bin/run.js already. */
async function version(program: Program, argv: readonly string[]): Promise<undefined> {
  refuseUnknownFlags(argv)
  const data: VersionResult = { version: program.version }
  if (peekBaseFlags(argv, process.env).json) {
    writeEnvelope({ schemaVersion: SCHEMA_VERSION, command: 'version', status: 'ok', data, warnings: [] })
  } else process.stdout.write(`mlops ${program.version}\n`)
}

/** Where no command is there to parse them. */
function refuseUnknownFlags(argv: readonly string[]): void {
  const known = [...Object.keys(BASE_FLAGS), ...HELP_FLAGS, '--version']
  const flags = ownWords(argv)
    .filter((word) => word.startsWith('-'))
    .map((word) => word.replace(/=.*/s, ''))
  const unknown = flags.filter((flag) => !known.includes(flag))
  if (unknown.length > 0)
    throw unknownFlags(unknown, { command: '', flags: known.map((flag) => flag.replace(/^-+/, '')) })
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

/** What stands before the first `--`. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end < 0 ? argv : argv.slice(0, end)
}

function wantsHelp(argv: readonly string[]): boolean {
  return ownWords(argv).some((word) => HELP_FLAGS.includes(word))
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
  const elsewhere = commandElsewhere(words, known)
  const close = nearest(words.join(' '), known) ?? nearest(words[0] ?? '', [...topics])
  return usage({
    code: 'UNKNOWN_COMMAND',
    message: `There is no command ${JSON.stringify(typed === '' ? (rest[0] ?? '') : typed)}.`,
    hint: elsewhere ?? (close === undefined ? 'See mlops --help' : `Did you mean mlops ${close}?`),
    details: { command: typed, ...(close === undefined || elsewhere !== undefined ? {} : { suggestion: close }) },
  })
}

/** Errors before a command was found. */
function report(error: unknown, argv: readonly string[]): void {
  const flags = peekBaseFlags(argv, process.env)
  const failure = explain(error, { command: '', flags: [] })
  process.exitCode = failure.exitCode || EXIT.failed
  if (flags.json) {
    writeEnvelope({ schemaVersion: SCHEMA_VERSION, command: '', status: 'error', error: failure.error, warnings: [] })
  } else tell(failure, argv)
}

/** stdout cannot be written, so everything is said on stderr, also under --json. */
function reportUnprinted(problem: Error, ended: Ended | undefined, argv: readonly string[]): void {
  tell(explain(unprinted(problem, ended), { command: '', flags: [] }), argv)
  if (ended?.failure !== undefined) tell(ended.failure, argv)
  else process.exitCode = ended?.exitCode ?? EXIT.failed
}

function tell(failure: Failure, argv: readonly string[]): void {
  const flags = peekBaseFlags(argv, process.env)
  const color = wantsColor(process.stderr.isTTY === true, process.env, flags['no-color'])
  const style = createStyle({ color, unicode: wantsUnicode(process.env, process.platform) })
  const text = renderFailure(failure, style, flags.debug, columnsOf(process.stderr))
  process.stderr.write(`${cleanOutput(text, color)}\n`)
}

const writeEnvelope = (envelope: Envelope): void => {
  process.stdout.write(`${toJson(envelope, process.stdout.isTTY === true)}\n`)
}
