/** The flags of `mlops run reproduce`, which are too many for its file, and what their values mean. */
import { usage } from '../core/errors.ts'
import { Flags } from './command.ts'

export const reproduceFlags = {
  'dry-run': Flags.boolean({ summary: 'Show the plan and what is missing; run nothing.' }),
  keep: Flags.boolean({ summary: 'Leave the worktree and the environment, and say where.' }),
  tolerance: Flags.string({
    summary: 'How far values may be apart, as a share of them: of all metrics (1e-6 by default), or NAME=X.',
    helpValue: 'X|NAME=X',
    multiple: true,
  }),
  ignore: Flags.string({
    summary: 'A metric or artifact that does not count.',
    helpValue: 'NAME|GLOB',
    multiple: true,
  }),
  environment: Flags.option({
    summary: 'The recorded packages in a fresh environment, or those that are installed now.',
    options: ['fresh', 'current'] as const,
    default: 'fresh' as const,
  })(),
  data: Flags.string({
    summary: 'A copy of declared data, or of a file that the run read.',
    helpValue: 'NAME=PATH',
    multiple: true,
  }),
  'allow-outside': Flags.boolean({
    summary: 'Run it although links of its code lead out of the worktree, where it may overwrite your files.',
  }),
  twice: Flags.boolean({ summary: 'Run it twice, to tell a script that is not deterministic from another cause.' }),
}

/** @throws usage `TOLERANCE_INVALID`, `DATA_INVALID` */
export const reproduceRequest = (
  reference: string,
  flags: {
    readonly keep: boolean
    readonly environment: 'fresh' | 'current'
    readonly tolerance?: readonly string[] | undefined
    readonly ignore?: readonly string[] | undefined
    readonly data?: readonly string[] | undefined
    readonly twice: boolean
    readonly 'allow-outside': boolean
  },
) => ({
  reference,
  keep: flags.keep,
  environment: flags.environment,
  tolerances: parseTolerances(flags.tolerance ?? []),
  ignore: flags.ignore ?? [],
  data: (flags.data ?? []).map(parseGivenData),
  twice: flags.twice,
  allowOutside: flags['allow-outside'],
})

const DEFAULT_TOLERANCE = 1e-6

/** `1e-6` for all, `auc=0.001` for one. @throws usage `TOLERANCE_INVALID` */
export function parseTolerances(texts: readonly string[]): { general: number; byName: Record<string, number> } {
  let general = DEFAULT_TOLERANCE
  const byName: Record<string, number> = {}
  for (const text of texts) {
    const at = text.lastIndexOf('=')
    const digits = text.slice(at + 1).trim()
    const value = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(digits) ? Number(digits) : Number.NaN
    if (!Number.isFinite(value) || at === 0) {
      throw usage({
        code: 'TOLERANCE_INVALID',
        message: `--tolerance ${JSON.stringify(text)} is neither a number from 0 up nor NAME=NUMBER.`,
        hint: 'Write for example --tolerance 1e-6 or --tolerance auc=0.001',
      })
    }
    if (at < 0) general = value
    else byName[text.slice(0, at)] = value
  }
  return { general, byName }
}

/** `train=/mnt/train.csv`, or `data/train.csv=/mnt/train.csv` for what was not declared. @throws usage `DATA_INVALID` */
export function parseGivenData(text: string): { name: string; path: string } {
  const at = text.indexOf('=')
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at), path: text.slice(at + 1) }
  throw usage({
    code: 'DATA_INVALID',
    message: `--data ${JSON.stringify(text)} is not NAME=PATH.`,
    hint: 'Write for example --data train=/mnt/copies/train.csv',
  })
}
