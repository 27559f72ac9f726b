// The generated service beside the tutorial's FastAPI and the servers of MLflow, BentoML and LitServe: the same model, one
// worker each, the same requests over 16 connections.
//   npm run bench:serve [-- --rounds 3 --seconds 10 --connections 16 --only mlops,tutorial]
// The servers take turns, so that a busy machine slows all alike; ratios are of one round each. What is sent is one row
// per request; what BentoML and LitServe can batch, they batch. Ours alone validates against the signature, writes the
// prediction log and counts metrics.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { availableParallelism, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from './interleave.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const here = join(root, 'test/bench/serving')
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '16' },
    only: { type: 'string', default: 'mlops,tutorial,mlflow,bentoml,litserve' },
  },
})
const WARM_UP = 3
const MOVES = 10
const only = values.only.split(',')
const venv = join(root, '.cache/venv/bin')
mkdirSync(join(root, '.cache/bench'), { recursive: true })
const folder = mkdtempSync(join(root, '.cache/bench/serve-'))
const env = {
  ...process.env,
  PATH: `${venv}:${process.env.PATH}`,
  BENCH_MODEL: join(folder, 'model.joblib'),
  PYTHONPATH: here,
  CI: '1',
}

try {
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} processors, load average before: ${loadavg()[0]?.toFixed(1)}`,
  )
  prepare()
  const servers = serverCommands()
  const rows = JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8'))
  const found = Object.fromEntries(Object.keys(servers).map((name) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, server] of Object.entries(servers)) {
      const taken = await measure(name, server, rows)
      found[name].push(taken)
      console.error(`  round ${round + 1} ${name}: ${taken.perSecond.toFixed(0)} requests a second`)
    }
  }
  report(found)
  if (only.includes('mlops')) await following(servers.mlops, rows[0])
  console.log(`Load average after: ${loadavg()[0]?.toFixed(1)}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function mlops(...args) {
  const stdio = ['ignore', 'ignore', 'pipe']
  return execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { cwd: folder, env, stdio })
}

/** A project with the model as its version in production, and its service. */
function prepare() {
  writeFileSync(
    join(folder, 'mlops.yaml'),
    'store: .mlops\nstages: [staging, production]\nmodels:\n  bench:\n    artifact: model.joblib\n    schema: { target: churned }\n',
  )
  mlops('init', '--yes')
  mlops('track', '--model', 'bench', '--', 'python', join(here, 'train.py'))
  mlops('register', 'bench', '--run', '@last', '--baseline', 'train.csv', '--target', 'churned')
  mlops('promote', 'bench@1', '--to', 'production', '--approve', 'bench', '--reason', 'bench')
  if (only.includes('mlops')) mlops('scaffold', 'fastapi', 'bench', '--unlocked')
}

function serverCommands() {
  const peers = only.some((name) => ['mlflow', 'bentoml', 'litserve'].includes(name)) ? peersEnvironment() : ''
  const saved = join(folder, 'mlflow-model')
  if (only.includes('mlflow'))
    execFileSync(join(peers, 'python'), [join(here, 'mlflow_save.py'), saved], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  const uvicorn = (app) => (port) => [
    join(venv, 'python'),
    '-m',
    'uvicorn',
    app,
    '--port',
    port,
    '--log-level',
    'warning',
    '--no-access-log',
  ]
  const all = {
    tutorial: { command: uvicorn('tutorial:app'), cwd: here, path: '/predict', body: (row) => row },
    mlops: {
      command: uvicorn('app.main:app'),
      cwd: join(folder, 'service'),
      path: '/v1/predict',
      body: (row) => ({ features: row }),
      own: { MLOPS_STORE: join(folder, '.mlops'), PYTHONPATH: '' },
    },
    mlflow: {
      command: (port) => [
        join(peers, 'mlflow'),
        'models',
        'serve',
        '-m',
        saved,
        '--env-manager',
        'local',
        '-p',
        port,
        '-w',
        '1',
      ],
      cwd: folder,
      path: '/invocations',
      body: (row) => ({ dataframe_records: [row] }),
      peer: peers,
    },
    bentoml: {
      command: (port) => [join(peers, 'bentoml'), 'serve', 'bentoml_server:Churn', '--port', port],
      cwd: here,
      path: '/predict',
      body: (row) => ({ rows: [row] }),
      peer: peers,
    },
    litserve: {
      command: (port) => [join(peers, 'python'), join(here, 'litserve_server.py'), port],
      cwd: here,
      path: '/predict',
      body: (row) => row,
      peer: peers,
    },
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => only.includes(name)))
}

/** Starts one server, waits until it answers a prediction, warms it up, and measures. */
async function measure(name, { command, cwd, path, body, own = {}, peer }, rows) {
  const port = await freePort()
  const [program, ...args] = command(String(port))
  const output = join(folder, `${name}.log`)
  const log = openSync(output, 'w')
  const theirs =
    peer === undefined
      ? {}
      : {
          PATH: `${peer}:${process.env.PATH}`,
          VIRTUAL_ENV: dirname(peer),
          BENTOML_DO_NOT_TRACK: 'true',
          MLFLOW_DISABLE_TELEMETRY: 'true',
        }
  const child = spawn(program, args, {
    cwd,
    env: { ...env, ...theirs, ...own },
    stdio: ['ignore', log, log],
    detached: true,
  })
  const bodies = join(folder, `${name}.json`)
  writeFileSync(bodies, JSON.stringify(rows.map(body)))
  const url = `http://127.0.0.1:${port}${path}`
  try {
    await answers(url, body(rows[0]), child, output)
    const load = (seconds) =>
      JSON.parse(
        execFileSync(process.execPath, [join(here, 'load.js'), url, bodies, values.connections, String(seconds)], {
          encoding: 'utf8',
        }),
      )
    const warm = load(WARM_UP)
    const taken = load(Number(values.seconds))
    return { ...taken, warm }
  } finally {
    await end(child)
  }
}

