/**
 * `npm run crash -- [--kills N] [--seeds N] [--seed N]`: the crash tests at full size. Prints what it did, exits 1 on
 * the first broken promise and keeps that store.
 */
import { parseArgs } from 'node:util'
import { bundleWorker } from './bundle.ts'
import { interleave } from './interleave.ts'
import { killLoop } from './kill-loop.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20000' },
    seeds: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '4' },
  },
})
const first = Number(values.seed)

for (let seed = first; seed < first + Number(values.seeds); seed++) {
  await interleave(seed, (files) => files)
  if (seed % 500 === 0) console.log(`${seed} orders of three writers on a simulated disk: sound`)
}
const { kills, promises } = await killLoop({
  worker: await bundleWorker(),
  kills: Number(values.kills),
  parallel: Number(values.parallel),
  seed: first,
  progress: (done, kept) => console.log(`${done} processes killed, ${kept} promises kept`),
})
console.log(`${kills} kills, ${promises} promises, none broken.`)
