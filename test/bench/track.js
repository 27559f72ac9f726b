// What tracking costs, beside the bare operations, MLflow and DVC, in turn within one run (docs/benchmarks.md):
//   npm run bench:track [-- --short] [-- --only overhead,metrics,runs,folder,experiment]
// Each part is a file under track/. The first time DVC and MLflow are installed from PyPI into .cache/track-venv, and
// MLflow is given its 10,000 runs, which takes minutes.
import { rmSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { experiment } from './track/experiment.js'
import { folder } from './track/folder.js'
import { metrics } from './track/metrics.js'
import { overhead } from './track/overhead.js'
import { runs } from './track/runs.js'
import { makeWorld } from './track/shared.js'

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const { short } = values
const PARTS = {
  overhead: (world) => overhead(world, { rounds: short ? 5 : 15 }),
  metrics: (world) =>
    metrics(world, short ? { single: 200, bulk: 10_000, rounds: 1 } : { single: 1_000, bulk: 100_000, rounds: 3 }),
  runs: (world) => runs(world, short ? { number: 500, rounds: 3 } : { number: 10_000, rounds: 5 }),
  folder: (world) => folder(world, short ? { number: 2_000, rounds: 1 } : { number: 70_000, rounds: 1 }),
  experiment: (world) => experiment(world, { rounds: short ? 2 : 7 }),
}
const chosen = values.only?.split(',') ?? Object.keys(PARTS)
for (const name of chosen) {
  if (!(name in PARTS)) throw new Error(`--only ${name}: there are ${Object.keys(PARTS).join(', ')}`)
}

const load = () => loadavg()[0]?.toFixed(1)
console.log(`Node ${process.versions.node}, ${availableParallelism()} processors, load average before: ${load()}\n`)
const world = makeWorld()
try {
  for (const name of chosen) PARTS[name](world)
} finally {
  rmSync(world.folder, { recursive: true, force: true })
}
console.log(`Load average after: ${load()}`)
