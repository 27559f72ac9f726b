/** `mlops track python train.py`: a command that is to be run stands after `--`, or its flags would be taken for ours. */
import { type MlopsError, usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'

/** What is needed of oclif's definition of a flag. */
interface FlagDefinition {
  readonly type?: string
  readonly char?: string
}

/**
 * @param argv what follows the command's own name; without a `--`
 * @returns undefined where no word is there that could begin the command
 */
export function forgottenDashes(
  command: string,
  argv: readonly string[],
  flags: Readonly<Record<string, FlagDefinition>>,
): MlopsError | undefined {
  const at = firstWord(argv, flags)
  const rest = argv.slice(at)
  const [only = ''] = rest
  if (rest.length === 0) return undefined
  // One word with blanks is a whole command line in quotes.
  const run = rest.length === 1 && /\s/.test(only.trim()) ? only : rest.map(shellWord).join(' ')
  const own = argv.slice(0, at).map(shellWord)
  return usage({
    code: 'DASHES_MISSING',
    message: `The command to run stands after --, and ${JSON.stringify(only)} does not.`,
    hint: ['mlops', command, ...own, '--', run].join(' '),
    details: { command: rest },
  })
}

function firstWord(argv: readonly string[], flags: Readonly<Record<string, FlagDefinition>>): number {
  const takesValue = (word: string): boolean =>
    Object.entries(flags).some(
      ([name, { type, char }]) =>
        type === 'option' && (word === `--${name}` || (char !== undefined && word === `-${char}`)),
    )
  let at = 0
  while (at < argv.length && argv[at]?.startsWith('-')) at += takesValue(argv[at] ?? '') ? 2 : 1
  return Math.min(at, argv.length)
}
