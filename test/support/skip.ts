/** Skipping a test with its reason, so that the summary of a run can list it. */

/** Skips the running test or suite. `reason` says what is missing on this machine: `tmux is not installed`. */
export function skipBecause(context: Mocha.Context, reason: string): never {
  const test = context.test ?? context.currentTest
  if (test !== undefined) (test as { skipReason?: string }).skipReason = reason
  // mocha's skip() throws; the next line is for the type checker.
  context.skip()
  throw new Error('unreachable')
}
