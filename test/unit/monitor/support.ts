/** What the tests of src/monitor/ share: a real scipy to ask. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { ROOT } from '../drift/support.ts'

const PYTHON = join(ROOT, '.cache/venv/bin/python')

/** Runs a script with `input` as JSON on stdin and returns the JSON it prints; skips without the environment. */
export function askScipy(context: Mocha.Context, script: string, input: unknown): unknown {
  if (!existsSync(PYTHON)) skipBecause(context, 'the Python environment of the tests is not set up')
  const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
