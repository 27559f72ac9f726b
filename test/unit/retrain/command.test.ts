/** `mlops retrain` as a CI job sees it: exit codes, text, JSON. Run from source in a process of its own. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { RunEnd, RunStart } from '../../../src/store/run-records.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

describe('mlops retrain on the command line', function () {
  this.timeout(120_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  beforeEach(async () => {
    shop = await workshop()
    await shop.firstVersion()
    await shop.check('data/june.csv')
  })
  afterEach(() => shop?.remove())

  function mlops(args: readonly string[], cwd = shop.dir, more: Record<string, string> = {}) {
    const env = { PATH: process.env.PATH, HOME: shop.dir, LANG: 'C.UTF-8', ...more }
    const run = spawnSync(process.execPath, [join(ROOT, 'bin/dev.js'), ...args, '--no-input'], {
      cwd,
      env,
      encoding: 'utf8',
    })
    return { code: run.status, stdout: run.stdout, stderr: run.stderr }
  }

  it('stays red after a failed training, says what failed, and how to retrain all the same', async () => {
    shop.write('quality.txt', 'broken')
    assert.equal(mlops(['retrain', MODEL]).code, 1)
    const [run] = await shop.store.runs.list()
    const text = mlops(['retrain', MODEL])
    assert.equal(text.code, 3, text.stdout)
    assert.match(
      text.stdout,
      /churn-model needs retraining, and was not retrained: .*failed .* ago, and the cool-down is 7 days\./,
    )
    assert.match(text.stdout, new RegExp(`failed +exit code 3: cannot converge \\(run ${run}\\)`))
    const force = `mlops retrain ${MODEL} --force --reason "what was changed"`
    assert.ok(text.stdout.includes(`To retrain all the same: ${force}`), text.stdout)
    assert.ok(text.stdout.includes(`Next: mlops run show ${run}`), text.stdout)
    assert.equal(mlops(['retrain', MODEL, '--plan']).code, 0, 'a plan only shows')

    const json = mlops(['retrain', MODEL, '--json'])
    assert.equal(json.code, 3)
    const { outcome, plan } = JSON.parse(json.stdout).data
    assert.deepEqual([outcome, plan.decision, plan.blocked.kind], ['blocked', 'blocked', 'cool-down'])
    assert.deepEqual(plan.blocked.failure, { run, exitCode: 3, lastLine: 'cannot converge' })
    assert.equal(plan.blocked.force, force)

    shop.write('quality.txt', '0.9')
    assert.equal(mlops(['retrain', MODEL, '--force', '--reason', 'it converges now']).code, 0)
    const waits = mlops(['retrain', MODEL])
    assert.equal(waits.code, 0, 'a candidate that waits for a person is no failure')
    assert.match(waits.stdout, /Nothing to do .*waits in staging for a person's decision/)
  })

  it('is red when the candidate was refused for this production version', () => {
    shop.write('quality.txt', '0.7')
    assert.equal(mlops(['retrain', MODEL]).code, 3)
    const again = mlops(['retrain', MODEL])
    assert.equal(again.code, 3)
    assert.match(again.stdout, /refused by its gate, and production is still the same/)
    assert.match(again.stdout, /To retrain all the same: mlops retrain churn-model --force/)
  })

  it('takes a candidate that was rolled back for rejected, and names who, why and the way on', async () => {
    await shop.retrain()
    assert.equal(mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada']).code, 0)
    const eve = { ...shop.ctx, actor: { name: 'eve@laptop', origin: 'local' as const } }
    await rollback(eve, shop.project, shop.store, { model: MODEL, stage: 'production', reason: 'latency doubled' })
    const { code, stdout } = mlops(['retrain', MODEL])
    assert.equal(code, 3, stdout)
    assert.match(stdout, /rolled back to churn-model@1 by eve@laptop .* ago \(reason: latency doubled\)/)
    assert.match(stdout, /Next: mlops retrain churn-model --force --reason/)
    assert.match(stdout, /mlops promote churn-model@2 --to production --approve NAME/)
    assert.ok(!stdout.includes("person's decision"), stdout)
  })

  it('records the interpreter and its packages also when the command needs a shell', async () => {
    const command = 'command: python3 train.py data/june.csv'
    shop.write(
      'retraining-policy.yaml',
      POLICY.replace(command, 'command: cd . && SEED=1 python3 train.py data/june.csv'),
    )
    const { run } = await shop.retrain()
    const { start, end } = await shop.store.runs.read(run?.id ?? '')
    const { python } = { ...(start as RunStart), ...(end as RunEnd).late }
    assert.match(python?.version ?? 'nothing recorded', /^3\./)
  })

  it('runs the interpreter of the project that init writes down, with nothing activated', async () => {
    execFileSync('python3', ['-m', 'venv', '--without-pip', join(shop.dir, '.venv')])
    shop.write('retraining-policy.yaml', POLICY.replace('command: python3', 'command: .venv/bin/python'))
    const result = await shop.retrain()
    assert.equal(result.outcome, 'promoted', result.message)
    const { start, end } = await shop.store.runs.read(result.run?.id ?? '')
    const { python } = { ...(start as RunStart), ...(end as RunEnd).late }
    assert.equal(python?.executable, join(shop.dir, '.venv/bin/python'))
  })

  it('says where the data is declared when the new version has no baseline', async () => {
    shop.write('retraining-policy.yaml', POLICY.replace('train: data/june.csv, ', ''))
    await shop.retrain()
    const [warning] = shop.warnings.filter((text) => text.includes('no baseline'))
    assert.match(warning ?? '', /declare it in retraining-policy\.yaml, under policy\.job: +data: \{train: PATH\}/)
    assert.ok(!warning?.includes('--baseline'), warning)
  })

  it('holds production to the gate of the project wherever the command is typed', () => {
    const config = readFileSync(join(shop.dir, 'mlops.yaml'), 'utf8')
    shop.write('mlops.yaml', config.replace('gates:', 'gates:\n      production: {min_auc: 0.99}'))
    assert.equal(mlops(['register', MODEL, '--artifact', 'model.bin', '--metric', 'auc=0.5']).code, 0)
    const promote = ['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'eve', '--dry-run']
    const away = mkdtempSync(join(tmpdir(), 'mlops-away-'))
    assert.equal(mlops([...promote, '--store', join(shop.dir, '.mlops')], away).code, 3)
    assert.equal(mlops(promote, away, { MLOPS_STORE: join(shop.dir, '.mlops') }).code, 3)
    rmdirSync(away)
  })
})
