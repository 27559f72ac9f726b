/** Level 3: a policy's word in place of a person's, refused until it is earned and whenever a guard is missing. */
import assert from 'node:assert/strict'
import type { Context } from '../../../src/core/context.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import type { AutonomyRequest } from '../../../src/lifecycle/promote/types.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { DAY } from '../../../src/project/duration.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { addVersion, gate, MODEL, rejection, type World, world } from './fixture.ts'

const AUTONOMY: AutonomyRequest = {
  level: 3,
  minAge: 90 * DAY,
  minCleanPromotions: 5,
  policy: 'retraining-policy.yaml',
}
const GUARDED: Partial<Gate> = {
  min: { auc: 0.8 },
  compareTo: 'production',
  margin: { auc: { kind: 'absolute', value: 0.01 } },
  external: [{ name: 'tests', command: 'true' }],
}

describe('autonomous promotion', () => {
  let w: World
  let today: number
  let ctx: Context
  beforeEach(async () => {
    w = await world()
    today = Date.UTC(2026, 0, 5)
    ctx = { ...w.ctx, now: () => new Date(today) }
  })
  afterEach(() => w.remove())

  const project = () => w.project({ gates: { production: gate(GUARDED) } })
  /** As a retraining does: a version, and an ended job that names it. */
  const add = async (): Promise<number> => {
    const version = await byHand()
    const attempt = `attempt ${version}`
    const time = new Date(today).toISOString()
    const { number = 0 } = (await w.store.claims.newest(MODEL, 'jobs/retrain')) ?? {}
    await w.store.claims.take(MODEL, 'jobs/retrain', number + 1, { kind: 'begin', attempt, time })
    const end = { kind: 'end', attempt, outcome: 'promoted', version, time }
    await w.store.claims.take(MODEL, 'jobs/retrain', number + 2, end)
    return version
  }
  const byHand = () => addVersion({ ...w, ctx }, { tags: ['retrain'], metrics: { auc: 0.9 }, test: 'held out' })
  const move = (
    version: number,
    stage: string,
    more: Partial<Parameters<typeof promote>[3]> = {},
    config = project(),
  ) => promote(ctx, config, w.store, { ref: parseModelRef(`${MODEL}@${version}`), stage, ...more })
  /** A month: retrained, staged, and let in by ada. */
  const cleanMonth = async (): Promise<void> => {
    const version = await add()
    await move(version, 'staging')
    await move(version, 'production', { approve: ['ada'] })
    today += 30 * DAY
  }
  const missingOf = async (promotion: Promise<unknown>): Promise<string> => {
    const error = await rejection(promotion)
    assert.deepEqual([error.code, error.exitCode], ['APPROVAL_MISSING', 3])
    assert.match(error.message, /the policy may not promote it by itself/)
    const { missing } = (error.details?.autonomy ?? { missing: [] }) as { missing: readonly string[] }
    return missing.join('\n')
  }

  it('is refused month by month until it is earned; then the policy signs with its name and what earned it', async () => {
    const said: string[] = []
    for (let month = 0; month < 5; month++) {
      await cleanMonth()
      if (month === 4) break
      const next = await add()
      said.push(await missingOf(move(next, 'production', { autonomy: AUTONOMY })))
    }
    assert.match(
      said[0] ?? '',
      /^1 of 5 clean .* 4 more versions[^\n]*\n.*90 days old: the first, of version 1, is 30 days old/,
    )
    assert.match(said[3] ?? '', /^4 of 5 clean [^\n]*$/, 'old enough by then')
    const version = await add()
    await move(version, 'staging')
    const moved = await move(version, 'production', { autonomy: AUTONOMY, reason: 'drift' })
    assert.deepEqual(moved.approvals, [
      {
        name: 'retraining-policy.yaml',
        origin: 'policy',
        reason: '5 clean staged promotions in 150 days, the last of churn-model@9',
      },
    ])
    const state = await w.store.models.state(MODEL)
    assert.equal(state.stages.production?.version, version)

    await rollback(ctx, project(), w.store, { model: MODEL, stage: 'production', verify: false, reason: 'odd' })
    const after = await missingOf(move(await add(), 'production', { autonomy: AUTONOMY }))
    assert.match(after, /^0 of 5 .*which the policy had promoted, out of production/)
  })

  it('is not earned by versions that somebody registered with the tag of a retraining', async () => {
    for (let month = 0; month < 5; month++) {
      const version = await byHand()
      await move(version, 'staging')
      await move(version, 'production', { approve: ['ada'] })
      today += 30 * DAY
    }
    assert.match(await missingOf(move(await byHand(), 'production', { autonomy: AUTONOMY })), /^0 of 5 clean/)
  })

  it('wants level 3, a comparison with a margin, and a test, and lists all that is missing at once', async () => {
    for (let month = 0; month < 5; month++) await cleanMonth()
    const version = await add()
    const two = await missingOf(move(version, 'production', { autonomy: { ...AUTONOMY, level: 2 } }))
    assert.match(two, /autonomy\.level of retraining-policy\.yaml is 2: a person promotes/)
    const bare = w.project({ gates: { production: gate({ min: { auc: 0.8 } }) } })
    const missing = await missingOf(move(version, 'production', { autonomy: AUTONOMY }, bare))
    assert.match(missing, /no comparison with production.*\n.*no margin.*\n.*no test of the team's own/)
    const here = { autonomy: AUTONOMY, validation: gate(GUARDED) }
    assert.equal((await move(version, 'production', here, bare)).outcome, 'promoted', "the policy's own gate counts")
  })

  it('counts as one where the gate asks for two', async () => {
    for (let month = 0; month < 5; month++) await cleanMonth()
    const two = w.project({ gates: { production: gate({ ...GUARDED, approval: 2 }) } })
    const version = await add()
    const missing = await missingOf(move(version, 'production', { autonomy: AUTONOMY }, two))
    assert.match(missing, /asks for 2 more people; a policy counts as one/)
    const moved = await move(version, 'production', { autonomy: AUTONOMY, approve: ['bob'] }, two)
    assert.deepEqual(
      moved.approvals.map(({ origin }) => origin),
      ['claimed', 'policy'],
    )
  })

  it('is for production alone', async () => {
    const staging = w.project({ gates: { staging: gate({ approval: 1 }) } })
    const missing = await missingOf(move(await add(), 'staging', { autonomy: AUTONOMY }, staging))
    assert.match(missing, /in production alone, not in staging/)
  })

  it('does not get past a gate that refuses', async () => {
    for (let month = 0; month < 5; month++) await cleanMonth()
    const worse = await addVersion({ ...w, ctx }, { tags: ['retrain'], metrics: { auc: 0.7 }, test: 'held out' })
    assert.equal((await rejection(move(worse, 'production', { autonomy: AUTONOMY }))).code, 'GATE_REFUSED')
  })

  it('cannot be typed: a name like that of a policy is a claim', async () => {
    const version = await add()
    const moved = await move(version, 'production', { approve: ['retraining-policy.yaml'] })
    assert.equal(moved.approvals[0]?.origin, 'claimed')
  })
})
