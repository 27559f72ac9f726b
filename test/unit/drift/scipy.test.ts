/** The statistics against numpy and scipy, on data that break drift detectors. */
import assert from 'node:assert/strict'
import { chiSquareQuantile, chiSquareTail, normalQuantile } from '../../../src/core/special.ts'
import type { Baseline } from '../../../src/drift/baseline.ts'
import { profileBatch } from '../../../src/drift/baseline.ts'
import { type Comparison, compareProfiles } from '../../../src/drift/compare.ts'
import { benjaminiHochberg, ksNoise } from '../../../src/drift/evidence.ts'
import { groupColumn } from '../../../src/drift/groups.ts'
import { spansOf } from '../../../src/drift/measure-column.ts'
import { psi, uniformStream, wasserstein } from '../../../src/drift/measures.ts'
import type { Profile } from '../../../src/drift/profile.ts'
import { askPython, type Folder, folder } from './support.ts'

const close = (actual: number | null | undefined, expected: number, tolerance: number, what: string): void => {
  const difference = Math.abs((actual ?? Number.NaN) - expected)
  assert.ok(difference <= tolerance * Math.max(1, Math.abs(expected)), `${what}: ${actual}, scipy says ${expected}`)
}

/** Relative to the value where that is above 1, else absolute: docs/drift-statistics.md states the same. */
const BOUNDS = { psi: 1e-9, js: 1e-9, linf: 1e-12, chi2: 1e-9, chi2_statistic: 1e-9, p: 1e-9 } as const
const KS_WIDTH = 0.01
const WASSERSTEIN = 0.01

