/** What the tests of src/monitor/ share: a real scipy to ask. */
import { spawnSync } from 'node:child_process'
import { needsPython, PYTHON } from '../../support/python.ts'

/** Runs a script with `input` as JSON on stdin and returns the JSON it prints; skips without the environment. */
export function askScipy(context: Mocha.Context, script: string, input: unknown): unknown {
  needsPython(context)
  const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}
