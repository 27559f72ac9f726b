/**
 * The flags that every command has, and the one of commands that change something.
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
}

/** Of the commands that keep the key with what they change; any other refuses it (docs/decisions/0007). */
export const changeFlags = {
  'idempotency-key': Flags.string({
    summary: 'Repeating a change with the same key returns the first result.',
    helpValue: 'KEY',
  }),
}