describe('Drift statistics agree with scipy', function () {
  this.timeout(60_000)
  let work: Folder
  let baseline: Baseline
  let batch: Profile
  let result: Comparison
  // biome-ignore lint/suspicious/noExplicitAny: the answer of the Python reference
  let expected: Record<string, any>
  const column = (name: string) => {
    const found = result.columns.find((each) => each.column === name)
    assert.ok(found, name)
    return found
  }

  before(async function () {
    work = folder()
    askPython(this, { do: 'write', dir: work.path })
    baseline = await work.baseline('before.parquet')
    batch = (await profileBatch(baseline.profile, 'after.parquet', { cwd: work.path })).profile
    result = compareProfiles(baseline.profile, batch, { metric: 'psi' })
    expected = askPython(this, { do: 'judge', profile: baseline.profile })
  })
  after(() => work?.remove())

  it('counts every value into the bin that numpy puts it into', () => {
    for (const [index, definition] of baseline.profile.columns.entries()) {
      const counted = batch.columns[index]
      if (definition.type !== 'numeric' || counted?.type !== 'numeric') continue
      assert.deepEqual([definition.counts, counted.counts], expected[definition.name].counts, definition.name)
    }
  })

  it('gathers bins into the groups that the format describes', () => {
    for (const [index, definition] of baseline.profile.columns.entries()) {
      const groups = groupColumn(definition, batch.columns[index] ?? definition)
      const sorted = (pairs: number[][]) => pairs.map(String).sort()
      const pairs = groups.map((group) => [group.before, group.after])
      assert.deepEqual(sorted(pairs), sorted(expected[definition.name].groups), definition.name)
    }
  })

  for (const [measure, tolerance] of Object.entries(BOUNDS)) {
    it(`computes ${measure} as numpy and scipy do, to ${tolerance}`, () => {
      for (const [name, { [measure]: value }] of Object.entries(expected)) {
        if (column(name).verdict === 'broken') continue
        close(column(name).measures[measure], value, tolerance, `${measure} of ${name}`)
      }
    })
  }

  it('brackets the Kolmogorov-Smirnov statistic of the raw values within 0.01, also with 70 % ties', () => {
    for (const [name, { ks }] of Object.entries(expected)) {
      if (ks === undefined) continue
      const { ks_lower: lower, ks_upper: upper } = column(name).measures
      assert.ok((lower ?? 1) <= ks + 1e-12 && ks <= (upper ?? 0) + 1e-12, `${name}: ${lower} <= ${ks} <= ${upper}`)
      assert.ok((upper ?? 1) - (lower ?? 0) < KS_WIDTH, `${name}: the bracket is ${(upper ?? 1) - (lower ?? 0)} wide`)
    }
  })

  it('has a bracket without width, the statistic itself, where every value has a bin of its own', () => {
    const single = Object.entries(expected).filter(([, { single }]) => single === true)
    assert.deepEqual(single.map(([name]) => name).sort(), ['constant', 'dice'])
    for (const [name, { ks }] of single) {
      close(column(name).measures.ks_lower, ks, 1e-12, `lower bound of ${name}`)
      close(column(name).measures.ks_upper, ks, 1e-12, `upper bound of ${name}`)
    }
  })

  it('comes within 0.01 of the trimmed Wasserstein distance of the raw values, with an outlier of 1e6 too', () => {
    for (const [name, { wasserstein: value }] of Object.entries(expected)) {
      if (value === undefined) continue
      close(column(name).measures.wasserstein, value, WASSERSTEIN, `Wasserstein of ${name}`)
    }
  })

  it('comes within 0.01 of scipy.stats.wasserstein_distance without trimming', () => {
    for (const name of ['normal_half', 'normal_wide', 'integers', 'ties', 'dice', 'constant_changed']) {
      const index = baseline.profile.columns.findIndex((each) => each.name === name)
      const [a, b] = [baseline.profile.columns[index], batch.columns[index]]
      assert.ok(a?.type === 'numeric' && b?.type === 'numeric')
      close(wasserstein(spansOf(a), spansOf(b), 0), expected[name].plain_wasserstein, WASSERSTEIN, name)
    }
  })

  it('computes PSI as published: incomes of 40, 30, 30 % that become 35, 25, 40 % are 0.0446', () => {
    // GeeksforGeeks, "Population Stability Index (PSI)", 13 Aug 2025; 0.5 rows more per group do not matter here.
    const rows = 1e7
    const shares = (list: readonly number[]) => list.map((share) => share * rows)
    close(psi(shares([0.4, 0.3, 0.3]), shares([0.35, 0.25, 0.4])), 0.006677 + 0.009116 + 0.028768, 2e-6, 'PSI')
  })

  it('computes PSI of normal shifts as Jeffreys divergence has it: the square of the shift', () => {
    // Kullback and Leibler 1951: J = (difference of means)² / variance; ten groups lose some of it.
    for (const [name, shift] of [
      ['normal_small', 0.1],
      ['normal_half', 0.5],
    ] as const) {
      const found = column(name).measures.psi ?? 0
      assert.ok(found < 1.2 * shift ** 2 + 0.01 && found > 0.7 * shift ** 2, `${name}: ${found}`)
    }
  })

  it('corrects for the number of columns as Benjamini and Hochberg do', () => {
    for (const [name, { pAdjusted }] of Object.entries(expected)) {
      const found = column(name)
      if (found.pAdjusted !== null) close(found.pAdjusted, pAdjusted, 1e-9, `adjusted p of ${name}`)
    }
  })

  it('states the noise bound of PSI as the chi-square quantile gives it', () => {
    for (const [name, { noise }] of Object.entries(expected)) close(column(name).noise, noise, 1e-9, `noise of ${name}`)
  })

  it('finds what shifted and leaves alone what did not', () => {
    const verdicts = Object.fromEntries(result.columns.map(({ column, verdict }) => [column, verdict]))
    assert.deepEqual(
      {
        drift: Object.keys(verdicts)
          .filter((name) => verdicts[name] === 'drift' || verdicts[name] === 'broken')
          .sort(),
        stable: Object.keys(verdicts)
          .filter((name) => verdicts[name] === 'stable')
          .sort(),
      },
      {
        drift: [
          'constant_changed',
          'dice',
          'integers',
          'new_category',
          'normal_half',
          'normal_wide',
          'nulls_52_to_7',
          'ties',
        ],
        stable: ['all_null', 'constant', 'many', 'many_uniform', 'normal_same'],
      },
    )
  })

  it('computes chi-square tails and quantiles, and normal quantiles', function () {
    const random = uniformStream(7)
    const dfs = [1, 2, 3, 9, 10, 47, 500, 5_000]
    const sf = dfs.flatMap((df) => [0.001, 0.5, 1, 1.3, 3, 8].map((factor) => [factor * df, df] as const))
    const isf = dfs.flatMap((df) => [0.999, 0.5, 0.05, 0.01, 1e-6].map((p) => [p, df] as const))
    const norm = [0.5, 0.3, 0.05, 0.025, 1e-4, 1e-9]
    const scipy = askPython(this, { do: 'special', sf, isf, norm })
    sf.forEach(([x, df], i) => {
      const tail = scipy.sf[i]
      const error = Math.abs(chiSquareTail(x, df) - tail)
      assert.ok(
        error <= 1e-10 * tail + 1e-300 || error <= 1e-14,
        `P(X > ${x}), ${df}: ${chiSquareTail(x, df)}, ${tail}`,
      )
    })
    isf.forEach(([p, df], i) => {
      close(chiSquareQuantile(p, df), scipy.isf[i], 1e-9, `quantile ${p} of ${df}`)
    })
    norm.forEach((p, i) => {
      close(normalQuantile(p), scipy.norm[i], 1e-9, `normal quantile ${p}`)
    })
    close(ksNoise(1, Number.POSITIVE_INFINITY), scipy.kolmogorov, 1e-5, 'Smirnov bound')
    const p = [[0.01, 0.04, 0.03, 0.9], [0.5], Array.from({ length: 30 }, random), [0, 0, 1, 1]]
    const adjusted = askPython(this, { do: 'bh', p }) as number[][]
    adjusted.forEach((list, i) => {
      benjaminiHochberg(p[i] ?? []).forEach((value, j) => {
        close(value, list[j] ?? Number.NaN, 1e-12, 'BH')
      })
    })
  })
})
