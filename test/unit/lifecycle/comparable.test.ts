/** Metrics of different rows are never shown as a change; what a person reads before saying yes. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { diffVersions } from '../../../src/lifecycle/versions/diff.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { loadVersion } from '../../../src/lifecycle/versions/version.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderDiff } from '../../../src/ui/views/diff.ts'
import { renderHistory } from '../../../src/ui/views/history.ts'
import { renderPromotePlan, renderPromotion } from '../../../src/ui/views/promote.ts'
import { addVersion, gate, MODEL, rejection, type World, world } from './fixture.ts'

const ui = createUi({
  style: createStyle({ color: false, unicode: true }),
  width: Number.POSITIVE_INFINITY,
  now: new Date(Date.UTC(2026, 0, 2)),
  quiet: false,
})

describe('Metrics of two versions', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const up = (version: number, config: Partial<ModelConfig> = {}, more: object = {}) =>
    promote(w.ctx, w.project(config), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
      ...more,
    })
  const diff = async () => {
    const state = await w.store.models.state(MODEL)
    const [a, b] = await Promise.all(state.versions.map((version) => loadVersion(w.store, state, version)))
    assert.ok(a && b)
    const lock = { missing: 'none' }
    return diffVersions(a, b, { from: lock, to: lock }, { directions: { mae: 'lower' } })
  }

  for (const [title, tests, said] of [
    ['of different test sets', ['may', 'june'], /mae 21\.716 \| 42\.069 {2}different test sets: not comparable/],
    ['of which one has no test set', [undefined, 'june'], /mae 21\.716 \| 42\.069 {2}test set unknown: not comparable/],
  ] as const) {
    it(`${title} are shown without a difference`, async () => {
      for (const [at, mae] of [21.716, 42.069].entries()) {
        const test = tests[at]
        await addVersion(w, { metrics: { mae }, ...(test === undefined ? {} : { test }) })
      }
      const found = await diff()
      assert.deepEqual(found.metrics, [{ name: 'mae', from: 21.716, to: 42.069, kind: 'changed', comparable: false }])
      assert.match(renderDiff(ui, found, null), said)
      await up(1)
      assert.match(renderPromotion(ui, await up(2)), said)
    })
  }

  it('of the same test set have a difference, and the better one is marked', async () => {
    for (const mae of [21, 42]) await addVersion(w, { metrics: { mae, odd: mae }, test: 'june' })
    const found = await diff()
    assert.equal(found.testSets, 'same')
    assert.deepEqual(
      found.metrics.map(({ name, delta, better }) => [name, delta, better]),
      [
        ['mae', 21, 'from'],
        ['odd', 21, undefined],
      ],
    )
    assert.match(renderDiff(ui, found, null), /mae 21 → 42 \(\+21, worse\)/)
  })

  it('are compared by what the champion gives on the same rows, where it was scored there', async () => {
    writeFileSync(join(w.dir, 'june.csv'), 'june')
    const evaluate = "echo 'mae: 47.677' # {model} {data}"
    await addVersion(w, { metrics: { mae: 21.716 }, test: 'may', evaluate })
    await addVersion(w, { metrics: { mae: 42.069 }, test: 'june', evaluate })
    const config = { gates: { production: gate({ max: { mae: 50 }, compareTo: 'production' }) } }
    await up(1)
    const result = await up(2, config, { test: 'june.csv', dryRun: true })
    assert.deepEqual(result.changes?.metrics, [
      {
        name: 'mae',
        from: 21.716,
        to: 42.069,
        kind: 'changed',
        rescored: 47.677,
        comparable: true,
        delta: -5.608,
        better: 'to',
      },
    ])
    assert.match(
      renderPromotion(ui, result),
      /mae 47\.677 → 42\.069 \(-5\.608, better\) {2}re-scored on the same rows; recorded on its own: 21\.716/,
    )
  })

  it('come with the command line that made the difference', async () => {
    const run = { seed: 1, env: { TZ: 'UTC', GITHUB_RUN_ID: '1' } }
    await addVersion(w, { run: { ...run, command: ['python', 'train.py'] } })
    await addVersion(w, {
      run: { seed: 2, env: { TZ: 'CET', GITHUB_RUN_ID: '2' }, command: ['python', 'train.py', '--lr', '0.05'] },
    })
    const found = await diff()
    assert.equal(found.command.verdict, 'changed')
    assert.deepEqual(
      found.command.environment.map(({ name }) => name),
      ['$TZ', 'seed'],
    )
    assert.match(renderDiff(ui, found, null), /Command\n {2}- python train\.py\n {2}\+ python train\.py --lr 0\.05\n/)
  })

  it('are named in the history: which one was compared', async () => {
    for (const mae of [40, 30]) await addVersion(w, { metrics: { mae }, test: 'june' })
    const config = { gates: { production: gate({ max: { mae: 50 }, compareTo: 'production' }) } }
    await up(1)
    await up(2, config)
    const shown = renderHistory(ui, MODEL, history(await w.store.models.state(MODEL)))
    assert.match(shown, /compare_to mae 30 <= 40 of churn-model@1/)
  })
})

describe('A missing approval', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await addVersion(w)
  })
  afterEach(() => w.remove())

  const ask = (more: object) =>
    promote(w.ctx, w.project(), w.store, { ref: parseModelRef(MODEL), stage: 'production', ...more })

  it('waits and has not failed, in a dry run', async () => {
    const result = await ask({ dryRun: true })
    assert.deepEqual([result.passes, result.awaitsApproval], [false, true])
    const shown = renderPromotion(ui, result)
    assert.match(shown, /\? approval .* waiting/)
    assert.match(shown, /waits for a person: --approve NAME\. Exit code 3/)
    assert.ok(!shown.includes('✖'), shown)
  })

  it('and before the question on a terminal', async () => {
    let shown = ''
    const error = await rejection(
      ask({
        askApproval: async (plan: Parameters<typeof renderPromotePlan>[1]) => {
          shown = renderPromotePlan(ui, plan)
          return null
        },
      }),
    )
    assert.equal(error.code, 'APPROVAL_DECLINED')
    assert.match(shown, /\? approval .* waiting/)
    assert.ok(!shown.includes('✖'), shown)
  })
})
