/** The whole check against a real store, and the verdicts on batches whose columns are not what they were. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { type CheckRequest, checkDrift } from '../../../src/drift/check.ts'
import type { CheckResult } from '../../../src/drift/types.ts'
import type { ModelConfig, Project } from '../../../src/project/config.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { createStore } from '../../../src/store/create.ts'
import type { Manifest } from '../../../src/store/manifest.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { skipBecause } from '../../support/skip.ts'
import { csv, DATA, type Folder, folder, NO_SCHEMA } from './support.ts'

const MODEL = 'churn-model'

let work: Folder
let store: Store
let ctx: Context
let warnings: string[]

beforeEach(async () => {
  work = folder()
  const root = join(work.path, '.mlops')
  await createStore(root, {})
  store = await openStore(root, { write: true })
  warnings = []
  ctx = {
    cwd: work.path,
    env: {},
    actor: { name: 'ada@laptop', origin: 'local' },
    tool: 'mlops 0.1.0',
    now: () => new Date(Date.UTC(2026, 0, 1)),
    warn: (message) => warnings.push(message),
  }
})
afterEach(() => work.remove())

const project = (config: Partial<ModelConfig> = {}): Project => ({
  root: work.path,
  storeRoot: join(work.path, '.mlops'),
  config: { store: '.mlops', stages: ['staging', 'production'], models: { [MODEL]: { ...defaultModel(), ...config } } },
})

/** Registers a version with the baseline of a file, or without one, as `register` does. */
async function register(data: string | undefined, config: Partial<ModelConfig> = {}): Promise<void> {
  const baseline = data === undefined ? undefined : await work.baseline(data, config.schema ?? NO_SCHEMA)
  const state = await store.models.stateOrEmpty(MODEL)
  const manifest: Manifest = {
    format: 1,
    model: MODEL,
    files: [],
    metrics: {},
    params: { n: state.versions.length },
    data: [],
    ...(baseline === undefined
      ? {}
      : {
          baseline: {
            profile: (await store.objects.put(baseline.bytes)).sha256,
            data: { name: 'baseline', sha256: baseline.data.sha256 },
          },
        }),
  }
  const pin = await store.objects.put(Buffer.from(`${JSON.stringify(manifest)}\n`))
  const version = state.versions.length + 1
  const written = await store.models.commit(state, {
    op_id: `register-${version}`,
    request: sha256(String(version)),
    type: 'register',
    body: { version, manifest: pin.sha256, tags: [] },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  })
  assert.equal(written.kind, 'committed')
}

const check = (current: string, more: Partial<CheckRequest> = {}, config: Partial<ModelConfig> = {}) =>
  checkDrift(ctx, project(config), store, { ref: MODEL, current, ...more })

const verdicts = (result: CheckResult): Record<string, string> =>
  Object.fromEntries(result.columns.map(({ column, verdict }) => [column, verdict]))

/** Rows of a customer table; `change` alters one row. */
function customers(
  count: number,
  seed: number,
  change: (row: Record<string, unknown>, i: number) => object = (row) => row,
) {
  const rows = Array.from({ length: count }, (_, i) => {
    const k = (i * 2654435761 + seed * 40503) % 1_000_003
    const row = {
      age: 20 + (k % 50),
      plan: ['basic', 'plus', 'pro'][k % 3],
      income: (k % 997) / 7,
      score: (k % 101) / 100,
    }
    return change(row, i)
  })
  const names = Object.keys(rows[0] ?? {})
  return csv(
    names.join(','),
    rows.map((row) => names.map((name) => (row as Record<string, unknown>)[name] ?? '').join(',')),
  )
}

