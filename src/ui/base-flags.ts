/**
 * The flags that every command has (DESIGN section 5, "everywhere"), and nothing else.
 *
 * `MLOPS_STORE` is not bound here: `project/load.ts` reads it itself, because an environment value and a flag are
 * resolved against different folders. `--idempotency-key` has no environment variable on purpose: children of
 * `mlops track` inherit the environment, and two commands must never share a key by accident.
 */
import * as Flags from '@oclif/core/flags'

const GROUP = 'GLOBAL'

export const baseFlags = {
  json: Flags.boolean({
    summary: 'Print the result as one JSON object.',
    env: 'MLOPS_JSON',
    helpGroup: GROUP,
  }),
  'no-input': Flags.boolean({
    summary: 'Never ask; fail and name the flag to pass instead.',
    env: 'MLOPS_NO_INPUT',
    helpGroup: GROUP,
  }),
  yes: Flags.boolean({
    char: 'y',
    summary: 'Answer yes to every question; never stands for an approval.',
    env: 'MLOPS_YES',
    helpGroup: GROUP,
  }),
  quiet: Flags.boolean({
    char: 'q',
    summary: 'No progress, no notes; only the result and errors.',
    env: 'MLOPS_QUIET',
    helpGroup: GROUP,
  }),
  debug: Flags.boolean({ summary: 'Show stack traces.', env: 'MLOPS_DEBUG', helpGroup: GROUP }),
  'no-color': Flags.boolean({ summary: 'No colour (as does NO_COLOR).', env: 'MLOPS_NO_COLOR', helpGroup: GROUP }),
  store: Flags.string({
    summary: 'Folder of the store (or MLOPS_STORE).',
    helpValue: 'PATH',
    helpGroup: GROUP,
  }),
  'idempotency-key': Flags.string({
    summary: 'Repeating a change with the same key returns the first result.',
    helpValue: 'KEY',
    helpGroup: GROUP,
  }),
}

/** The values of the base flags after parsing. */
export interface BaseFlagValues {
  readonly json: boolean
  readonly 'no-input': boolean
  readonly yes: boolean
  readonly quiet: boolean
  readonly debug: boolean
  readonly 'no-color': boolean
  readonly store?: string
  readonly 'idempotency-key'?: string
}

const TRUE = new Set(['1', 'true', 'yes', 'y'])

/**
 * The base flags as far as they can be read before parsing, so that even a parse error respects `--json`.
 * Only what stands before the first `--` counts.
 */
export function peekBaseFlags(argv: readonly string[], env: NodeJS.ProcessEnv): BaseFlagValues {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const has = (flag: string, variable: string): boolean =>
    own.includes(flag) || TRUE.has((env[variable] ?? '').toLowerCase())
  return {
    json: has('--json', 'MLOPS_JSON'),
    'no-input': has('--no-input', 'MLOPS_NO_INPUT'),
    yes: has('--yes', 'MLOPS_YES'),
    quiet: has('--quiet', 'MLOPS_QUIET') || own.includes('-q'),
    debug: has('--debug', 'MLOPS_DEBUG'),
    'no-color': has('--no-color', 'MLOPS_NO_COLOR'),
  }
}
