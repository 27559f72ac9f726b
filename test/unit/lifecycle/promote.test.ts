/** Promote and rollback on a real store: what moves, what refuses, who wins. */
import assert from 'node:assert/strict'
import { parseModelRef } from '../../../src/core/names.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { type RollbackRequest, rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { Models, Store } from '../../../src/store/store.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderRollback } from '../../../src/ui/views/rollback.ts'
import { ADA, addVersion, BOB, damage, gate, MODEL, movesOf, rejection, type World, world } from './fixture.ts'

describe('promote', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const up = (ref: string, stage: string, more: Partial<PromoteRequest> = {}, project = w.project()) =>
    promote(w.ctx, project, w.store, { ref: parseModelRef(ref), stage, ...more })
  const state = () => w.store.models.state(MODEL)

  it('moves staging without asking anybody when mlops.yaml says nothing', async () => {
    await addVersion(w)
    const result = await up(`${MODEL}@1`, 'staging', { reason: ' first ' })
    assert.equal(result.outcome, 'promoted')
    assert.equal(result.from, null)
    const { stages, events } = await state()
    assert.equal(stages.staging?.version, 1)
    const event = events.at(-1)
    assert.ok(event?.type === 'promote')
    assert.equal(event.body.reason, 'first')
    assert.deepEqual(event.expect, { staging: null })
    assert.equal(event.body.gate.bound.manifest, stages.staging?.manifest)
  })

  it('takes the newest version when the model stands alone', async () => {
    await addVersion(w)
    await addVersion(w)
    assert.equal((await up(MODEL, 'staging')).version, 2)
  })

  it('never enters production without a name, and says how to give one', async () => {
    await addVersion(w)
    const error = await rejection(up(`${MODEL}@1`, 'production'))
    assert.equal(error.code, 'APPROVAL_MISSING')
    assert.equal(error.exitCode, 3)
    assert.match(error.hint ?? '', /--approve NAME/)
    assert.equal((await state()).stages.production, undefined)
  })

  it('records a name typed by hand as claimed, and one in CI with its run', async () => {
    await addVersion(w)
    await addVersion(w)
    await up(`${MODEL}@1`, 'production', { approve: ['ada'] })
    const ci = w.as({ name: 'octo', origin: 'ci', url: 'https://ci.example/run/7' })
    await promote(ci, w.project(), w.store, { ref: parseModelRef(`${MODEL}@2`), stage: 'production', approve: ['eve'] })
    const approvals = (await state()).events.flatMap((event) => (event.type === 'promote' ? [event.body.approval] : []))
    assert.deepEqual(approvals, [
      { name: 'ada', origin: 'claimed' },
      { name: 'eve', origin: 'ci', url: 'https://ci.example/run/7' },
    ])
  })

  it('asks the person at the terminal, who sees the plan first, and takes no for no', async () => {
    await addVersion(w)
    let seen: unknown
    const no = await rejection(
      up(`${MODEL}@1`, 'production', {
        askApproval: async (plan) => {
          seen = plan.version
          return null
        },
      }),
    )
    assert.equal(seen, 1)
    assert.equal(no.code, 'APPROVAL_DECLINED')
    assert.equal(no.exitCode, 3)
    const yes = await up(`${MODEL}@1`, 'production', { askApproval: async () => ({}) })
    assert.deepEqual(yes.approvals, [{ name: ADA.name, origin: 'prompt' }])
  })

  it('does not ask for approval of what the gate refuses anyway', async () => {
    await addVersion(w, { metrics: { auc: 0.6 } })
    const project = w.project({ gates: { production: gate({ min: { auc: 0.82 } }) } })
    const askApproval = () => Promise.reject(new Error('asked'))
    const error = await rejection(up(`${MODEL}@1`, 'production', { askApproval }, project))
    assert.equal(error.code, 'GATE_REFUSED')
    const failed = error.details?.failed as { name: string; required: string; actual: string }[]
    assert.deepEqual(
      failed.map(({ name, required, actual }) => [name, required, actual]),
      [
        ['min_auc', 'auc >= 0.82', '0.6'],
        ['approval', '1 person', 'none'],
      ],
    )
    assert.equal((await state()).head, 1)
  })

  it('wants as many different people as the gate says', async () => {
    await addVersion(w)
    const project = w.project({ gates: { production: gate({ approval: 2 }) } })
    const alone = await rejection(up(`${MODEL}@1`, 'production', { approve: ['ada', 'Ada'] }, project))
    assert.equal(alone.code, 'APPROVAL_MISSING')
    await up(`${MODEL}@1`, 'production', { approve: ['ada', 'bob'] }, project)
    const event = (await state()).events.at(-1)
    assert.ok(event?.type === 'promote')
    assert.deepEqual(
      event.body.approvals?.map(({ name }) => name),
      ['ada', 'bob'],
    )
  })

  it('says that a version is there already and writes nothing', async () => {
    await addVersion(w)
    await up(`${MODEL}@1`, 'production', { approve: ['ada'] })
    const again = await up(`${MODEL}@1`, 'production')
    assert.equal(again.outcome, 'already there')
    assert.equal(again.since?.by, ADA.name)
    assert.equal((await state()).head, 2)
  })

  it('stops after the plan with a dry run, and says whether it would pass', async () => {
    await addVersion(w)
    const refused = await up(`${MODEL}@1`, 'production', { dryRun: true })
    assert.deepEqual([refused.outcome, refused.passes], ['planned', false])
    const fine = await up(`${MODEL}@1`, 'production', { dryRun: true, approve: ['ada'] })
    assert.deepEqual([fine.outcome, fine.passes], ['planned', true])
    assert.equal((await state()).head, 1)
  })

  it('moves nothing when the gate was edited while it was planned', async () => {
    await addVersion(w)
    const edited = w.project({ gates: { staging: gate({ min: { auc: 0.99 } }) } })
    const error = await rejection(up(`${MODEL}@1`, 'staging', { reread: async () => edited }))
    assert.deepEqual([error.code, error.exit], ['PLAN_CHANGED', 'conflict'])
    assert.equal((await state()).head, 1)
    const same = await up(`${MODEL}@1`, 'staging', { reread: async () => w.project() })
    assert.equal(same.outcome, 'promoted')
  })

  it('refuses damaged bytes and names the file', async () => {
    await addVersion(w, { files: { 'model.joblib': 'sound bytes' } })
    damage(w, (await manifest(w, 1)).files[0]?.sha256 ?? '')
    const error = await rejection(up(`${MODEL}@1`, 'staging'))
    assert.equal(error.code, 'VERSION_DAMAGED')
    assert.equal(error.exitCode, 1)
    assert.match(JSON.stringify(error.details), /model\.joblib/)
    assert.equal((await state()).head, 1)
  })

  it('refuses a stage that is not configured, with the nearest name', async () => {
    await addVersion(w)
    const error = await rejection(up(`${MODEL}@1`, 'prodution'))
    assert.equal(error.exitCode, 2)
    assert.match(error.hint ?? '', /production/)
  })

  it('refuses a version without files in production, not in staging', async () => {
    await addVersion(w, { files: {} })
    assert.equal((await up(`${MODEL}@1`, 'staging')).outcome, 'promoted')
    const error = await rejection(up(`${MODEL}@1`, 'production', { approve: ['ada'] }))
    assert.equal(error.code, 'GATE_REFUSED')
    assert.match(JSON.stringify(error.details?.failed), /no artifact/)
  })

  it("holds the policy's validation besides the stage's gate", async () => {
    await addVersion(w, { metrics: { auc: 0.81 } })
    const project = w.project({ gates: { staging: gate({ min: { auc: 0.8 } }) } })
    const error = await rejection(up(`${MODEL}@1`, 'staging', { validation: gate({ min: { auc: 0.82 } }) }, project))
    assert.match(JSON.stringify(error.details?.failed), /auc >= 0\.82/)
    assert.equal((await up(`${MODEL}@1`, 'staging', {}, project)).outcome, 'promoted')
  })

  it('returns the first result for the same idempotency key, and refuses the key for another request', async () => {
    await addVersion(w)
    await addVersion(w)
    const first = await up(`${MODEL}@1`, 'staging', { idempotencyKey: 'job-7' })
    await up(`${MODEL}@2`, 'staging')
    const again = await up(`${MODEL}@1`, 'staging', { idempotencyKey: 'job-7' })
    assert.equal(again.repeated, true)
    assert.deepEqual(again.event, first.event)
    assert.equal((await state()).stages.staging?.version, 2, 'a repeated job moves nothing back')
    assert.match(w.warnings.join(), /Since then .* moved staging to churn-model@2/, 'and does not say that 1 is there')
    const other = await rejection(up(`${MODEL}@2`, 'staging', { idempotencyKey: 'job-7' }))
    assert.equal(other.code, 'IDEMPOTENCY_MISMATCH')
    assert.equal(other.exitCode, 5)
  })

  it('loses against somebody who moved the stage meanwhile, and says who', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    const racing = justBefore(w.store, async () => {
      await promote(w.as(BOB), w.project(), await w.reopen(), { ref: parseModelRef(`${MODEL}@3`), stage: 'staging' })
    })
    const error = await rejection(
      promote(w.ctx, w.project(), racing, { ref: parseModelRef(`${MODEL}@2`), stage: 'staging' }),
    )
    assert.equal(error.code, 'STAGE_MOVED')
    assert.equal(error.exitCode, 5)
    assert.match(error.message, /bob@desk moved staging .*churn-model@3/)
    assert.deepEqual(movesOf((await state()).events, 'staging'), [3])
  })

  it('goes on when something else was written meanwhile that changes nothing about the plan', async () => {
    await addVersion(w)
    const racing = justBefore(w.store, async () => {
      await addVersion({ ...w, store: await w.reopen() })
    })
    const result = await promote(w.ctx, w.project(), racing, { ref: parseModelRef(`${MODEL}@1`), stage: 'staging' })
    assert.equal(result.outcome, 'promoted')
    assert.equal(result.event?.seq, 3)
  })

  it('stops when the champion it was compared with changed meanwhile', async () => {
    await addVersion(w, { metrics: { auc: 0.8 }, test: 't' })
    await addVersion(w, { metrics: { auc: 0.85 }, test: 't' })
    await addVersion(w, { metrics: { auc: 0.9 }, test: 't' })
    await up(`${MODEL}@1`, 'production', { approve: ['ada'] })
    const project = w.project({ gates: { staging: gate({ min: { auc: 0.5 }, compareTo: 'production' }) } })
    const racing = justBefore(w.store, async () => {
      const other = await w.reopen()
      await promote(w.as(BOB), w.project(), other, {
        ref: parseModelRef(`${MODEL}@3`),
        stage: 'production',
        approve: ['bob'],
      })
    })
    const error = await rejection(
      promote(w.ctx, project, racing, { ref: parseModelRef(`${MODEL}@2`), stage: 'staging' }),
    )
    assert.equal(error.code, 'PLAN_CHANGED')
    assert.equal(error.exitCode, 5)
  })
})

