// Drift checks: time and peak memory beside Evidently's default preset, beside DuckDB's own scan, and from 1 to 100 M rows.
//   npm run bench:drift [-- --rows 100000,1000000 --formats csv,parquet --rounds 3 --scale 1,10,100 --minutes 15]
// Files of 10 M rows and what Evidently needs for them are large: --rows 100000,1000000 --scale 1,10 is a short run.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, freemem, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mixedFiles, numericFile, partsOf } from './drift-data.js'
import { median } from './interleave.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const cache = join(root, '.cache/bench')
const venv = join(root, '.cache/evidently-venv')
const requirements = join(root, 'test/bench/evidently/requirements.txt')
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000,1000000,10000000' },
    formats: { type: 'string', default: 'parquet,csv' },
    rounds: { type: 'string', default: '3' },
    /** Millions of rows, as Parquet parts of 1 M. */
    scale: { type: 'string', default: '1,10,100' },
    /** Rows of the file that DuckDB's own scan is compared on. */
    profile: { type: 'string', default: '10000000' },
    minutes: { type: 'string', default: '15' },
    /** Evidently is stopped above it; by default at what the machine has free. */
    megabytes: { type: 'string', default: String(Math.floor((freemem() / 2 ** 20) * 0.9)) },
  },
})
const numbers = (text) => text.split(',').filter(Boolean).map(Number)
const rounds = Number(values.rounds)
const env = { ...process.env, CI: '1', NO_COLOR: '1' }

mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'run-'))
try {
  const load = loadavg()[0]?.toFixed(1)
  console.log(`Node ${process.versions.node}, ${availableParallelism()} processors, load average before: ${load}\n`)
  await againstScan(Number(values.profile))
  await againstEvidently()
  await scaling()
  console.log(`Load average after: ${loadavg()[0]?.toFixed(1)}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** In turn, in processes of their own: DuckDB's scan, a batch, a baseline. */
async function againstScan(rows) {
  if (!(rows > 0)) return
  const file = await numericFile(cache, rows)
  const profile = join(folder, 'profile.json')
  const run = (what) => {
    const args = ['--import', 'tsx', join(root, 'test/bench/drift-profile.ts'), what, file, profile]
    return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
  }
  const found = { scan: [], baseline: [], batch: [] }
  for (let round = -1; round < rounds; round++) {
    for (const what of Object.keys(found)) {
      const taken = run(what)
      if (round >= 0) found[what].push(taken)
    }
  }
  console.log(`Profile of ${count(rows)} rows x 10 doubles of Parquet, ${rounds} rounds in turn`)
  for (const [what, runs] of Object.entries(found)) {
    const ratio = (unit) => `${median(runs.map((each, i) => each[unit] / found.scan[i][unit])).toFixed(2)}x`
    const figures = `${secondsOf(runs).padStart(8)} ${megabytesOf(runs).padStart(9)}`
    const name = { scan: "DuckDB's own scan", baseline: 'baseline', batch: 'batch' }[what]
    console.log(`  ${name.padEnd(20)}${figures}   time ${ratio('seconds')}, processor time ${ratio('cpu')}`)
  }
  console.log('  budget: a batch at most 2.5x, under 1,024 MB\n')
}

async function againstEvidently() {
  const python = evidentlyPython()
  for (const rows of numbers(values.rows)) {
    for (const ending of values.formats.split(',')) {
      const [reference, current] = await mixedFiles(cache, rows, ending)
      const project = projectWith(reference)
      const cases = {
        'mlops drift': mlops(project, 'drift', 'bench', '--current', current),
        'mlops drift --against': mlops(project, 'drift', 'bench', '--current', current, '--against', reference),
        Evidently: [python, join(root, 'test/bench/evidently/drift.py'), reference, current],
      }
      const runs = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
      // A large Evidently run says all in one round; a first round that warms caches is left out.
      for (let round = rows > 1_000_000 ? 0 : -1; round < (rows > 1_000_000 ? 1 : rounds); round++) {
        for (const [name, command] of Object.entries(cases)) {
          const taken = measure(python, command, name === 'Evidently')
          if (round >= 0) runs[name].push(taken)
        }
      }
      printComparison(`${count(rows)} rows x 20 columns, ${ending}`, runs)
    }
  }
}

function printComparison(title, runs) {
  console.log(title)
  for (const [name, each] of Object.entries(runs)) {
    const stopped = each.find(({ ended }) => ended !== 'done')
    if (stopped !== undefined) {
      const why = stopped.ended === 'time' ? 'stopped' : `stopped: more than ${count(values.megabytes)} MB`
      console.log(`  ${name.padEnd(24)} did not finish in ${stopped.seconds.toFixed(0)} s (${why})`)
      continue
    }
    const against = (unit) => median(each.map((taken, i) => runs.Evidently[i][unit] / taken[unit]))
    const isRatio = name !== 'Evidently' && runs.Evidently.every(({ ended }) => ended === 'done')
    const ratio = isRatio
      ? `   ${against('seconds').toFixed(1)}x faster (processor time ${against('cpu').toFixed(1)}x), 1/${against('megabytes').toFixed(1)} of the memory`
      : ''
    console.log(`  ${name.padEnd(24)}${secondsOf(each).padStart(9)} ${megabytesOf(each).padStart(10)}${ratio}`)
  }
  console.log('')
}

async function scaling() {
  const millions = numbers(values.scale)
  if (millions.length === 0) return
  const python = evidentlyPython()
  const [reference, current] = await mixedFiles(cache, 1_000_000, 'parquet')
  const project = projectWith(reference)
  console.log('The whole command on a folder of Parquet parts of 1 M rows x 20 columns')
  for (const parts of millions) {
    const data = partsOf(current, join(folder, 'parts'), parts)
    const taken = measure(python, mlops(project, 'drift', 'bench', '--current', data), false)
    const each = `${(taken.seconds / parts).toFixed(2)} s per million`
    console.log(
      `  ${count(parts * 1e6).padStart(12)} rows ${secondsOf([taken]).padStart(9)} ${megabytesOf([taken]).padStart(10)}   ${each}`,
    )
  }
  console.log('')
}

/** A project whose model `bench` has one version with this baseline in production. */
function projectWith(reference) {
  const project = mkdtempSync(join(folder, 'project-'))
  const run = (...args) => {
    const [command, ...rest] = mlops(project, ...args)
    const { status, stderr } = spawnSync(command, rest, { cwd: project, env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`mlops ${args.join(' ')} ended with ${status}: ${stderr}`)
  }
  writeFileSync(join(project, 'model.bin'), 'a model')
  run('init', '--yes', '--name', 'bench')
  run('register', 'bench', '--artifact', 'model.bin', '--baseline', reference)
  return project
}

/** From keystroke to exit; `--store` so that the folder the bench was started in does not matter. */
function mlops(project, ...args) {
  const store = args[0] === 'init' ? [] : ['--store', join(project, '.mlops')]
  return [process.execPath, join(root, 'bin/run.js'), ...args, ...store]
}

function measure(python, command, isLimited) {
  const limits = isLimited ? ['--seconds', String(60 * Number(values.minutes)), '--megabytes', values.megabytes] : []
  const { stdout, stderr } = spawnSync(python, [join(root, 'test/bench/measure.py'), ...limits, '--', ...command], {
    env,
    encoding: 'utf8',
    cwd: folder,
  })
  const taken = JSON.parse(stdout || '{}')
  // 3 and 6 are answers: drift, too few rows.
  if (taken.ended === undefined || (taken.ended === 'done' && ![0, 3, 6].includes(taken.status))) {
    throw new Error(`${command.join(' ')} ended with ${taken.status}: ${taken.said ?? stderr}`)
  }
  return taken
}

/** @returns the python of .cache/evidently-venv, made for these very requirements when it is not there */
function evidentlyPython() {
  const python = join(venv, 'bin/python')
  const stamp = join(venv, '.requirements.sha256')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(python)) return python
  console.error(
    'Making .cache/evidently-venv and installing test/bench/evidently/requirements.txt (some minutes, once) …',
  )
  if (!existsSync(python)) execFileSync(process.env.PYTHON ?? 'python3', ['-m', 'venv', venv], { stdio: 'inherit' })
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(stamp, wanted)
  return python
}

function count(number) {
  return Number(number).toLocaleString('en-US')
}

function secondsOf(runs) {
  return `${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s`
}

function megabytesOf(runs) {
  return `${count(Math.round(median(runs.map(({ megabytes }) => megabytes))))} MB`
}
