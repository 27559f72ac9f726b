// Mocha's spec reporter plus what CI needs at the end: each skip with its reason, and one plain line
// `N passed, N failed, N skipped` that machines read.
import Mocha from 'mocha'

const { Spec } = Mocha.reporters
const { EVENT_RUN_END, EVENT_TEST_PENDING } = Mocha.Runner.constants

export default class extends Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test))
    runner.once(EVENT_RUN_END, () => {
      if (skipped.length > 0) {
        console.log('Skipped:')
        for (const test of skipped) console.log(`  ${test.fullTitle()}: ${reason(test)}`)
        console.log('')
      }
      const { passes, failures } = this.stats
      console.log(`${passes} passed, ${failures} failed, ${skipped.length} skipped`)
    })
  }
}

function reason(test) {
  for (let node = test; node !== undefined; node = node.parent)
    if (node.skipReason !== undefined) return node.skipReason
  return 'no reason given'
}
