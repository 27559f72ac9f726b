/**
 * The demo: the whole life of a model in one temporary project, through the built command line and real Python.
 *
 * Every line shown is a command that really runs, with what it really prints; nothing is recorded beforehand. Each
 * scene says which exit code it expects, and the demo stops at the first surprise, so it is a test as well.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const MODEL = 'churn-model'

/** The policy of the documentation, with a job that runs here. */
const POLICY = `policy:
  model: ${MODEL}
  trigger:
    type: drift
    metric: psi
    threshold: 0.15
  job:
    type: command
    command: python train.py --train data/june-train.csv --test data/june-holdout.csv
    data: { train: data/june-train.csv, test: data/june-holdout.csv }
  validation:
    min_auc: 0.82
    compare_to: production
  promote_on_pass: staging   # human reviews before production
`

/** What the demo changes in the mlops.yaml that `mlops init` wrote: nothing but this one model's settings. */
const CONFIG = `# Written by the demo; "mlops init" writes a commented one like it.
store: .mlops
stages: [staging, production]
models:
  ${MODEL}:
    artifact: model.joblib
    train: python train.py
    evaluate: python evaluate.py {model} {data}
    schema: { columns: { customer_id: id }, target: churned }
    drift: { window: 7d, metric: psi, threshold: 0.10, every: 1d }
    notify: ["file:alerts.jsonl"]   # or slack:#ml-alerts, email:…, pagerduty, github, webhook:…
    gates:
      staging: { min_auc: 0.80 }
      production: { min_auc: 0.82, compare_to: production, approval: 1, baseline: required, run: required }
`

const SCENES = [
  {
    title: 'Start: one file of settings, one folder of state',
    why: 'No server, no account. Everything is plain files in .mlops/.',
    run: ['init', '--yes', '--name', MODEL],
    after: (project) => writeFileSync(join(project, 'mlops.yaml'), CONFIG),
  },
  {
    title: 'Train: any script, unchanged',
    why: 'train.py is plain scikit-learn. `track` records code, data, packages, parameters and metrics around it.',
    run: [
      'track',
      '--model',
      MODEL,
      '--data',
      'train=data/train.csv',
      '--data',
      'test=data/holdout.csv',
      '--',
      'python',
      'train.py',
    ],
  },
  {
    title: 'Register: an immutable version, with the profile of its training data',
    why: 'The baseline is what later batches are compared with. The rows themselves are not needed again.',
    run: [
      'register',
      MODEL,
      '--run',
      '@last',
      '--baseline',
      'data/train.csv',
      '--target',
      'churned',
      '--test',
      'data/holdout.csv',
    ],
  },
  {
    title: 'Promote: a human says yes, a gate checks the numbers',
    why: 'Nothing reaches production without the gate of mlops.yaml and a named person.',
    run: ['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada', '--reason', 'first model'],
  },
  {
    title: 'April: is it healthy?',
    why: '2,000 new customers of the same kind. A quiet month must not wake anybody.',
    run: ['drift', MODEL, '--current', 'data/april.csv'],
  },
  {
    title: 'The service logs what it answers',
    why: 'One line in serve.py. June brings other customers: a campaign sold fibre on monthly contracts.',
    python: ['serve.py', 'data/june.csv'],
    // What `pip install` of the client would do.
    env: (root) => ({ PYTHONPATH: join(root, 'templates/python') }),
  },
  {
    title: 'June: the nightly check',
    why: 'What cron or CI runs: the last week of the log, one alert, one page to look at. Exit code 3 is the answer "no".',
    run: ['drift', MODEL, '--window', '7d', '--alert', '--report', 'june.html'],
    exit: 3,
  },
  {
    title: 'Retrain: the policy decides, the gate judges',
    why: 'The drift fires the policy. Champion and challenger are compared on the same June rows; staging, never production.',
    run: ['retrain', MODEL],
  },
  {
    title: 'What changed between the two?',
    why: 'Parameters, metrics, data, code, packages: from the store alone, offline.',
    run: ['model', 'diff', `${MODEL}@1`, `${MODEL}@2`],
  },
  {
    title: 'Serve: FastAPI code of your own, typed by what the version was trained on',
    why: 'Run it again after the model or mlops changed: what you edited is merged. Docker and GitHub Actions likewise.',
    run: ['scaffold', 'fastapi', MODEL, '--dir', 'service'],
  },
  { serve: 'service' },
  { ask: true },
  {
    title: 'A human says yes …',
    why: 'The candidate waited in staging for this. The word is bound to these bytes and this gate; change either, and it lapses.',
    run: ['approve', `${MODEL}@staging`, '--to', 'production', '--as', 'ada', '--reason', 'fits the June customers'],
  },
  {
    title: '… and whoever deploys moves it: a person, or CI at 3 a.m.',
    why: 'The gate is judged again, every byte hashed again; the running service follows without a restart.',
    run: ['promote', `${MODEL}@staging`, '--to', 'production'],
  },
  { ask: true },
  {
    title: 'A bad model turns up …',
    why: 'Somebody trains on an export whose labels slipped by one row. The script runs happily.',
    run: [
      'track',
      '--model',
      MODEL,
      '--data',
      'train=data/mislabelled.csv',
      '--data',
      'test=data/june-holdout.csv',
      '--',
      'python',
      'train.py',
      '--train',
      'data/mislabelled.csv',
      '--test',
      'data/june-holdout.csv',
    ],
  },
  {
    run: [
      'register',
      MODEL,
      '--run',
      '@last',
      '--baseline',
      'data/mislabelled.csv',
      '--target',
      'churned',
      '--test',
      'data/june-holdout.csv',
    ],
  },
  {
    title: '… and is refused',
    why: 'Approved by a human all the same; the gate says no and shows the failing numbers. Exit code 3.',
    run: ['promote', `${MODEL}@3`, '--to', 'production', '--approve', 'bob'],
    exit: 3,
  },
  {
    title: '2 a.m.: back to the version before',
    why: 'One command. Bytes are re-hashed first; history is kept.',
    run: ['rollback', MODEL, '--yes', '--reason', 'support reports odd scores'],
  },
  { ask: true },
  {
    title: 'A customer asks: why was I called?',
    why: 'From one answer of the service to the version, the run, the commit, the data and the people behind it.',
    trace: true,
  },
  {
    title: 'Can that model be made again?',
    why: 'The recorded commit in a clean folder, the same data by hash, the same seed. Without --environment current: fresh packages, too.',
    run: ['run', 'reproduce', `${MODEL}@1`, '--environment', 'current'],
  },
  {
    title: 'The three questions',
    why: 'Which version is in production? Is it healthy? How do we change it safely?',
    run: ['status'],
  },
  { title: 'Who moved what, and why', run: ['model', 'history', MODEL] },
  {
    title: 'What would fail when it is needed?',
    why: 'Environments, policies, channels, the disk and the clock; and how far the way to production is.',
    run: ['doctor', '--offline'],
  },
]