/** From the time of the event that moved the stage until the first answer of the other version, polled every 5 ms. */
async function following({ command, cwd, path, body, own }, row) {
  mlops('track', '--model', 'bench', '--', 'python', join(here, 'train.py'), '2')
  mlops('register', 'bench', '--run', '@last', '--baseline', 'train.csv', '--target', 'churned')
  const port = await freePort()
  const [program, ...args] = command(String(port))
  const log = openSync(join(folder, 'following.log'), 'w')
  const child = spawn(program, args, { cwd, env: { ...env, ...own }, stdio: ['ignore', log, log], detached: true })
  const url = `http://127.0.0.1:${port}${path}`
  const times = { promote: [], rollback: [] }
  try {
    await answers(url, body(row), child, join(folder, 'following.log'))
    for (let round = 0; round < MOVES; round++) {
      for (const [verb, words, version] of [
        ['promote', ['promote', 'bench@2', '--to', 'production', '--approve', 'bench'], 2],
        ['rollback', ['rollback', 'bench', '--yes', '--no-verify'], 1],
      ]) {
        const seen = answeredBy(url, body(row), version)
        mlops(...words, '--reason', 'bench', '--no-wait')
        times[verb].push((await seen) - newestEvent())
      }
    }
  } finally {
    await end(child)
  }
  console.log(`\nFollowing the stage, ${MOVES} moves each: from the event to the first answer of the other version`)
  for (const [verb, taken] of Object.entries(times)) {
    const line = `median ${median(taken).toFixed(0)} ms, longest ${Math.max(...taken).toFixed(0)} ms`
    console.log(`  ${verb.padEnd(10)}${line}   budget 1,000 ms`)
  }
}

/** Milliseconds since 1970, when an answer of this version arrived. Runs beside a synchronous command, so in a process of its own. */
function answeredBy(url, body, version) {
  const script = `
    const [url, body, version] = process.argv.slice(1)
    for (;;) {
      const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      if ((await response.json()).version === Number(version)) break
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    console.log(Date.now())`
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, url, JSON.stringify(body), String(version)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return new Promise((resolve) => child.stdout.once('data', (data) => resolve(Number(data.toString()))))
}

function newestEvent() {
  const log = join(folder, '.mlops/models/bench/log')
  const newest = readdirSync(log).sort().at(-1)
  return Date.parse(JSON.parse(readFileSync(join(log, newest), 'utf8')).time)
}

async function answers(url, body, child, output) {
  const end = performance.now() + 90_000
  for (;;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => undefined)
    if (response?.ok) return
    if (child.exitCode !== null || performance.now() > end) {
      const why = response === undefined ? 'no answer' : `${response.status} ${(await response.text()).slice(0, 300)}`
      throw new Error(`${url} does not predict (${why}):\n${readFileSync(output, 'utf8').slice(-2000)}`)
    }
    await setTimeout(300)
  }
}

/** Servers with workers of their own are ended with them. */
async function end(child) {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const signal = (name) => {
    try {
      process.kill(-child.pid, name)
    } catch {}
  }
  if (child.exitCode === null) {
    signal('SIGTERM')
    await Promise.race([gone, setTimeout(10_000)])
  }
  signal('SIGKILL')
  await setTimeout(500)
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** @returns the folder of its programs */
function peersEnvironment() {
  const place = join(root, '.cache/serving-venv')
  const requirements = join(here, 'peers.txt')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  const stamp = join(place, '.requirements.sha256')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    console.error('Installing MLflow, BentoML and LitServe into .cache/serving-venv (once) …')
    rmSync(place, { recursive: true, force: true })
    execFileSync(join(venv, 'python'), ['-m', 'venv', place], { stdio: 'inherit' })
    execFileSync(join(place, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
      stdio: 'inherit',
    })
    writeFileSync(stamp, wanted)
  }
  return join(place, 'bin')
}

function report(found) {
  const title = `One row a request, ${values.connections} connections, ${values.seconds} s after ${WARM_UP} s of warm-up, ${values.rounds} rounds in turn`
  console.log(
    `\n${title}\n${'server'.padEnd(12)}${'a second'.padStart(10)}${'p50'.padStart(10)}${'p99'.padStart(10)}   against the tutorial`,
  )
  for (const [name, runs] of Object.entries(found)) {
    const of = (key) => median(runs.map((run) => run[key]))
    const ratio =
      found.tutorial === undefined
        ? ''
        : `${median(runs.map((run, i) => run.perSecond / found.tutorial[i].perSecond)).toFixed(2)}x`
    const failures = runs
      .flatMap(({ failures }) => Object.entries(failures))
      .map(([what, times]) => `${times} x ${what}`)
    const note = failures.length === 0 ? '' : `   failed: ${failures.join(', ')}`
    console.log(
      `${name.padEnd(12)}${of('perSecond').toFixed(0).padStart(10)}${of('p50').toFixed(1).padStart(7)} ms${of('p99').toFixed(1).padStart(7)} ms   ${ratio}${note}`,
    )
  }
  console.log('budget: mlops at least 5x the tutorial, p99 under 30 ms')
}
