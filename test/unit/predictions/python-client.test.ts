/** The prediction log as the Python client writes it and as this program reads it: the same rows, counted alike. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import type { Profile } from '../../../src/drift/profile.ts'
import { logHome } from '../../../src/predictions/home.ts'
import { openLog } from '../../../src/predictions/log.ts'
import { createTables } from '../../../src/predictions/postgres-write.ts'
import { EVERYTHING } from '../../../src/predictions/window.ts'
import { loadProject } from '../../../src/project/load.ts'
import { startPostgres } from '../../support/postgres.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { CLIENT, type Workshop, workshop } from '../tracking/support.ts'

const ROWS = 3000
const MAKE = `
import sys
import numpy as np, pandas as pd
rng = np.random.default_rng(5)
def make(n, shift):
    frame = pd.DataFrame({
        "amount": rng.normal(100 + shift, 15, n), "single": rng.normal(0, 1, n).astype("float32"),
        "count": rng.poisson(3, n), "whole": rng.integers(0, 9, n).astype(float), "flag": rng.random(n) < 0.3,
        "plan": rng.choice(["basic", "plus", "50 % \\u00fc", 'say "x"'], n), "region": pd.Categorical(rng.choice(list("nsew"), n)),
        "big": rng.integers(2**60, 2**60 + 50, n), "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 1000, n), "h"),
        "empty": [None] * n, "score": rng.random(n)})
    frame.loc[frame.index % 7 == 0, "amount"] = np.nan
    frame.loc[frame.index % 11 == 0, "amount"] = np.inf
    frame.loc[frame.index % 5 == 0, "plan"] = None
    return frame
make(${ROWS}, 0).to_csv("train.csv", index=False)
batch = make(${ROWS}, 4)
batch.to_csv("rows.csv", index=False)
`
const watch = (rows: string) => `${MAKE}
import polars as pl, pyarrow as pa
from mlops import monitor
m = monitor("churn-model")
X = batch.drop(columns="score")
m.watch(${rows}, output=batch["score"], version=3)
m.watch(X.iloc[:5], output=[0.5] * 5, version=2)
m.watch(X.iloc[:3], version=3, error="Timeout")
assert m.flush(60) and m.dropped == 0, m.last_error
`
const FORMS = {
  'a pandas frame': 'X',
  'a polars frame': 'pl.from_pandas(X)',
  'an arrow table': 'pa.Table.from_pandas(X)',
  'a list of dicts': 'X.to_dict("records")',
  'a dict of columns': '{name: X[name] for name in X}',
}

describe('What the Python client watched', () => {
  let shop: Workshop
  before(function () {
    needsPython(this)
  })
  beforeEach(async () => {
    shop = await workshop({ 'mlops.yaml': 'models:\n  churn-model: {}\n' })
  })
  afterEach(() => shop.remove())
  const python = (code: string, env: NodeJS.ProcessEnv = {}) =>
    execFileSync(PYTHON, ['-c', code], {
      cwd: shop.root,
      env: { PATH: '/usr/bin:/bin', PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', ...env },
    })

  async function compare(env: Readonly<Record<string, string>> = {}) {
    const schema = { columns: { score: 'numeric', when: 'timestamp' }, prediction: 'score' } as const
    const { profile } = await profileBaseline('train.csv', { cwd: shop.root, schema })
    const fromFile = await profileBatch(profile, 'rows.csv', { cwd: shop.root })
    const ctx = shop.context(env)
    const log = openLog(ctx, await loadProject({ cwd: shop.root, env: {} }), shop.store, 'churn-model')
    const rows = log.rows(
      { ...EVERYTHING, version: 3 },
      { prediction: 'score', columns: profile.columns.map(({ name }) => name) },
    )
    const fromLog = await profileBatch(profile, rows, { cwd: shop.root })
    assert.equal(fromLog.profile.rows, ROWS)
    assert.deepEqual(singlePrecision(fromLog.profile), singlePrecision(fromFile.profile))
    return log
  }

  for (const [what, rows] of Object.entries(FORMS)) {
    it(`from ${what} counts as the same rows in a CSV do`, async () => {
      python(watch(rows))
      const log = await compare()
      const stats = await log.stats(EVERYTHING)
      assert.deepEqual([stats.requests, stats.errors, stats.torn], [ROWS + 8, 3, 0])
      assert.deepEqual(stats.errorsByCategory, { Timeout: 3 })
    })
  }

  it('in PostgreSQL counts as the same rows in a CSV do', async function () {
    const server = await startPostgres(this)
    try {
      const ctx = shop.context({ MLOPS_PREDICTIONS: server.url })
      const home = logHome(ctx, await loadProject({ cwd: shop.root, env: {} }), 'churn-model')
      assert.ok(home.kind === 'postgres')
      await createTables(ctx, home)
      python(watch('X'), { MLOPS_PREDICTIONS: server.url })
      assert.ok(!existsSync(join(shop.store.root, 'predictions/churn-model')))
      await compare({ MLOPS_PREDICTIONS: server.url })
    } finally {
      await server.stop()
    }
  })
})

/** A float32 has more digits in JSON than pandas gives it in a CSV; it is the same float32, and is counted as the same. */
const singlePrecision = ({ columns }: Profile) =>
  columns.map((column) =>
    column.type === 'numeric' && column.name === 'single'
      ? { ...column, min: Math.fround(Number(column.min)), max: Math.fround(Number(column.max)) }
      : column,
  )