describe('mlops drift', () => {
  beforeEach(async () => {
    work.write('train.csv', customers(2_000, 1))
    work.write('june.csv', customers(1_500, 2))
  })

  it('finds nothing in a fresh sample of the same customers, and stores the check once', async () => {
    await register('train.csv')
    const result = await check('june.csv')
    assert.equal(result.verdict, 'stable')
    assert.equal(result.reference.name, 'baseline of churn-model@1')
    assert.deepEqual([result.version, result.reference.rows, result.current.rows], [1, 2_000, 1_500])
    assert.match(result.summary, /^No drift in 4 columns over 1,500 rows/)
    await check('june.csv')
    const stored = await store.checks.list(MODEL)
    assert.equal(stored.length, 1)
    assert.deepEqual(stored[0]?.record, JSON.parse(JSON.stringify(result)))
    await check('june.csv', { threshold: 0.2 })
    assert.equal((await store.checks.list(MODEL)).length, 2, 'another threshold is another check')
  })

  it('names the column that shifted with before and after', async () => {
    await register('train.csv')
    work.write(
      'july.csv',
      customers(1_500, 3, (row, i) => (i % 2 === 0 ? { ...row, plan: 'pro' } : row)),
    )
    const result = await check('july.csv')
    assert.deepEqual(verdicts(result), { plan: 'drift', age: 'stable', income: 'stable', score: 'stable' })
    assert.match(result.summary, /^Drift in 1 of 4 columns: plan: pro 33 % -> 67 %\.$/)
  })

  it('reports missing, extra and re-typed columns as findings', async () => {
    await register('train.csv')
    work.write(
      'odd.csv',
      customers(500, 4, ({ plan, ...row }) => ({ ...row, age: 'old', segment: 'x' })),
    )
    const result = await check('odd.csv')
    assert.equal(result.verdict, 'drift')
    const broken = result.columns.filter(({ verdict }) => verdict === 'broken')
    assert.deepEqual(broken.map(({ summary }) => summary).sort(), [
      'age: type changed: numeric -> text',
      'plan: missing from the batch',
    ])
    assert.match(result.notes.join(), /not in the baseline and not compared: "segment"/)
  })

  it('calls a column that is newly empty broken, whatever the number of rows', async () => {
    await register('train.csv')
    work.write(
      'few.csv',
      customers(3, 4, (row) => ({ ...row, income: '' })),
    )
    const income = (await check('few.csv')).columns.find(({ column }) => column === 'income')
    assert.equal(income?.verdict, 'broken')
    assert.match(income?.summary ?? '', /newly empty: nulls 0 % -> 100 %/)
  })

  it('believes a cause only with evidence: one new category in 1,500 rows informs, a hundred are a cause', async () => {
    await register('train.csv')
    const weekly = (count: number) => customers(1_500, 5, (row, i) => (i < count ? { ...row, plan: 'weekly' } : row))
    work.write('one.csv', weekly(1))
    work.write('many.csv', weekly(200))
    const plan = async (file: string) => (await check(file)).columns.find(({ column }) => column === 'plan')
    const [one, many] = [await plan('one.csv'), await plan('many.csv')]
    assert.deepEqual([one?.causes, one?.verdict], [[], 'stable'])
    assert.match(one?.informs.join() ?? '', /a new category: "weekly" in <0.1 % of the rows/)
    assert.match(many?.causes.join() ?? '', /a new category: "weekly" in 13 % of the rows/)
    assert.equal(many?.verdict, 'drift')
  })

  it('finds nulls that vanish and infinite values that appear', async () => {
    work.write(
      'half.csv',
      customers(2_000, 1, (row, i) => (i % 100 < 52 ? { ...row, income: '' } : row)),
    )
    await register('half.csv')
    work.write(
      'full.csv',
      customers(1_000, 2, (row, i) => (i % 100 < 7 ? { ...row, income: '' } : row)),
    )
    work.write(
      'inf.csv',
      customers(1_000, 2, (row, i) => ({ ...row, income: i % 100 < 52 ? '' : 'inf' })),
    )
    const income = async (file: string) => (await check(file)).columns.find(({ column }) => column === 'income')
    const full = await income('full.csv')
    assert.equal(full?.verdict, 'drift')
    assert.match(full?.summary ?? '', /income: nulls 52 % -> 7 %/)
    assert.match((await income('inf.csv'))?.causes.join() ?? '', /infinite 0 % -> 48 %/)
  })

  it('cannot be blinded by one outlier of 1e6 in the baseline', async () => {
    work.write(
      'outlier.csv',
      customers(2_000, 1, (row, i) => (i === 7 ? { ...row, income: 1e6 } : row)),
    )
    await register('outlier.csv')
    work.write(
      'richer.csv',
      customers(1_500, 2, (row) => ({ ...row, income: Number(row.income) * 1.3 + 10 })),
    )
    for (const metric of ['psi', 'js', 'ks', 'wasserstein', 'chi2'] as const) {
      const result = await check('richer.csv', { metric })
      assert.equal(verdicts(result).income, 'drift', metric)
      assert.equal(verdicts(await check('june.csv', { metric })).income, 'stable', metric)
    }
  })

  it('says which types of mlops.yaml wait for a new baseline, and leaves ids out at once', async () => {
    work.write('train.csv', customers(1_500, 1))
    work.write('now.csv', customers(1_200, 2))
    await register('train.csv')
    const schema = { columns: { age: 'categorical', plan: 'id' } } as const
    const result = await check('now.csv', {}, { schema })
    assert.match(result.notes.join('\n'), /age is categorical in mlops.yaml but numeric in the baseline, which decides/)
    assert.equal(verdicts(result).plan, 'skipped')
    assert.notEqual(verdicts(result).age, 'skipped')
  })

  it('is inconclusive about a batch without rows and about a handful of rows', async () => {
    await register('train.csv')
    work.write('empty.csv', 'age,plan,income,score\n')
    const empty = await check('empty.csv')
    assert.equal(empty.verdict, 'inconclusive')
    assert.match(empty.summary, /has no rows/)
    work.write('few.csv', customers(25, 9))
    const few = await check('few.csv')
    assert.equal(few.verdict, 'inconclusive')
    assert.match(few.summary, /Too few rows to say: .* about \d+ are needed/)
    assert.ok((few.columns[0]?.rowsNeeded ?? 0) > 25)
  })

  it('lists the prediction column first, and is inconclusive without it', async () => {
    const config = { schema: { columns: {}, prediction: 'score', target: 'age' } }
    await register('train.csv', config)
    work.write(
      'july.csv',
      customers(1_500, 3, (row) => ({ ...row, plan: 'pro' })),
    )
    assert.equal((await check('july.csv', {}, config)).columns[0]?.column, 'score')
    work.write(
      'unscored.csv',
      customers(1_500, 3, ({ age, score, ...row }) => row),
    )
    const result = await check('unscored.csv', {}, config)
    assert.equal(result.verdict, 'inconclusive')
    assert.match(result.summary, /prediction column score is inconclusive: the batch has no such column/)
    assert.equal(verdicts(result).age, 'skipped', 'labels come later')
  })

  it('obeys thresholds of the model and of a column, and ignores them under another metric', async () => {
    const drift = { metric: 'psi', threshold: 0.3, columns: { plan: { threshold: 5 } } } as const
    await register('train.csv')
    work.write(
      'july.csv',
      customers(1_500, 3, (row, i) => (i % 2 === 0 ? { ...row, plan: 'pro' } : row)),
    )
    const strict = await check('july.csv', {}, { drift })
    assert.equal(verdicts(strict).plan, 'negligible')
    assert.deepEqual(new Set(strict.columns.map(({ threshold }) => threshold)), new Set([5, 0.3]))
    const other = await check('july.csv', { metric: 'linf' }, { drift })
    assert.equal(verdicts(other).plan, 'drift')
    assert.deepEqual(new Set(other.columns.map(({ threshold }) => threshold)), new Set([0.1]))
  })

  it('compares with another version and with a file', async () => {
    await register('train.csv')
    work.write(
      'july.csv',
      customers(2_000, 3, (row) => ({ ...row, age: Number(row.age) + 30 })),
    )
    await register('july.csv')
    assert.equal((await check('june.csv')).verdict, 'drift', 'the newest version while production is empty')
    assert.equal((await check('june.csv', { against: '@1' })).verdict, 'stable')
    const file = await check('july.csv', { against: 'july.csv' })
    assert.deepEqual([file.verdict, file.reference.name], ['stable', 'july.csv'])
  })

  it('tells nulls from a category that is called missing, in the groups and in the sentence', async () => {
    const of = (words: readonly string[]) =>
      `id,plan\n${Array.from({ length: 2_000 }, (_, i) => `${i},${words[i % words.length]}`).join('\n')}\n`
    work.write('train.csv', of(['basic', 'missing', '', 'basic']))
    work.write('nulls.csv', of(['basic', 'missing', '', '']))
    work.write('words.csv', of(['basic', 'missing', '', 'missing']))
    await register('train.csv')
    const plan = async (current: string) =>
      (await checkDrift(ctx, project(), store, { ref: MODEL, current })).columns.find(({ column }) => column === 'plan')
    const nulls = await plan('nulls.csv')
    assert.deepEqual(
      nulls?.groups.filter(({ label }) => label === 'missing'),
      [
        { label: 'missing', kind: 'category', before: 0.25, after: 0.25 },
        { label: 'missing', kind: 'missing', before: 0.25, after: 0.5 },
      ],
    )
    assert.equal(nulls?.summary, 'plan: nulls 25 % -> 50 %')
    assert.equal((await plan('words.csv'))?.summary, 'plan: "missing" 25 % -> 50 %')
  })

  it('names the way on when a version has no baseline, a stage is empty or the file is the wrong one', async () => {
    await register(undefined)
    await assert.rejects(check('june.csv'), {
      code: 'BASELINE_MISSING',
      exit: 'notFound',
      hint: /--against TRAINING.csv/,
    })
    await assert.rejects(check('june.csv', { ref: `${MODEL}@production` }), { code: 'STAGE_EMPTY' })
    await assert.rejects(check('june.csv', { ref: 'churn-modle' }), { code: 'MODEL_NOT_FOUND' })
    await register('train.csv')
    work.write('other.csv', csv('a,b', ['1,2', '3,4']))
    await assert.rejects(check('other.csv'), {
      code: 'DATA_UNRELATED',
      message: /no column in common with the baseline/,
    })
    await assert.rejects(check('june.csv', { threshold: Number.NaN }), { code: 'THRESHOLD_INVALID', exit: 'usage' })
  })
})

