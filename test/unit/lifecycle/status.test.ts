/** `status`: worst first, honest about what nobody looked at, one next step. */
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../../src/core/canonical-json.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { failed } from '../../../src/core/errors.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { RANKS } from '../../../src/lifecycle/status/rank.ts'
import { fleetStatus } from '../../../src/lifecycle/status/status.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import type { Checks, Models } from '../../../src/store/store.ts'
import { addVersion, BOB, MODEL, rejection, type World, world } from './fixture.ts'

const DAY = 864e5

describe('status', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const status = (only?: string) => fleetStatus(w.ctx, w.project(), w.store, only)
  const first = async () => {
    const [model] = (await status()).models
    assert.ok(model)
    return model
  }
  const up = (version: number, stage = 'production', model = MODEL) =>
    promote(w.ctx, w.project(), w.store, { ref: parseModelRef(`${model}@${version}`), stage, approve: ['ada'] })
  /** A stored check as `drift` leaves it; `age` in days. */
  const check = (version: number, verdict: string, age: number, model = MODEL, reference = `${model}@${version}`) =>
    w.store.checks.put(model, sha256(`${model}${version}${verdict}${age}${reference}`), {
      model,
      version,
      verdict,
      time: new Date(w.ctx.now().getTime() - age * DAY).toISOString(),
      summary: `it is ${verdict}`,
      reference: { name: `baseline of ${reference}` },
      current: { source: 'june.csv' },
    } as Json)

  it('says in an empty store what to do first', async () => {
    const report = await status()
    assert.deepEqual(report.models, [])
    assert.equal(report.next?.command, 'mlops track --model churn-model -- python train.py')
  })

  it('answers which version, since when, by whom, from which run, data and code', async () => {
    await addVersion(w, {
      baseline: true,
      data: [{ name: 'train', sha256: sha256('rows'), rows: 12 }],
      run: { git: { commit: 'a'.repeat(40), branch: 'main', remote: null, dirty: true } },
    })
    await up(1)
    const { production } = await first()
    assert.equal(production?.version, 1)
    assert.equal(production?.by, w.ctx.actor.name)
    assert.deepEqual(production?.approvals, [{ name: 'ada', origin: 'claimed' }])
    assert.deepEqual(production?.data, { name: 'train', sha256: sha256('rows'), rows: 12 })
    assert.deepEqual(production?.code, { commit: 'a'.repeat(40), branch: 'main', dirty: true })
    assert.ok(production?.run)
  })

  it('has no word for fine when nobody has looked', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const model = await first()
    assert.deepEqual([model.rank, model.health?.verdict], ['never checked', 'never checked'])
    assert.equal(model.next?.command, `mlops drift ${MODEL} --current DATA`)
  })

  it('does not propose a drift check that cannot be made', async () => {
    await addVersion(w)
    await up(1)
    assert.match((await first()).next?.command ?? '', /--baseline DATA/)
  })

  it('takes the newest check of the version in production, not of another one', async () => {
    await addVersion(w, { baseline: true })
    await addVersion(w, { baseline: true })
    await up(1)
    await up(2)
    await check(2, 'drift', 3)
    await check(2, 'stable', 1)
    await check(1, 'drift', 0)
    await check(2, 'drift', 0, MODEL, `${MODEL}@1`)
    const model = await first()
    assert.deepEqual([model.rank, model.health?.summary], ['stable', 'it is stable'])
    assert.equal(model.next, null)
  })

  it('does not take a look for a rollback for a check of production', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const at = (age: number) => new Date(w.ctx.now().getTime() - age * DAY).toISOString()
    const base = { model: MODEL, version: 1, reference: { name: `baseline of ${MODEL}@1` } }
    const put = (name: string, more: Json & object) =>
      w.store.checks.put(MODEL, sha256(name), { ...base, ...more, current: { source: name } } as Json)
    const picked = { verdict: 'stable', time: at(0), summary: 'it is stable', purpose: 'rollback' }
    await put('fresh.csv', picked)
    assert.equal((await first()).rank, 'never checked')
    await check(1, 'drift', 1)
    assert.equal((await first()).rank, 'drift')
  })

  it('does not let a batch that somebody picked hide the drift of what production was asked', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const at = (age: number) => new Date(w.ctx.now().getTime() - age * DAY).toISOString()
    await w.store.checks.put(MODEL, sha256('log'), {
      model: MODEL,
      version: 1,
      verdict: 'drift',
      time: at(1),
      summary: 'tenure drifted.',
      reference: { name: `baseline of ${MODEL}@1` },
      current: { source: 'prediction log' },
      window: { since: at(8), until: at(1) },
    } as Json)
    await check(1, 'stable', 0)
    const model = await first()
    assert.equal(model.rank, 'drift')
    assert.match(
      model.health?.summary ?? '',
      /tenure drifted\. june\.csv .* said stable, but what production was asked/,
    )
  })

  it('reads the newest checks only, however many there are', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    for (const age of [50, 40, 30, 20, 10]) await check(1, 'drift', age)
    await check(1, 'stable', 0)
    let read = 0
    const newest: Checks['newest'] = (model, matches) =>
      w.store.checks.newest(model, (found) => {
        read += 1
        return matches(found)
      })
    const list: Checks['list'] = () => assert.fail('all were read')
    const report = await fleetStatus(w.ctx, w.project(), { ...w.store, checks: { ...w.store.checks, newest, list } })
    // Once for its health, up to the first that is too old for drift of the log behind it, once for how fast it drifts.
    assert.deepEqual([report.models[0]?.rank, read], ['stable', 4])
  })

  it('fails when a file may not be read: that is no damage', async () => {
    await addVersion(w, { baseline: true })
    const denied = failed({ code: 'STORE_DENIED', message: 'Could not read', hint: 'ls' })
    const stateOrEmpty: Models['stateOrEmpty'] = () => Promise.reject(denied)
    const store = { ...w.store, models: { ...w.store.models, stateOrEmpty } }
    await assert.rejects(() => fleetStatus(w.ctx, w.project(), store), { code: 'STORE_DENIED' })
  })

  it('does not let an old check speak for today, but keeps saying that it drifted', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'stable', 8)
    assert.deepEqual([(await first()).rank, (await first()).health?.stale], ['check too old', true])
    await check(1, 'drift', 7.5)
    assert.deepEqual([(await first()).rank, (await first()).health?.stale], ['drift', true])
  })

  it('ranks predictions that are logged and never checked before drift, and names the check', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const date = w.ctx.now().toISOString().slice(0, 10)
    const folder = join(w.store.root, 'predictions', MODEL, `date=${date}`)
    mkdirSync(folder, { recursive: true })
    const time = `${date}T00:00:00.000Z`
    const record = { v: 1, id: 'a', time, model: MODEL, version: 1, features: { age: 1 }, output: 0.5 }
    writeFileSync(join(folder, 'py-0123456789abcdef-0001.jsonl'), `${JSON.stringify(record)}\n`)
    const model = await first()
    assert.deepEqual([model.rank, model.health?.logged], ['logged, never checked', time])
    assert.equal(model.next?.command, `mlops drift ${MODEL}`)
    assert.ok(RANKS.indexOf('logged, never checked') < RANKS.indexOf('drift'))
    await check(1, 'stable', 0)
    assert.equal((await first()).rank, 'stable')
  })

  it('says when the checks have stopped that are meant to run every day', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const daily = w.project()
    const models = { [MODEL]: { ...defaultModel(), drift: { ...defaultModel().drift, every: '1d' } } }
    const project = { ...daily, config: { ...daily.config, models } }
    const daily1 = async () => (await fleetStatus(w.ctx, project, w.store)).models[0]
    await check(1, 'inconclusive', 3)
    assert.deepEqual([(await daily1())?.rank, (await daily1())?.health?.overdue], ['checks stopped', true])
    assert.match((await daily1())?.next?.why ?? '', /due every 1d/)
    await check(1, 'inconclusive', 1.2)
    assert.deepEqual([(await daily1())?.rank, (await daily1())?.health?.overdue], ['inconclusive', false])
  })

  it('shows what is wrong with the service, and does not let a check of last year speak for today', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    const windowed = (age: number, until: number, health: Json) =>
      w.store.checks.put(MODEL, sha256(`window ${age} ${until}`), {
        model: MODEL,
        version: 1,
        verdict: 'stable',
        time: new Date(w.ctx.now().getTime() - age * DAY).toISOString(),
        summary: 'no drift',
        reference: { name: `baseline of ${MODEL}@1` },
        current: { source: 'prediction log', rows: 50 },
        window: {
          since: new Date(w.ctx.now().getTime() - (until + 1) * DAY).toISOString(),
          until: new Date(w.ctx.now().getTime() - until * DAY).toISOString(),
        },
        health,
      })
    const summary = 'failed requests: 6.0 % of 1,000 (1.0 % before)'
    await windowed(1, 1, { verdict: 'breach', findings: [{ what: 'errors', verdict: 'breach', summary }] })
    await windowed(0, 300, { verdict: 'ok', findings: [] })
    const model = await first()
    assert.deepEqual([model.rank, model.health?.breaches], ['unhealthy', [summary]])
    assert.match(model.next?.command ?? '', /^mlops predictions stats churn-model --since \S+ --until \S+$/)
  })

  it('puts the worst first', async () => {
    const verdicts = { drifting: 'drift', unclear: 'inconclusive', fine: 'stable' }
    for (const [model, verdict] of Object.entries(verdicts)) {
      await addVersion(w, { model, baseline: true })
      await up(1, 'production', model)
      await check(1, verdict, 0, model)
    }
    for (const model of ['unseen', 'old', 'idle', 'broken']) await addVersion(w, { model, baseline: true })
    for (const model of ['unseen', 'old']) await up(1, 'production', model)
    await check(1, 'stable', 30, 'old')
    writeFileSync(join(w.store.root, 'models/broken/log/0000000002.json'), '{"torn')
    const report = await status()
    assert.deepEqual(
      report.models.map(({ model }) => model),
      ['broken', 'drifting', 'unseen', 'unclear', 'old', 'idle', 'fine'],
    )
    const others = [
      'served by nobody',
      'serves another version',
      'logged, never checked',
      'unhealthy',
      'checks stopped',
    ]
    assert.deepEqual(
      report.models.map(({ rank }) => rank),
      RANKS.filter((rank) => !others.includes(rank)),
    )
    assert.equal(report.next?.command, 'mlops store verify')
  })

  it('lists the candidate that waits for approval, and what was registered and forgotten', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'drift', 0)
    await addVersion(w)
    await up(2, 'staging')
    await addVersion(w)
    const model = await first()
    assert.deepEqual(
      model.pending.map(({ kind, version, stage }) => [kind, version, stage]),
      [
        ['awaiting approval', 2, 'staging'],
        ['candidate', 3, null],
      ],
    )
    assert.equal(model.next?.command, `mlops promote ${MODEL}@2 --to production --approve NAME`)
  })

  it('does not propose again what somebody took out of staging by putting another version there', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'drift', 0)
    await addVersion(w)
    await addVersion(w)
    await up(3, 'staging')
    await up(1, 'staging')
    const model = await first()
    assert.deepEqual(model.pending, [])
    assert.doesNotMatch(model.next?.command ?? '', /promote/)
  })

  it('does not propose again what was rolled back', async () => {
    await addVersion(w, { baseline: true })
    await addVersion(w)
    await up(1)
    await up(2, 'staging')
    await up(2)
    await rollback(w.as(BOB), w.project(), w.store, { model: MODEL, stage: 'production', reason: 'odd' })
    await check(1, 'stable', 0)
    const model = await first()
    assert.deepEqual(model.pending, [])
    assert.deepEqual(
      [model.production?.move, model.production?.by, model.production?.reason],
      ['rollback', BOB.name, 'odd'],
    )
    assert.equal(model.next, null)
  })

  it('lists a run that was killed, not one that is running', async () => {
    for (const silent of [true, false]) {
      const id = ulid(w.ctx.now().getTime())
      const run = await w.store.runs.create({
        format: 1,
        id,
        started: w.ctx.now().toISOString(),
        command: ['python', 'train.py'],
        cwd: '.',
        env: {},
        host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 8e9 },
        data: [],
        params: {},
        tags: [],
        actor: w.ctx.actor,
        tool: w.ctx.tool,
        source: 'track',
      })
      if (silent) utimesSync(join(run.dir, 'alive'), new Date(0), new Date(0))
      else await run.beat()
    }
    assert.equal((await status()).interrupted.length, 1)
  })

  it('names the nearest model when there is none of that name', async () => {
    await addVersion(w)
    const error = await rejection(status('churn-modle'))
    assert.equal(error.exitCode, 4)
    assert.match(error.hint ?? '', /churn-model/)
    assert.equal((await status(MODEL)).models.length, 1)
  })
})