/** @returns the exit code for the process: 0 when every scene ended as it should. */
export async function playDemo({ root, python }) {
  const style = styles(process.stdout.isTTY === true && process.env.NO_COLOR === undefined)
  const project = join(mkdtempSync(join(tmpdir(), 'mlops-demo-')), 'churn')
  mkdirSync(project)
  cpSync(join(root, 'test/demo/project'), project, { recursive: true })
  const bin = shim(root, project)
  const env = { ...process.env, PATH: [bin, dirname(python), process.env.PATH].join(delimiter), MLOPS_STORE: undefined }
  for (const name of ['CI', 'MLOPS_STORE', 'MLOPS_RUN_ID']) delete env[name]

  console.log(style.bold('\nThe life of a model, in one minute.'))
  console.log('Real commands, real scikit-learn. The data comes from a seeded generator: make_data.py.\n')
  const started = performance.now()
  await command('python', ['make_data.py'], { cwd: project, env, quiet: true })
  await commitScripts(project, env)
  const services = []
  try {
    const url = `http://127.0.0.1:${await freePort()}`
    if (!(await playScenes({ root, project, env, style, url, services }))) return 1
  } finally {
    for (const service of services) service.kill()
  }

  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(`\n${style.title(' Yours to explore ')} ${style.dim(`(the loop took ${seconds} s)`)}\n`)
  console.log(`  cd ${project}`)
  console.log(`  export PATH="${bin}:${dirname(python)}:$PATH"`)
  console.log('  mlops status')
  console.log(`  mlops model show ${MODEL}`)
  console.log(`  mlops predictions stats ${MODEL}        # and open june.html in a browser`)
  console.log('  mlops --help\n')
  return 0
}