describe('rollback', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const up = (version: number) =>
    promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
    })
  const back = (more: Partial<RollbackRequest> = {}, store: Store = w.store) =>
    rollback(w.ctx, w.project(), store, { model: MODEL, stage: 'production', ...more })
  const state = () => w.store.models.state(MODEL)

  it('pops what promote pushed: 1, 2, 3 goes back to 2, then to 1; then 4 goes back to 1', async () => {
    for (let n = 0; n < 4; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    const first = await back({ reason: 'odd scores' })
    assert.deepEqual([first.version, first.from, first.before], [2, 3, [1]])
    assert.equal((await back()).version, 1)
    await up(4)
    assert.equal((await back()).version, 1)
    assert.deepEqual(movesOf((await state()).events, 'production'), [1, 2, 3, 2, 1, 4, 1])
    const error = await rejection(back())
    assert.equal(error.code, 'NOTHING_BEFORE')
    assert.equal(error.exitCode, 4)
    assert.match(error.hint ?? '', /put another version there: mlops promote \S+@V --to production .*--reason TEXT/)
  })

  it('behaves like a stack, whatever the sequence of moves', async () => {
    const random = generator(20261121)
    for (let n = 0; n < 5; n++) await addVersion(w)
    const stack: number[] = []
    for (let step = 0; step < 60; step++) {
      if (random() < 0.55 || stack.length < 2) {
        const version = 1 + Math.floor(random() * 5)
        const { outcome } = await up(version)
        if (outcome === 'promoted') stack.push(version)
        else assert.equal(stack.at(-1), version)
      } else {
        stack.pop()
        await back({ verify: false })
      }
      assert.equal((await state()).stages.production?.version, stack.at(-1))
    }
  })

  it('goes to an earlier holder by number, and its way back continues from there', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    assert.equal((await back({ to: 1 })).version, 1)
    assert.equal((await rejection(back())).code, 'NOTHING_BEFORE')
    assert.equal((await up(3)).outcome, 'promoted')
    assert.equal((await back()).version, 1)
  })

  it('is no way forward: what was given up comes back through its gate alone', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    await back()
    const two = w.project({ gates: { production: gate({ approval: 2 }) } })
    const work = rollback(w.ctx, two, w.store, { model: MODEL, stage: 'production', to: 3 })
    const error = await rejection(work)
    assert.deepEqual([error.code, error.exitCode], ['ROLLBACK_FORWARD', 3])
    assert.match(error.message, /churn-model@3 was in production and was taken back/)
    assert.match(error.hint ?? '', /promote churn-model@3 --to production --approve NAME --approve NAME$/)
    assert.equal((await state()).stages.production?.version, 2)
    await back({ to: 1 })
    assert.equal((await rejection(back({ to: 2 }))).code, 'ROLLBACK_FORWARD', 'passed over is given up, too')
  })

  it('says how to go forward again: with as many names as the gate asks for', async () => {
    for (let n = 0; n < 2; n++) await addVersion(w)
    for (const version of [1, 2]) await up(version)
    const two = w.project({ gates: { production: gate({ approval: 2 }) } })
    const result = await rollback(w.ctx, two, w.store, { model: MODEL, stage: 'production' })
    assert.equal(result.approvals, 2)
    const ui = (width: number) =>
      createUi({ style: createStyle({ color: false, unicode: false }), width, now: new Date(), quiet: false })
    const command = 'mlops promote churn-model@2 --to production --approve NAME --approve NAME'
    assert.match(renderRollback(ui(200), result), new RegExp(`further back; forward again: ${command}$`))
    assert.match(renderRollback(ui(80), result), new RegExp(`forward again:\n  ${command}$`), 'a command is not broken')
  })

  it('refuses a version that never was there, and an empty stage', async () => {
    await addVersion(w)
    await addVersion(w)
    const empty = await rejection(back())
    assert.equal(empty.code, 'STAGE_EMPTY')
    await up(1)
    const never = await rejection(back({ to: 2 }))
    assert.equal(never.code, 'NEVER_HELD')
    assert.match(never.hint ?? '', /promote churn-model@2/)
  })

  it('says so when the version is there already', async () => {
    await addVersion(w)
    await up(1)
    assert.equal((await back({ to: 1 })).outcome, 'already there')
    assert.equal((await state()).head, 2)
  })

  it('is refused by damaged model bytes, naming the file and another way', async () => {
    await addVersion(w)
    await addVersion(w)
    await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    damage(w, (await manifest(w, 2)).files[0]?.sha256 ?? '')
    const error = await rejection(back())
    assert.equal(error.code, 'VERSION_DAMAGED')
    assert.match(JSON.stringify(error.details), /model\.joblib/)
    assert.match(error.hint ?? '', /rollback churn-model --to 1/)
    assert.equal((await state()).stages.production?.version, 3)
  })

  it('only warns when evidence is damaged and the model is sound', async () => {
    await addVersion(w, { baseline: true })
    await addVersion(w)
    for (const version of [1, 2]) await up(version)
    damage(w, (await manifest(w, 1)).baseline?.profile ?? '')
    assert.equal((await back()).version, 1)
    assert.match(w.warnings.join(), /baseline profile of churn-model@1 is damaged/)
  })

  it('records honestly that the fit was not looked at, or not determined', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    assert.equal((await back({ verify: false })).fit.verdict, 'skipped')
    assert.equal((await back()).fit.verdict, 'not determined')
    const fits = (await state()).events.flatMap((event) => (event.type === 'rollback' ? [event.body.fit] : []))
    assert.deepEqual(fits, ['skipped', 'not determined'])
  })

  it('stops after the plan with a dry run', async () => {
    await addVersion(w)
    await addVersion(w)
    for (const version of [1, 2]) await up(version)
    const planned = await back({ dryRun: true })
    assert.deepEqual([planned.outcome, planned.version, planned.from], ['planned', 1, 2])
    assert.equal((await state()).stages.production?.version, 2)
  })

  it('lets one of two concurrent rollbacks win and tells the other', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    const racing = justBefore(w.store, async () => {
      await rollback(w.as(BOB), w.project(), await w.reopen(), { model: MODEL, stage: 'production' })
    })
    const error = await rejection(back({}, racing))
    assert.equal(error.code, 'STAGE_MOVED')
    assert.match(error.message, /bob@desk/)
    assert.equal((await state()).stages.production?.version, 2, 'back once, not twice')
  })

  it('repeats nothing under the same idempotency key', async () => {
    for (let n = 0; n < 3; n++) await addVersion(w)
    for (const version of [1, 2, 3]) await up(version)
    await back({ idempotencyKey: 'night' })
    const again = await back({ idempotencyKey: 'night' })
    assert.deepEqual([again.repeated, again.version], [true, 2])
    assert.equal((await state()).stages.production?.version, 2)
  })
})

/** The store, except that `happen` is done just before the first commit: what another process does meanwhile. */
function justBefore(store: Store, happen: () => Promise<void>): Store {
  let pending: (() => Promise<void>) | undefined = happen
  const commit: Models['commit'] = async (state, draft) => {
    const now = pending
    pending = undefined
    await now?.()
    return store.models.commit(state, draft)
  }
  return { ...store, models: { ...store.models, commit } }
}

async function manifest(w: World, version: number) {
  const state = await w.store.models.state(MODEL)
  return w.store.models.manifest(state.versions[version - 1]?.manifest ?? '')
}

/** mulberry32: the same numbers in every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
