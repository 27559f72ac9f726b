/**
 * Makes ended runs through the program's own code: make-runs.ts NUMBER FOLDER. Each has the three metrics and three parameters
 * that many_runs.py gives those of MLflow. Not timed: the client would ask for the environment of each run anew.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ulid } from '../../../src/core/ulid.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { RunStart } from '../../../src/store/run-records.ts'

const [, , number = '0', folder = ''] = process.argv
const actor = { name: 'bench', origin: 'local' } as const
const tool = 'mlops bench'
const begun = Date.UTC(2026, 0, 1)

writeFileSync(join(folder, 'mlops.yaml'), 'store: .mlops\n')
const root = join(folder, '.mlops')
await createStore(root)
const store = await openStore(root, { write: true, now: () => new Date() })
for (let at = 0; at < Number(number); at++) {
  const auc = 0.5 + ((at * 7919) % 5000) / 10_000
  const started = new Date(begun + 1000 * at).toISOString()
  const start: RunStart = {
    ...{ format: 1, id: ulid(begun + 1000 * at), started, command: ['python', 'train.py'], cwd: '.' },
    ...{ env: {}, host: { name: 'bench', platform: 'linux', cpus: 2, memory: 1 }, data: [], tags: [] },
    ...{ params: { depth: at % 10, rate: 0.1 * (at % 7), kind: 'gbm' }, actor, tool, source: 'track' },
  }
  const run = await store.runs.create(start)
  const metrics = { auc, loss: 1 - auc, rows: at }
  const lines = Object.entries(metrics).map(([key, value]) => ({ t: started, key, value }))
  await run.append('metrics', lines)
  await run.end({
    ...{ format: 1, status: 'finished', exit: 0, signal: null, ended: started, duration: 0 },
    ...{ metrics, params: start.params, tags: [], artifacts: [], warnings: [] },
  })
}
