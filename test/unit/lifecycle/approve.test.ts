/** A person's word ahead of the move, on a real store: when it counts, when it has lapsed, who may not give it. */
import assert from 'node:assert/strict'
import type { Context } from '../../../src/core/context.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { type ApproveRequest, approve } from '../../../src/lifecycle/promote/approve.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { ADA, addVersion, BOB, gate, MODEL, rejection, type World, world } from './fixture.ts'

const CAROL = { name: 'carol@tower', origin: 'local' as const }

describe('a word ahead of the move', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await addVersion(w)
  })
  afterEach(() => w.remove())

  const gated = (more: Partial<Gate>) => w.project({ gates: { production: gate(more) } })
  const state = () => w.store.models.state(MODEL)
  const say = (name: string, more: Partial<ApproveRequest> = {}, project = w.project(), store: Store = w.store) =>
    approve(w.as(BOB), project, store, {
      ref: parseModelRef(`${MODEL}@1`),
      stage: 'production',
      name,
      reason: `${name} looked at it`,
      ...more,
    })
  const move = (more: Partial<PromoteRequest> = {}, project = w.project(), ctx: Context = w.as(BOB)) =>
    promote(ctx, project, w.store, { ref: parseModelRef(`${MODEL}@1`), stage: 'production', ...more })

  it('moves nothing, is bound to the bytes and the rules, and counts when somebody else promotes', async () => {
    const said = await say('ada')
    assert.equal(said.outcome, 'approved')
    assert.deepEqual([said.approvalsMissing, said.passes], [0, true])
    const { stages, events } = await state()
    assert.deepEqual(stages, {})
    const event = events.at(-1)
    assert.ok(event?.type === 'approve')
    assert.equal(event.body.bound.manifest, (await state()).versions[0]?.manifest)
    assert.deepEqual(event.body.approval, { name: 'ada', origin: 'claimed', reason: 'ada looked at it' })
    const moved = await move()
    assert.equal(moved.outcome, 'promoted')
    assert.deepEqual(
      moved.approvals.map(({ name, reason, time }) => [name, reason, time]),
      [['ada', 'ada looked at it', event.time]],
    )
    assert.equal((await verifyStore(w.store.root)).ok, true)
  })

  it('of two people is enough for a gate that asks for two: ada ahead, bob with the move', async () => {
    const project = gated({ approval: 2 })
    const said = await say('ada', {}, project)
    assert.equal(said.approvalsMissing, 1)
    const alone = await rejection(move({}, project))
    assert.equal(alone.code, 'APPROVAL_MISSING')
    assert.match(alone.message, /not approved by 2 people \(so far: ada\)/)
    assert.match(alone.hint ?? '', /--approve NAME$/, 'one name is missing, not two')
    assert.equal((alone.hint ?? '').match(/--approve/g)?.length, 1)
    const same = await rejection(move({ approve: ['Ada@laptop'] }, project))
    assert.equal(same.code, 'APPROVAL_MISSING', 'one person under two spellings is one person')
    const moved = await move({ approve: ['bob'] }, project)
    assert.deepEqual(
      moved.approvals.map(({ name }) => name),
      ['ada', 'bob'],
    )
  })

  it('given with a move that lacks another is repeated in the hint, and who sits there is not refused for it', async () => {
    const project = gated({ approval: 2, selfApproval: 'refused' })
    const author = { ref: parseModelRef(MODEL), stage: 'production', approve: ['grace', "o'neil smith"] }
    const three = gated({ approval: 3, selfApproval: 'refused' })
    const asked = { askApproval: async () => assert.fail('nobody is asked') }
    const error = await rejection(promote(w.as(ADA), project, w.store, { ...author, approve: ['grace'], ...asked }))
    assert.equal(error.code, 'APPROVAL_MISSING')
    assert.match(error.message, /not approved by 2 people \(so far: grace\)/)
    assert.match(error.hint ?? '', /^Another person .* --to production --approve grace --approve NAME$/)
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.details?.problems)}`, /ada/)
    const more = await rejection(promote(w.as(ADA), three, w.store, author))
    assert.match(more.hint ?? '', /--approve grace --approve 'o'\\''neil smith' --approve NAME$/)
    const alone = await rejection(promote(w.as(ADA), project, w.store, { ...author, approve: [], ...asked }))
    assert.equal(alone.code, 'SELF_APPROVAL', 'who would have been asked is told why not')
  })

  it('is asked for at the terminal when a yes there completes the number', async () => {
    const project = gated({ approval: 2 })
    await say('ada', {}, project)
    let seen: readonly string[] = []
    const moved = await move(
      {
        askApproval: async (plan) => {
          seen = plan.approvals.map(({ name }) => name)
          return { reason: 'fine by me' }
        },
      },
      project,
    )
    assert.deepEqual(seen, ['ada'])
    assert.deepEqual(moved.approvals[1], { name: BOB.name, origin: 'prompt', reason: 'fine by me' })
    assert.equal(moved.reason, 'fine by me', 'who approves at the terminal is who moves it')
  })

  it('is given once: the same person again is told so, and nothing is written', async () => {
    await say('ada')
    const again = await say('ADA@laptop')
    assert.equal(again.outcome, 'already approved')
    assert.equal(again.approval?.name, 'ada')
    assert.equal((await state()).head, 2)
    const other = await say('carol')
    assert.equal(other.outcome, 'approved')
  })

  it('lapses when the gate changes, is named with why, and can be given anew', async () => {
    await say('ada', {}, gated({ approval: 1 }))
    const changed = gated({ approval: 1, baseline: 'optional', min: {}, run: 'optional', max: { latency: 100 } })
    await addVersion(w, { metrics: { latency: 20 } })
    const ref = parseModelRef(`${MODEL}@2`)
    await say('ada', { ref }, gated({ approval: 1 }))
    const refusal = await rejection(move({ ref }, changed))
    assert.equal(refusal.code, 'APPROVAL_MISSING')
    assert.match(
      String(refusal.details?.problems),
      /approval of ada, given at .* does not count: the gate of production has been changed since/,
    )
    const planned = await move({ ref, dryRun: true }, changed)
    assert.deepEqual(
      planned.uncounted.map(({ name, kind }) => [name, kind]),
      [['ada', 'policy changed']],
    )
    assert.equal((await say('ada', { ref }, changed)).outcome, 'approved')
    assert.equal((await move({ ref }, changed)).outcome, 'promoted')
  })

  it('does not travel to another version, and says for which it was given', async () => {
    await say('ada')
    await addVersion(w)
    const refusal = await rejection(move({ ref: parseModelRef(MODEL) }))
    assert.match(String(refusal.details?.problems), /ada.*given for churn-model@1, which has other bytes/)
    assert.equal((await move()).version, 1, 'for its own version it still stands')
  })

  it('is used up by the move: what was rolled back needs a new one', async () => {
    await addVersion(w)
    await move({ ref: parseModelRef(`${MODEL}@2`), approve: ['ada'] })
    await say('ada')
    await move()
    await rollback(w.as(BOB), w.project(), w.store, { model: MODEL, stage: 'production', verify: false })
    assert.equal((await rejection(move())).code, 'APPROVAL_MISSING')
    await say('ada')
    assert.equal((await move()).outcome, 'promoted')
  })

  it('stands when another version was moved in between', async () => {
    await say('ada')
    await addVersion(w)
    await move({ ref: parseModelRef(`${MODEL}@2`), approve: ['carol'] })
    assert.equal((await move()).outcome, 'promoted')
  })

  it('of a retraining that asks for more than the stage is still the word for that stage', async () => {
    await addVersion(w, { metrics: { auc: 0.9 } })
    const ref = parseModelRef(`${MODEL}@2`)
    await say('ada', { ref })
    assert.equal((await move({ ref, validation: gate({ min: { auc: 0.8 } }) })).outcome, 'promoted')
  })

  it('needs a name and a reason where nobody is asked, and says how to give them', async () => {
    const nameless = await rejection(
      approve(w.ctx, w.project(), w.store, { ref: parseModelRef(`${MODEL}@1`), stage: 'production' }),
    )
    assert.deepEqual([nameless.code, nameless.exitCode], ['APPROVER_MISSING', 2])
    assert.match(nameless.hint ?? '', /mlops approve churn-model@1 --to production --as NAME --reason/)
    const mute = await rejection(say('ada', { reason: '  ' }))
    assert.deepEqual([mute.code, mute.exitCode], ['REASON_MISSING', 2])
    assert.equal((await rejection(say('NAME'))).code, 'APPROVAL_INVALID')
  })

  it('is recorded in CI with the page of its run', async () => {
    const ci = w.as({ name: 'octo', origin: 'ci', url: 'https://ci.example/run/9' })
    const request = { ref: parseModelRef(MODEL), stage: 'production', name: 'eve', reason: 'release 9' }
    const { approval } = await approve(ci, w.project(), w.store, request)
    assert.deepEqual(
      [approval?.origin, approval?.url, approval?.reason],
      ['ci', 'https://ci.example/run/9', 'release 9'],
    )
  })

  it('at a terminal is a yes or a no, after the plan was shown', async () => {
    const ask = { ref: parseModelRef(MODEL), stage: 'production' }
    const no = await rejection(approve(w.ctx, w.project(), w.store, { ...ask, ask: async () => null }))
    assert.deepEqual([no.code, no.exitCode], ['APPROVAL_DECLINED', 3])
    assert.equal((await state()).head, 1)
    const yes = await approve(w.ctx, w.project(), w.store, {
      ...ask,
      ask: async ({ version }) => ({ reason: `seen ${version}` }),
    })
    assert.deepEqual(yes.approval && { ...yes.approval, time: '' }, {
      name: ADA.name,
      origin: 'prompt',
      reason: 'seen 1',
      time: '',
    })
  })

  it('is not asked for what the gate refuses, nor for what is there already', async () => {
    const project = gated({ min: { auc: 0.82 } })
    const refusal = await rejection(say('ada', {}, project))
    assert.deepEqual([refusal.code, refusal.exitCode], ['GATE_REFUSED', 3])
    await move({ approve: ['ada'] })
    assert.equal((await say('ada')).outcome, 'already there')
  })

  it('stops after the plan with a dry run', async () => {
    const planned = await say('ada', { dryRun: true })
    assert.deepEqual([planned.outcome, planned.passes, planned.approvalsMissing], ['planned', true, 1])
    assert.equal(planned.health?.challenger.verdict, 'never checked')
    assert.equal((await say('ada', { dryRun: true }, gated({ min: { auc: 1 } }))).passes, false)
    assert.equal((await state()).head, 1)
  })

  it('under an idempotency key is given once, and another request under it is a conflict', async () => {
    const first = await say('ada', { idempotencyKey: 'job-1' })
    await move()
    const again = await say('ada', { idempotencyKey: 'job-1' })
    assert.deepEqual([again.outcome, again.repeated, again.approvalsMissing], ['approved', true, 0])
    assert.deepEqual(again.event, first.event)
    assert.equal((await rejection(say('bob', { idempotencyKey: 'job-1' }))).exitCode, 5)
  })

  it('by two people at once both count', async () => {
    const project = gated({ approval: 2 })
    const racing = justBefore(w.store, async () => {
      await say('carol', {}, project, await w.reopen())
    })
    const said = await say('ada', {}, project, racing)
    assert.deepEqual([said.outcome, said.approvalsMissing], ['approved', 0])
    assert.equal((await move({}, project)).outcome, 'promoted')
  })

  it('by one person twice at once is one', async () => {
    const racing = justBefore(w.store, async () => {
      await say('ada', {}, w.project(), await w.reopen())
    })
    assert.equal((await say('ada', {}, w.project(), racing)).outcome, 'already approved')
    assert.equal((await state()).head, 2)
  })

  it('is a conflict when the stage moves while the person reads: they were shown something else', async () => {
    await addVersion(w)
    const racing = justBefore(w.store, async () => {
      await move({ ref: parseModelRef(`${MODEL}@2`), approve: ['carol'] })
    })
    const error = await rejection(say('ada', {}, w.project(), racing))
    assert.deepEqual([error.code, error.exitCode], ['STAGE_MOVED', 5])
    assert.match(error.message, /bob@desk moved production/)
  })

  it('given while somebody promotes is no change of their plan', async () => {
    const racing = justBefore(w.store, async () => {
      await say('carol', {}, w.project(), await w.reopen())
    })
    const moved = await promote(w.as(BOB), w.project(), racing, {
      ref: parseModelRef(`${MODEL}@1`),
      stage: 'production',
      approve: ['ada'],
    })
    assert.deepEqual([moved.outcome, moved.approvals.map(({ name }) => name)], ['promoted', ['ada']])
  })
})

describe('self_approval: refused', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const project = () => w.project({ gates: { production: gate({ approval: 1, selfApproval: 'refused' }) } })
  const ref = parseModelRef(`${MODEL}@1`)
  const move = (more: Partial<PromoteRequest>, ctx = w.as(CAROL)) =>
    promote(ctx, project(), w.store, { ref, stage: 'production', ...more })

  it('keeps out who registered it, under any spelling, and says so', async () => {
    await addVersion(w)
    for (const name of ['ada', 'ADA', 'ada@elsewhere', '@ada']) {
      const error = await rejection(move({ approve: [name] }))
      assert.deepEqual([error.code, error.exitCode], ['SELF_APPROVAL', 3])
      assert.match(
        error.message,
        /ada@laptop registered it, and the gate of production refuses an author's own approval/,
      )
    }
    assert.equal((await move({ approve: ['carol'] })).outcome, 'promoted')
  })

  it('keeps out who ran its training', async () => {
    await addVersion(w, { run: { actor: BOB }, actor: CAROL })
    const error = await rejection(move({ approve: ['bob'] }))
    assert.match(error.message, /bob@desk ran its training/)
    assert.equal((await rejection(move({ approve: ['carol'] }))).code, 'SELF_APPROVAL')
    assert.equal((await move({ approve: ['ada'] })).outcome, 'promoted')
  })

  it('does not ask the author at a terminal, neither to promote nor to approve', async () => {
    await addVersion(w)
    const asked = () => Promise.reject(new Error('asked'))
    assert.equal((await rejection(move({ askApproval: asked }, w.ctx))).code, 'SELF_APPROVAL')
    const said = approve(w.ctx, project(), w.store, { ref, stage: 'production', ask: asked })
    assert.equal((await rejection(said)).code, 'SELF_APPROVAL')
    const ahead = approve(w.as(CAROL), project(), w.store, { ref, stage: 'production', name: 'ada', reason: 'mine' })
    assert.equal((await rejection(ahead)).code, 'SELF_APPROVAL')
    assert.equal((await w.store.models.state(MODEL)).head, 1)
  })

  it('passes over the word of an author beside enough others, and warns', async () => {
    await addVersion(w)
    const moved = await move({ approve: ['ada', 'carol'] })
    assert.deepEqual(
      moved.approvals.map(({ name }) => name),
      ['carol'],
    )
    assert.match(w.warnings.join(), /approval of ada does not count: ada@laptop registered it/)
  })

  it('is no rule where nobody configured it', async () => {
    await addVersion(w)
    assert.equal(
      (await promote(w.ctx, w.project(), w.store, { ref, stage: 'production', approve: ['ada'] })).passes,
      true,
    )
  })
})

/** Lets somebody else act at the moment when the first commit is attempted. */
function justBefore(store: Store, act: () => Promise<void>): Store {
  let done = false
  return {
    ...store,
    models: {
      ...store.models,
      async commit(state, draft) {
        if (!done) {
          done = true
          await act()
        }
        return store.models.commit(state, draft)
      },
    },
  }
}
