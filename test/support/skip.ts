/** Skipping a test with its reason, so that the summary of a run can list it. */

/**
 * Skips the running test or, from a hook, all tests of its suite. The reason becomes part of the titles: nothing else of
 * a test reaches the reporter from a process that runs beside others.
 * @param reason what is missing on this machine: `tmux is not installed`
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  const runnable = context.test ?? context.currentTest
  const isHook = (runnable as { type?: string } | undefined)?.type === 'hook'
  if (isHook && runnable?.parent !== undefined) runnable.parent.eachTest((test) => mark(test, reason))
  else if (runnable !== undefined) mark(runnable, reason)
  // mocha's skip() throws; the next line is for the type checker.
  context.skip()
  throw new Error('unreachable')
}

function mark(runnable: Mocha.Runnable, reason: string): void {
  runnable.title += ` [skipped: ${reason}]`
}
