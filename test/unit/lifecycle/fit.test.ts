/** What a rollback learns of an old version and today's data, in the time that it has: real logs, labels and processes. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseModelRef } from '../../../src/core/names.ts'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { determineFit, type Fit, type FitRequest } from '../../../src/lifecycle/rollback/fit.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import { addVersion, gate, MODEL, type World, world } from './fixture.ts'

const NODE = `"${process.execPath}"`
/** Prints the share of rows whose truth is what the model says: 1 where x is at least the model's number. */
const SCORER = `
const [model, data] = process.argv.slice(2).map((path) => require('node:fs').readFileSync(path, 'utf8'))
const [head, ...rows] = data.trim().split('\\n')
console.log('columns: ' + head.split(',').length)
const right = rows.filter((row) => (Number(row.split(',')[0]) >= Number(model)) === (row.split(',').at(-1) === 'yes'))
console.log('accuracy: ' + right.length / rows.length)
`
const DAY = 864e5

describe("A rollback's look at today's data", function () {
  this.timeout(60_000)
  let w: World
  beforeEach(async () => {
    w = await world()
    // The prediction log is cut by real time, and the world's clock must agree with it.
    const { ctx } = w
    w = { ...w, ctx: { ...ctx, now: () => new Date() } }
    writeFileSync(join(w.dir, 'score.cjs'), SCORER)
    const rows = Array.from({ length: 2_000 }, (_, i) => `${i % 100},${(i * 7) % 10},${i % 100 >= 50 ? 'yes' : 'no'}`)
    writeFileSync(join(w.dir, 'train.csv'), `x,plan,truth\n${rows.join('\n')}\n`)
  })
  afterEach(() => w.remove())

  /** Version 1 is right about everything from x = 50 on; version 2 took its place and is not. */
  async function versions(evaluate: string | undefined, config: Partial<ModelConfig> = {}): Promise<void> {
    const schema = { columns: {}, target: 'truth' }
    const { bytes, data } = await profileBaseline('train.csv', { cwd: w.dir, schema })
    const pin = await w.store.objects.put(bytes)
    const profile = { profile: pin.sha256, data: { name: 'baseline', sha256: data.sha256, rows: data.rows } }
    const common = { profile, metrics: { accuracy: 1 }, ...(evaluate === undefined ? {} : { evaluate }) }
    await addVersion(w, { ...common, files: { 'model.txt': '50' } })
    await addVersion(w, { ...common, files: { 'model.txt': '90' } })
    for (const version of [1, 2]) {
      const request = { ref: parseModelRef(`${MODEL}@${version}`), stage: 'production', approve: ['ada'] }
      await promote(w.ctx, project(config), w.store, request)
    }
  }
  const project = (config: Partial<ModelConfig> = {}) =>
    w.project({ schema: { columns: {}, target: 'truth' }, ...config })

  /** Answers of yesterday with their truth: yes from `turn` on. */
  function log(rows: number, { turn = 50, labelled = rows, shift = 0 } = {}): void {
    const yesterday = Math.floor(Date.now() / DAY) * DAY - DAY
    const date = new Date(yesterday).toISOString().slice(0, 10)
    const folder = join(w.store.root, 'predictions', MODEL, `date=${date}`)
    mkdirSync(join(folder, 'labels'), { recursive: true })
    const all = Array.from({ length: rows }, (_, i) => {
      const x = ((i * 37) % 100) + shift
      const time = new Date(yesterday + i * 1_000).toISOString()
      // The truth is spelled as another system spells it.
      return {
        record: {
          v: 1,
          id: `p${i}`,
          time,
          model: MODEL,
          version: 2,
          features: { x, plan: i % 10 },
          output: x >= 90 ? 1 : 0,
        },
        label: { id: `p${i}`, time, label: x >= turn ? 1 : 0 },
      }
    })
    const lines = (each: readonly unknown[]) => `${each.map((one) => JSON.stringify(one)).join('\n')}\n`
    writeFileSync(join(folder, 'py-00-0001.jsonl'), lines(all.map(({ record }) => record)))
    if (labelled > 0) {
      writeFileSync(join(folder, 'labels/py-00-0001.jsonl'), lines(all.slice(0, labelled).map(({ label }) => label)))
    }
  }

  const look = (more: Partial<FitRequest> = {}, config: Partial<ModelConfig> = {}): Promise<Fit> => {
    const common = { model: MODEL, version: 1, stage: 'production', from: 2, current: undefined, verify: true }
    return determineFit(w.ctx, project(config), w.store, { ...common, limit: 50_000, ...more })
  }
  const evaluate = `${NODE} score.cjs {model} {data}`

  it('evaluates the old version on the labelled rows, in the order of the service and the spelling of its training data', async () => {
    await versions(evaluate)
    log(1_200, { labelled: 800 })
    const fit = await look()
    assert.equal(fit.verdict, 'fits')
    assert.deepEqual(fit.evaluation?.now, { columns: 3, accuracy: 1 })
    assert.deepEqual([fit.evaluation?.rows, fit.rows, fit.evaluation?.verdict], [800, 1_200, 'holds'])
    assert.equal(
      fit.summary,
      "@1 still fits today's data: no column drifted on 1,200 rows; accuracy 1 on 800 labelled rows of the last 7 days, 1 when it was registered; production now (@2): accuracy 0.6 on 800 labelled answers of its own",
    )
  })

  it('says that it is worse when what is true has changed, though the inputs have not', async () => {
    await versions(evaluate, { gates: { production: gate({ min: { accuracy: 0.9 }, approval: 1 }) } })
    log(800, { turn: 80 })
    const fit = await look({}, { gates: { production: gate({ min: { accuracy: 0.9 } }) } })
    assert.equal(fit.verdict, 'worse')
    assert.match(
      fit.summary,
      /^@1 does not fit today's data: no column drifted on 800 rows; accuracy 0\.7 on 800 labelled/,
    )
    assert.match(fit.summary, /it breaks min_accuracy 0\.9 of production/)
    assert.match(
      fit.summary,
      /production now \(@2\): fits: no column drifted on 800 rows, accuracy 0\.9 on 800 labelled/,
    )
  })

  it('says of both versions that their inputs have drifted', async () => {
    await versions(undefined)
    log(800, { shift: 40, labelled: 0 })
    const fit = await look()
    assert.equal(fit.verdict, 'drifted')
    assert.match(
      fit.summary,
      /1 of 2 columns drifted on 800 rows \(x: median [\d.]+ -> [\d.]+\); production now \(@2\): does not fit either: 1 of 2 columns drifted on 800 rows \(x\)/,
    )
    assert.deepEqual(
      fit.production?.inputs?.drifted.map(({ column }) => column),
      ['x'],
    )
  })

  it('names what is missing: labels, rows, a feature, the command; and what the command said', async () => {
    await versions(undefined)
    log(800, { labelled: 20 })
    assert.match((await look()).summary, /not evaluated again: there are 20 labelled rows, and 50 are needed/)
    log(800)
    assert.match((await look()).summary, /not evaluated again: no evaluation command is recorded/)
    const failing = { evaluate: 'echo "KeyError: plan" >&2; exit 1 # {model} {data}' }
    assert.match((await look({}, failing)).summary, /not evaluated again: .*ended with 1: KeyError: plan/)
    assert.equal((await look({}, failing)).verdict, 'fits')
  })

  it('tries the other form of a file when the command cannot read the first', async () => {
    const form = `${NODE} -e "if (!process.argv[2].endsWith('.parquet')) process.exit(9); const h = require('node:fs').readFileSync(process.argv[2]).subarray(0, 4); console.log(h == 'PAR1' ? 'accuracy: 1' : '')" {model} {data}`
    await versions(form)
    log(800)
    assert.deepEqual((await look()).evaluation?.now, { accuracy: 1 })
  })

  it('ends with the time: what is known by then counts, and every process of the evaluation is gone', async () => {
    const sleeper = `${NODE} -e "setInterval(() => {}, 1000)" {model} {data} & echo $! > ${join(w.dir, 'pid')}; wait`
    await versions(sleeper)
    log(800, { labelled: 0 })
    const start = performance.now()
    await look()
    const machine = performance.now() - start
    log(800)
    // A folder of its own to see what is left; long enough for the inputs on a machine as busy as this one is now.
    const { TMPDIR } = process.env
    process.env.TMPDIR = join(w.dir, 'tmp')
    mkdirSync(process.env.TMPDIR)
    const fit = await look({ limit: 2_000 + 5 * machine })
    const left = readdirSync(tmpdir())
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    assert.equal(fit.verdict, 'fits')
    assert.match(fit.summary, /not evaluated again: it took more than [\d.]+ s/)
    const pid = Number(readFileSync(join(w.dir, 'pid'), 'utf8'))
    while (isAlive(pid)) await pause(50)
    assert.deepEqual(left, [], 'rows of people are left behind')
  })

  it('is not determined while the database of the log does not answer', async () => {
    const silent = await silentServer()
    try {
      await versions(evaluate)
      const predictions = { at: `postgres://mlops@127.0.0.1:${silent.port}/log`, drop: [], sample: 1 }
      const fit = await look({ limit: 500 }, { predictions })
      assert.equal(fit.verdict, 'not determined')
      assert.match(fit.summary, /it took more than 0\.5 s/)
    } finally {
      silent.server.close()
    }
  })

  it('takes the time that MLOPS_FIT_SECONDS allows, and passes over what is no number', async () => {
    await versions('sleep 600 # {model} {data}')
    log(800)
    const asked = { model: MODEL, version: 1, stage: 'production', from: 2, current: undefined, verify: true }
    const within = (seconds: string) => {
      const env = { ...w.ctx.env, MLOPS_FIT_SECONDS: seconds }
      return determineFit({ ...w.ctx, env }, project(), w.store, asked)
    }
    assert.match((await within('1.5')).summary, /it took more than 1\.5 s \(MLOPS_FIT_SECONDS gives it longer\)/)
    assert.match((await within('soon')).summary, /it took more than 10 s/)
    assert.match(w.warnings.join(), /MLOPS_FIT_SECONDS is no number of seconds/)
  })

  it('is told in the event, with the figures that decided', async () => {
    await versions(evaluate)
    log(800)
    await rollback(w.ctx, project(), w.store, { model: MODEL, stage: 'production' })
    const event = (await w.store.models.state(MODEL)).events.at(-1)
    assert.ok(event?.type === 'rollback')
    // biome-ignore lint/suspicious/noThenProperty: as the event has it
    const told = { rows: 800, now: { accuracy: 1 }, then: { accuracy: 1 }, verdict: 'holds' }
    assert.deepEqual(event.body.evaluation, told)
  })

  it('does not hold a rollback up, whatever is wrong with the settings of the log', async () => {
    await versions(evaluate)
    w = { ...w, ctx: { ...w.ctx, env: { ...w.ctx.env, MLOPS_PREDICTIONS: 'not/absolute' } } }
    const result = await rollback(w.ctx, project(), w.store, { model: MODEL, stage: 'production' })
    assert.deepEqual([result.version, result.fit.verdict], [1, 'not determined'])
    assert.match(result.fit.summary, /MLOPS_PREDICTIONS/)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie that nobody has waited for is gone, too.
    const status = `/proc/${pid}/stat`
    return !existsSync(status) || !/\) Z /.test(readFileSync(status, 'utf8'))
  } catch {
    return false
  }
}

/** Takes connections and never says a word. */
async function silentServer(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}
