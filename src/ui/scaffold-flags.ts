/** The flags that every `mlops scaffold KIND` has. What they mean together is decided in `src/scaffold/scaffold.ts`. */
import { Flags } from './command.ts'

export const scaffoldFlags = {
  dir: Flags.string({
    summary: 'The folder to write into (default: where it was put before).',
    helpValue: 'DIR',
  }),
  'dry-run': Flags.boolean({ summary: 'Say what would be written, and write nothing.', exclusive: ['check'] }),
  diff: Flags.boolean({ summary: 'As --dry-run, with every change as a diff.', exclusive: ['conflicts'] }),
  check: Flags.boolean({ summary: 'Write nothing; exit 3 when something is out of date.' }),
  conflicts: Flags.boolean({
    summary: 'Where you and the template changed the same lines, write both with conflict markers; exit 5.',
    exclusive: ['dry-run', 'check'],
  }),
}

export interface ScaffoldFlagValues {
  readonly dir?: string | undefined
  readonly 'dry-run': boolean
  readonly diff: boolean
  readonly check: boolean
  readonly conflicts: boolean
}

/** Of these flags, the members of a request that all kinds share. */
export function scaffoldWishes(flags: ScaffoldFlagValues) {
  const mode: 'apply' | 'dry-run' | 'check' = flags.check
    ? 'check'
    : flags['dry-run'] || flags.diff
      ? 'dry-run'
      : 'apply'
  return {
    ...(flags.dir === undefined ? {} : { dir: flags.dir }),
    mode,
    diff: flags.diff,
    conflicts: flags.conflicts,
  }
}

/** Flags that were given, as options of a generator. */
export function givenOptions<T extends string | number | boolean | readonly string[]>(
  flags: Readonly<Record<string, T | undefined>>,
): Record<string, T> {
  const given: Record<string, T> = {}
  for (const [name, value] of Object.entries(flags)) if (value !== undefined && value !== false) given[name] = value
  return given
}