/** @returns false when a scene did not end as it should */
async function playScenes({ root, project, env, style, url, services }) {
  let prediction
  for (const [index, scene] of SCENES.entries()) {
    if (scene.title !== undefined) console.log(`\n${style.title(` ${scene.title} `)}`)
    if (scene.why !== undefined) console.log(style.dim(scene.why))
    const { program, words, shown } = commandOf(scene, { root, url, prediction })
    console.log(`\n${style.dim('$')} ${style.bold(shown)}`)
    if (scene.serve !== undefined) {
      services.push(await startService(join(project, scene.serve), words, env, url))
      continue
    }
    const { code, printed } = await command(program, words, {
      cwd: project,
      env: { ...env, ...scene.env?.(root) },
      keep: scene.ask === true,
    })
    prediction = /prediction (\S+)\)/.exec(printed)?.[1] ?? prediction
    const expected = scene.exit ?? 0
    if (code !== expected) {
      console.log(
        `\nThe demo expected exit code ${expected} here and got ${code} (scene ${index + 1}). Project: ${project}`,
      )
      return false
    }
    if (expected !== 0) console.log(style.dim(`exit code ${code}`))
    scene.after?.(project)
    if (index === 0) writeFileSync(join(project, 'retraining-policy.yaml'), POLICY)
  }
  return true
}

/** What a scene runs, and how a person would have typed it. */
function commandOf({ run, python, serve, ask, trace }, { root, url, prediction }) {
  if (serve !== undefined) {
    const words = ['-m', 'uvicorn', 'app.main:app', '--port', new URL(url).port]
    return { words, shown: `(cd ${serve} && MLOPS_STORE=../.mlops python ${words.join(' ')}) &` }
  }
  if (ask) return commandOf({ python: ['ask.py', url] }, { root })
  if (trace) return commandOf({ run: ['trace', prediction] }, { root })
  if (python !== undefined) return { program: 'python', words: python, shown: `python ${python.map(quote).join(' ')}` }
  return {
    program: process.execPath,
    words: [join(root, 'bin/run.js'), ...run],
    shown: `mlops ${run.map(quote).join(' ')}`,
  }
}

/** In the background until the demo ends; waits until it is ready. Its own words are in `service.log`. */
async function startService(folder, words, env, url) {
  const file = join(folder, '../service.log')
  const log = openSync(file, 'w')
  const store = join(folder, '../.mlops')
  const service = spawn('python', words, {
    cwd: folder,
    env: { ...env, MLOPS_STORE: store },
    stdio: ['ignore', log, log],
  })
  for (let tries = 0; tries < 300; tries++) {
    await setTimeout(200)
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer?.ok) {
      console.log(`ready: ${url}/v1/predict`)
      return service
    }
    if (service.exitCode !== null) break
  }
  service.kill()
  throw new Error(`The service did not get ready:\n${readFileSync(file, 'utf8')}`)
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A repository of its own, so that runs record their commit. Without git the demo goes on and says so in `track`. */
async function commitScripts(project, env) {
  writeFileSync(join(project, '.gitignore'), 'data/\nmodel.joblib\nalerts.jsonl\njune.html\nservice.log\n')
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
  const steps = [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '.'],
    [...who, 'commit', '--quiet', '-m', 'Churn model'],
  ]
  for (const step of steps) {
    const done = await command('git', step, { cwd: project, env, quiet: true }).catch(() => undefined)
    if (done?.code !== 0) return
  }
}

/** A `mlops` on the PATH for the visitor: this checkout's build. */
function shim(root, project) {
  const bin = join(project, '..', 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'mlops'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/run.js')}" "$@"\n`, {
    mode: 0o755,
  })
  return bin
}

/** @param keep what it prints is returned as well */
function command(program, args, { cwd, env, quiet = false, keep = false }) {
  return new Promise((resolve, reject) => {
    const out = quiet ? 'ignore' : 'inherit'
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', keep ? 'pipe' : out, out] })
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      printed += text
      process.stdout.write(text)
    })
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code: signal === null ? code : 1, printed }))
  })
}

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

function styles(colour) {
  const wrap = (open, close) => (text) => (colour ? `\u001b[${open}m${text}\u001b[${close}m` : text)
  return { bold: wrap(1, 22), dim: wrap(2, 22), title: colour ? wrap(7, 27) : (text) => `==${text}==` }
}
