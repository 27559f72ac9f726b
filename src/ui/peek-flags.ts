/**
 * The base flags read without a parser, for what happens before one runs or when it fails: even a parse error respects
 * `--json`. Imports nothing, because dispatch loads it before it knows the command.
 */

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

/** Every base flag as it is typed, and whether a value follows it as the next word. */
export const BASE_FLAGS: Readonly<Record<string, { readonly hasValue: boolean }>> = {
  '--json': { hasValue: false },
  '--no-input': { hasValue: false },
  '--yes': { hasValue: false },
  '-y': { hasValue: false },
  '--quiet': { hasValue: false },
  '-q': { hasValue: false },
  '--debug': { hasValue: false },
  '--no-color': { hasValue: false },
  '--store': { hasValue: true },
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
