// Mocha's spec reporter plus what CI needs at the end: the slowest files, each skip with its reason, and one plain line
// `N passed, N failed, N skipped` that machines read.
import { relative } from 'node:path'
import Mocha from 'mocha'

const { Spec } = Mocha.reporters
const { EVENT_RUN_END, EVENT_TEST_END, EVENT_TEST_PENDING } = Mocha.Runner.constants
const SLOWEST = 15

export default class extends Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    const spent = new Map()
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()))
    runner.on(EVENT_TEST_END, ({ file, duration }) => spent.set(file, (spent.get(file) ?? 0) + (duration ?? 0)))
    runner.once(EVENT_RUN_END, () => {
      printSlowest(spent)
      if (skipped.length > 0) {
        console.log('Skipped:')
        for (const title of skipped) console.log(`  ${reasoned(title)}`)
        console.log('')
      }
      const { passes, failures } = this.stats
      console.log(`${passes} passed, ${failures} failed, ${skipped.length} skipped`)
    })
  }
}

/** The reason is part of the title (test/support/skip.ts). */
function reasoned(title) {
  const found = / \[skipped: (.*)\]$/s.exec(title)
  return found === null ? `${title}: no reason given` : `${title.slice(0, found.index)}: ${found[1]}`
}

/** Hooks are not counted. Only where there are many files: somebody who runs one wants its result. */
function printSlowest(spent) {
  if (spent.size <= SLOWEST) return
  console.log('Slowest files:')
  const slowest = [...spent].sort(([, a], [, b]) => b - a).slice(0, SLOWEST)
  for (const [file, ms] of slowest)
    console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} s  ${relative('', file ?? '?')}`)
  console.log('')
}
