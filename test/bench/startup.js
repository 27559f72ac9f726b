// Start-up times against the bare `node -e 0`, interleaved in one run so that a busy machine slows all alike.
//   npm run bench:startup [-- ROUNDS]     default 15
// Prints medians, and the least times, by which the budgets are judged: on a busy machine the median measures the
// others, the least disturbed round measures us. Exit 1 when a budget is missed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const rounds = Number(process.argv[2] ?? 15)
const run = join(root, 'bin/run.js')
const folder = mkdtempSync(join(tmpdir(), 'mlops-startup-'))
const env = { ...process.env, CI: '1', NO_COLOR: '1' }

const CASES = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'mlops --version', args: [run, '--version'], ratio: 1.5 },
  { name: 'mlops --help', args: [run, '--help'], above: 70 },
  { name: 'mlops status', args: [run, 'status'], above: 70 },
  { name: 'mlops model list', args: [run, 'model', 'list'], above: 70 },
]

try {
  prepare()
  const times = CASES.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (const [index, { args, name }] of CASES.entries()) {
      const started = performance.now()
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
      const took = performance.now() - started
      if (status !== 0) throw new Error(`${name} exited with ${status}: ${stderr}`)
      // The first round warms the disk cache and Node's compile cache.
      if (round >= 0) times[index].push(took)
    }
  }
  process.exitCode = report(times) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** A small store: one model with one version, so that the read commands have something to read. */
function prepare() {
  const mlops = (...args) =>
    execFileSync(process.execPath, [run, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  mlops('init', '--yes')
  execFileSync(process.execPath, ['-e', "require('fs').writeFileSync('model.bin', 'a model')"], { cwd: folder })
  mlops('register', 'churn-model', '--artifact', 'model.bin', '--metric', 'auc=0.9')
}

function report(times) {
  const base = Math.min(...times[0])
  console.log(`${rounds} rounds, Node ${process.versions.node}`)
  console.log(`${' '.repeat(18)}  median   least   ratio  above`)
  let fine = true
  for (const [index, { name, ratio, above }] of CASES.entries()) {
    const least = Math.min(...times[index])
    const kept = (ratio === undefined || least <= ratio * base) && (above === undefined || least - base <= above)
    fine &&= kept
    const budget = ratio !== undefined ? `at most ${ratio}x` : above !== undefined ? `at most +${above} ms` : ''
    const ms = (value) => `${value.toFixed(0)} ms`.padStart(8)
    const figures = `${ms(median(times[index]))}${ms(least)}${`${(least / base).toFixed(2)}x`.padStart(8)}${ms(least - base)}`
    console.log(`${name.padEnd(18)}${figures}  ${budget}${kept ? '' : '   MISSED'}`)
  }
  return fine
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}
