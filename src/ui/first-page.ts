/**
 * The first page of help, `mlops --help`: every command with its summary, in the order in which people meet them.
 * Made from the command table alone, so that it shows at once.
 */
import { displayWidth } from './clean.ts'
import type { Style } from './style.ts'
import { wrap } from './wrap.ts'

export interface PageCommand {
  /** `model:list` */
  readonly id: string
  readonly summary: string
}

/** By the first word of a command; what is not named comes last. */
const GROUPS: readonly (readonly [title: string, first: readonly string[]])[] = [
  ['THE LOOP', ['init', 'track', 'register', 'approve', 'promote', 'drift', 'retrain', 'rollback', 'status']],
  ['LOOK', ['run', 'model', 'predictions', 'trace']],
  ['CARE', ['scaffold', 'notify', 'store', 'doctor', 'completion', 'help']],
]

/**
 * @param about what the program is, one sentence
 * @param columns of the terminal; Infinity breaks no line
 */
export function firstPage(
  about: string,
  commands: readonly PageCommand[],
  style: Style,
  columns = Number.POSITIVE_INFINITY,
): string {
  const known = GROUPS.flatMap(([, words]) => words)
  const rest = [...new Set(commands.map(firstWord))].filter((word) => !known.includes(word))
  const width = Math.max(...commands.map(({ id }) => displayWidth(id)))
  const row = ({ id, summary }: PageCommand): string =>
    wrap(`  ${id.replaceAll(':', ' ').padEnd(width)}  ${summary}`, columns, width + 4)
  const sections = [...GROUPS, ['MORE', rest] as const].map(([title, words]) => {
    const members = words.flatMap((word) => commands.filter((command) => firstWord(command) === word))
    return members.length === 0 ? [] : ['', style.bold(title), ...members.map(row)]
  })
  const usage = [style.bold('USAGE'), '  $ mlops COMMAND [FLAGS]']
  const more = 'mlops COMMAND --help says more. Exit codes: mlops help exit-codes.'
  return [wrap(about, columns), '', ...usage, ...sections.flat(), '', more].join('\n')
}

const firstWord = ({ id }: PageCommand): string => id.split(':')[0] ?? id
