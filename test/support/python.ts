/** The Python environment of the tests (`.ci/setup-python.js`): where it is, and skipping what needs it and has none. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from './skip.ts'

export const PYTHON = join(import.meta.dirname, '../../.cache/venv/bin/python')

/** Skips the running test or, from a hook, all tests of its suite, where that environment was not set up. */
export function needsPython(context: Mocha.Context): void {
  if (!existsSync(PYTHON)) skipBecause(context, 'the Python environment of the tests is not set up')
}
