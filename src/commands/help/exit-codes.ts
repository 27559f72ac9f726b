/** `mlops help exit-codes`: the table of exit codes, from the one place that defines them. */
import { EXIT, type ExitName } from '../../core/errors.ts'
import { MlopsCommand, type Outcome } from '../../ui/command.ts'
import { renderExitCodes } from '../../ui/views/exit-codes.ts'

export interface Result {
  readonly exitCodes: readonly { readonly code: number; readonly name: string; readonly meaning: string }[]
  /** Of `mlops track` alone; `n` is the number of a signal. */
  readonly track: readonly { readonly code: string; readonly meaning: string }[]
}

const MEANING: Readonly<Record<ExitName, string>> = {
  ok: 'Fine.',
  failed: 'The operation failed.',
  usage: 'Usage or configuration error: a flag, an argument, mlops.yaml.',
  no: 'The answer is no: drift found, a gate refused, approval missing.',
  notFound: 'No such model, version, run, stage or file.',
  conflict: 'Conflict: someone else moved it first.',
  inconclusive: 'Inconclusive: too little data to say.',
  interrupted: 'Interrupted.',
}

const OF_TRACK: Result['track'] = [
  { code: '0-255', meaning: 'That of the command it ran.' },
  { code: '125', meaning: 'mlops itself failed, or was used wrongly; the command may not have run.' },
  { code: '126', meaning: 'The command cannot be executed.' },
  { code: '127', meaning: 'The command was not found.' },
  { code: '128+n', meaning: 'Signal n ended the command (130 for Ctrl-C).' },
]

export default class HelpExitCodes extends MlopsCommand {
  static override summary = 'Print the exit codes that every command uses.'
  static override description =
    '`mlops track` is the exception: it returns the exit code of the command it ran, 128+n when a signal n ended it, and 125, 126 or 127 for a failure of its own, a command that cannot be executed, and one that was not found.'
  static override examples = ['<%= config.bin %> help exit-codes', '<%= config.bin %> help exit-codes --json']

  async execute(): Promise<Outcome<Result>> {
    await this.parse(HelpExitCodes)
    const exitCodes = Object.entries(EXIT).map(([name, code]) => ({ code, name, meaning: MEANING[name as ExitName] }))
    return { data: { exitCodes, track: OF_TRACK }, render: (ui) => renderExitCodes(ui, exitCodes, OF_TRACK) }
  }
}
