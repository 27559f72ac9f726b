/** Run as a program by compact.test.ts: compacts a log and kills itself, without any cleaning up, at the n-th step. */
import { compactLog } from '../../../src/predictions/compact.ts'
import { MODEL, NOW } from './support.ts'

const [home = '', n = '1'] = process.argv.slice(2)
let steps = 0
await compactLog(
  { kind: 'files', home, folder: `${home}/${MODEL}`, name: MODEL },
  {
    ...{ model: MODEL, grace: 72e5, dryRun: false, tool: 'mlops 0.1.0', now: NOW.getTime() },
    step: () => {
      if (++steps === Number(n)) process.kill(process.pid, 'SIGKILL')
    },
  },
)