describe('mlops drift on real data', function () {
  this.timeout(60_000)

  function rows(context: Mocha.Context, file: string): { header: string; lines: string[] } {
    if (!existsSync(join(DATA, file))) skipBecause(context, `../shared/data/${file} is not there`)
    const [header = '', ...lines] = readFileSync(join(DATA, file), 'utf8').trimEnd().split(/\r?\n/)
    return { header, lines }
  }

  it('is calm about a random half of the telco customers', async function () {
    const { header, lines } = rows(this, 'telco-churn.csv')
    for (const salt of [1, 2, 3, 4]) {
      const isFirst = lines.map((line) => Number.parseInt(sha256(`${salt}${line}`).slice(0, 2), 16) % 2 === 0)
      work.write(
        'first.csv',
        csv(
          header,
          lines.filter((_, i) => isFirst[i]),
        ),
      )
      work.write(
        'second.csv',
        csv(
          header,
          lines.filter((_, i) => !isFirst[i]),
        ),
      )
      const result = await work.compare('first.csv', 'second.csv')
      assert.equal(result.verdict, 'stable', result.summary)
    }
  })

  it('names contract, internet service and charges for month-to-month fibre customers', async function () {
    const { header, lines } = rows(this, 'telco-churn.csv')
    work.write('all.csv', csv(header, lines))
    work.write(
      'fibre.csv',
      csv(
        header,
        lines.filter((line) => /Fiber optic/.test(line) && /Month-to-month/.test(line)),
      ),
    )
    await register('all.csv')
    const result = await check('fibre.csv')
    assert.equal(result.verdict, 'drift')
    const first = result.columns.slice(0, 3).map(({ column }) => column)
    assert.deepEqual(first.sort(), ['Contract', 'InternetService', 'MonthlyCharges'])
    assert.match(result.summary, /Contract: Month-to-month 55 % -> 100 %/)
    assert.match(result.summary, /InternetService: Fiber optic 44 % -> 100 %/)
    assert.equal(verdicts(result).gender, 'stable')
    assert.equal(verdicts(result).customerID, 'skipped')
  })

  it('finds the drift of the electricity market in time order, and none between two random halves', async function () {
    const { header, lines } = rows(this, 'electricity.csv')
    work.write('early.csv', csv(header, lines.slice(0, lines.length / 2)))
    work.write('late.csv', csv(header, lines.slice(lines.length / 2)))
    const result = await work.compare('early.csv', 'late.csv')
    const drifted = result.columns.filter(({ verdict }) => verdict === 'drift').map(({ column }) => column)
    assert.deepEqual(drifted.sort(), ['nswprice', 'transfer', 'vicdemand', 'vicprice'])
    const isEven = lines.map((_, i) => Number.parseInt(sha256(String(i)).slice(0, 2), 16) % 2 === 0)
    work.write(
      'even.csv',
      csv(
        header,
        lines.filter((_, i) => isEven[i]),
      ),
    )
    work.write(
      'odd.csv',
      csv(
        header,
        lines.filter((_, i) => !isEven[i]),
      ),
    )
    assert.equal((await work.compare('even.csv', 'odd.csv')).verdict, 'stable')
  })
})
