/** A rollout as it is typed: begun, compared by a real prediction log, advanced, aborted by a scheduler, completed. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { assertMatchesSchema, type TempProject, tempProject } from '../harness.ts'

const M = 'churn-model'

interface Traffic {
  readonly requests: number
  /** Share of failures. */
  readonly failing?: number
  /** Factor of the latency. */
  readonly slow?: number
}

describe('A rollout', function () {
  this.timeout(240_000)
  let project: TempProject
  const mlops = (args: readonly string[], code = 0) => project.mlops(args, { code })
  const status = async (code: number) => {
    const { json } = await mlops(['rollout', 'status', M, '--json'], code)
    assertMatchesSchema('rollout status', json)
    return json.data.rollouts[0]
  }

  before(async () => {
    project = tempProject({
      'mlops.yaml': `models:\n  ${M}:\n    schema: {target: churned}\n`,
      'train.csv': `tenure,churned\n${Array.from({ length: 60 }, (_, i) => `${i % 20},${i % 2}`).join('\n')}\n`,
      'a.json': '{"model":1}',
      'b.json': '{"model":2}',
      'c.json': '{"model":3}',
    })
    await mlops(['init', '--yes'])
    for (const file of ['a.json', 'b.json', 'c.json']) {
      await mlops(['register', M, '--artifact', file, '--baseline', 'train.csv'])
    }
    await mlops(['promote', `${M}@1`, '--to', 'production', '--approve', 'ada'])
  })

  /** What a service that divides its traffic has logged since the step began (docs/prediction-log.md). */
  async function serve(stable: Traffic, rollout: Traffic): Promise<void> {
    const { since, version, stable: holder } = await status(6)
    const from = Date.parse(since) + 1
    const until = Date.now()
    const lines = [
      { ...stable, variant: 'stable', version: holder },
      { ...rollout, variant: 'rollout', version },
    ].flatMap(({ requests, failing = 0, slow = 1, ...who }) =>
      Array.from({ length: requests }, (_, i) => {
        const failed = i % 1000 < failing * 1000
        const time = new Date(from + ((until - from) * i) / requests).toISOString()
        // Every place of the distribution, in an order that has nothing to do with time.
        const place = ((i * 7919) % requests) / requests
        return JSON.stringify({
          v: 1,
          id: `${who.variant}-${randomBytes(6).toString('hex')}-${i}`,
          time: `${time.slice(0, -1)}${String(i % 1000).padStart(3, '0')}Z`,
          model: M,
          ...who,
          features: { tenure: i % 20 },
          ...(failed ? { status: 'error', error: 'timeout' } : { output: place }),
          latency_ms: slow * (10 + 40 * place),
        })
      }),
    )
    const folder = project.path(`.mlops/predictions/${M}/date=${new Date(until).toISOString().slice(0, 10)}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/py-${randomBytes(8).toString('hex')}-0001.jsonl`, `${lines.join('\n')}\n`)
  }

  it('is planned with its steps, refused with wrong ones, and begun by a gate and a word', async () => {
    const begin = ['promote', `${M}@2`, '--to', 'production', '--rollout', '5,25,100']
    const planned = await mlops([...begin, '--approve', 'ada', '--dry-run'])
    assert.match(planned.stdout, /By steps: 5 % → 25 % → 100 %[\s\S]*Its rollout would begin/)
    const wrong = await mlops(['promote', `${M}@2`, '--to', 'production', '--rollout', '25,5'], 2)
    assert.match(wrong.stderr, /the steps must ascend/)
    await mlops(begin, 3)
    const { json } = await mlops([...begin, '--approve', 'ada', '--json'])
    assertMatchesSchema('promote', json)
    assert.equal(json.data.outcome, 'rollout started')
    const again = await mlops(['promote', `${M}@3`, '--to', 'production', '--approve', 'ada', '--json'], 5)
    assert.equal(again.json.error?.code, 'ROLLOUT_RUNNING')
  })

  it('holds without data: nobody goes on, a scheduler neither', async () => {
    const { comparison } = await status(6)
    assert.equal(comparison.verdict, 'hold')
    const { json } = await mlops(['rollout', 'advance', M, '--json'], 6)
    assert.equal(json.error?.code, 'ROLLOUT_HOLD')
    const auto = await mlops(['rollout', 'advance', M, '--auto', '--json'], 6)
    assertMatchesSchema('rollout advance', auto.json)
    assert.equal(auto.json.data.outcome, 'held')
    const shown = await mlops(['rollout', 'status', M], 6)
    assert.match(shown.stdout, /Awaited: 100 more requests of @2 and 100 more requests of @1/)
    assert.match(shown.stdout, /Only requests that a service divided/)
    assert.doesNotMatch(shown.stdout, /Next:/, 'the same command again is no step')
    const unsaid = await mlops(['rollout', 'advance', M, '--force', '--json'], 2)
    assert.equal(unsaid.json.error?.code, 'REASON_MISSING')
  })

  it('goes on where the log says that it is no worse, and shows both side by side', async () => {
    await serve({ requests: 6000, failing: 0.004 }, { requests: 900, failing: 0.004 })
    const shown = await mlops(['rollout', 'status', M])
    assert.match(shown.stdout, /Holds: it is no worse/)
    assert.match(shown.stdout, /requests +6,000 +900/)
    assert.match(shown.stdout, /Next: mlops rollout advance churn-model/)
    const { stdout } = await mlops(['rollout', 'advance', M, '--idempotency-key', 'step-2'])
    assert.match(stdout, /churn-model@2 gets 25 % of production now, after 5 %; @1 keeps the rest/)
    const again = await mlops(['rollout', 'advance', M, '--idempotency-key', 'step-2', '--json'])
    assert.deepEqual([again.json.data.repeated, again.json.data.to], [true, 25])
    assert.match((await mlops(['status'])).stdout, /rollout: @2 gets 25 % of production beside @1/)
  })

  it('ends on a breach with a scheduler, by hand only when told, and never by force', async () => {
    await serve({ requests: 3000, failing: 0.004 }, { requests: 1000, failing: 0.06, slow: 3 })
    assert.equal(
      (await mlops(['rollout', 'status', M, '--json'], 3)).json.data.rollouts[0].comparison.verdict,
      'breach',
    )
    const forced = await mlops(['rollout', 'advance', M, '--force', '--reason', 'hurry', '--json'], 3)
    assert.equal(forced.json.error?.code, 'ROLLOUT_BREACH')
    const narrow = [
      'rollout',
      'advance',
      M,
      '--window',
      '1s',
      '--force',
      '--reason',
      'the last second is fine',
      '--json',
    ]
    assert.equal((await mlops(narrow, 3)).json.error?.code, 'ROLLOUT_BREACH', 'a part of the step takes no breach away')
    const { stdout } = await mlops(['rollout', 'advance', M, '--auto'], 3)
    assert.match(stdout, /at least \d\.\d+ times as long, of 1\.5 allowed/)
    assert.match(stdout, /was aborted at 25 %: all traffic goes to churn-model@1/)
    const done = await mlops(['rollout', 'advance', M, '--auto', '--json'])
    assert.equal(done.json.data.outcome, 'nothing')
    await mlops(['rollout', 'advance', M], 4)
    const history = await mlops(['model', 'history', M, '--limit', '1', '--json'])
    assertMatchesSchema('model history', history.json)
    assert.equal(history.json.data.events[0].rollout.comparison.verdict, 'breach')
  })

  it('is aborted by a person, and by a rollback, which moves nothing', async () => {
    const begin = ['promote', `${M}@3`, '--to', 'production', '--rollout', '50,100', '--approve', 'ada']
    await mlops(begin)
    const aborted = await mlops(['rollout', 'abort', M, '--reason', 'wrong data', '--json'])
    assertMatchesSchema('rollout abort', aborted.json)
    assert.deepEqual([aborted.json.data.from, aborted.json.data.stable], [50, 1])
    await mlops(begin)
    const { stdout } = await mlops(['rollback', M, '--reason', 'odd scores'])
    assert.match(stdout, /The rollout of churn-model@3 in production is ended.*all traffic goes to churn-model@1/s)
    const now = await mlops(['status', M, '--json'])
    assertMatchesSchema('status', now.json)
    assert.deepEqual([now.json.data.models[0].production.version, now.json.data.models[0].rollouts], [1, []])
  })

  it('is completed by its last step, which is the promotion; the store proves all of it', async () => {
    await mlops(['promote', `${M}@3`, '--to', 'production', '--rollout', '50,100', '--approve', 'ada'])
    const advance = ['rollout', 'advance', M, '--force', '--reason', 'looked at by hand', '--idempotency-key', 'last']
    const { stdout } = await mlops(advance)
    assert.match(stdout, /churn-model@3 is in production now \(was churn-model@1; its rollout is complete\)/)
    const again = await mlops([...advance, '--json'])
    assertMatchesSchema('rollout advance', again.json)
    assert.deepEqual([again.json.data.outcome, again.json.data.repeated], ['promoted', true])
    const history = await mlops(['model', 'history', M, '--limit', '1', '--json'])
    assertMatchesSchema('model history', history.json)
    const { comparison } = history.json.data.events[0]
    assert.equal(comparison.verdict, 'hold')
    assert.match(comparison.margins, /^[0-9a-f]{64}$/)
    assert.match(
      (await mlops(['model', 'history', M])).stdout,
      /looked at by hand"\s+.*compared: hold; @3 has no request/s,
    )
    await mlops(['store', 'verify'])
    const back = await mlops(['rollback', M, '--no-verify'])
    assert.match(back.stdout, /production is back from churn-model@3 to churn-model@1/)
  })
})
