/** Promotions by steps on a real store: what begins, what it forbids, how it ends, and what the log proves of it. */
import assert from 'node:assert/strict'
import { parseModelRef } from '../../../src/core/names.ts'
import { operation } from '../../../src/lifecycle/operation.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { trackRecord } from '../../../src/lifecycle/promote/track-record.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { changeRollout } from '../../../src/lifecycle/rollouts/change.ts'
import { marginsDigest } from '../../../src/lifecycle/rollouts/margins.ts'
import { readSteps, runningRollout } from '../../../src/lifecycle/rollouts/running.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { advanceRollout } from '../../../src/rollout/advance.ts'
import type { EventDraft, RolloutBody } from '../../../src/store/events.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { addVersion, BOB, gate, MODEL, movesOf, rejection, type World, world } from './fixture.ts'

const STEPS = [5, 25, 100]

describe('a promotion by steps', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    for (const _ of [1, 2, 3]) await addVersion(w)
    await up(`${MODEL}@1`, { approve: ['ada'] })
  })
  afterEach(() => w.remove())

  const up = (ref: string, more: Partial<PromoteRequest> = {}, project = w.project()) =>
    promote(w.ctx, project, w.store, { ref: parseModelRef(ref), stage: 'production', ...more })
  const begin = (more: Partial<PromoteRequest> = {}) =>
    up(`${MODEL}@2`, { rollout: STEPS, approve: ['ada'], reason: 'new features', ...more })
  const state = () => w.store.models.state(MODEL)
  const change = async (action: 'advance' | 'abort', weight: number) => {
    const now = await state()
    const running = runningRollout(now, 'production')
    assert.ok(running !== null)
    return changeRollout(w.ctx, w.store, now, running, operation(w.ctx, undefined, { action, weight }), {
      action,
      weight,
      reason: 'because',
    })
  }
  const complete = async (more: Partial<PromoteRequest> = {}, project = w.project()) => {
    const running = runningRollout(await state(), 'production')
    return up(`${MODEL}@2`, { completes: running?.start ?? 0, ...more }, project)
  }
  const back = (more = {}) =>
    rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', verify: false, ...more })

  it('begins with the first weight, and leaves the stage where it is', async () => {
    const result = await begin()
    assert.equal(result.outcome, 'rollout started')
    assert.deepEqual(result.rollout, { weight: 5, steps: STEPS })
    const { stages, events } = await state()
    assert.equal(stages.production?.version, 1)
    assert.equal(stages.production?.rollout?.version, 2)
    assert.equal(stages.production?.rollout?.weight, 5)
    const event = events.at(-1)
    assert.ok(event?.type === 'rollout')
    assert.equal(event.body.gate?.verdict, 'pass')
    assert.deepEqual(
      event.body.approvals?.map(({ name }) => name),
      ['ada'],
    )
    assert.equal(event.body.reason, 'new features')
  })

  it('asks for the gate and the approval as any promotion does', async () => {
    const unapproved = await rejection(up(`${MODEL}@2`, { rollout: STEPS }))
    assert.equal(unapproved.code, 'APPROVAL_MISSING')
    const gated = w.project({ gates: { production: gate({ min: { auc: 0.9 } }) } })
    const error = await rejection(up(`${MODEL}@2`, { rollout: STEPS, approve: ['ada'] }, gated))
    assert.equal(error.code, 'GATE_REFUSED')
    assert.equal(runningRollout(await state(), 'production'), null)
  })

  it('changes nothing with a dry run, and shows the steps', async () => {
    const planned = await begin({ dryRun: true })
    assert.deepEqual([planned.outcome, planned.passes, planned.rollout], ['planned', true, { weight: 5, steps: STEPS }])
    assert.equal(runningRollout(await state(), 'production'), null)
  })

  it('refuses an empty stage and the version that holds it', async () => {
    const empty = await rejection(up(`${MODEL}@2`, { stage: 'staging', rollout: STEPS }))
    assert.equal(empty.code, 'STAGE_EMPTY')
    const same = await rejection(up(`${MODEL}@1`, { rollout: STEPS, approve: ['ada'] }))
    assert.equal(same.code, 'ROLLOUT_NEEDLESS')
  })

  it('lets nothing else be promoted into the stage meanwhile, and everything into others', async () => {
    await begin()
    for (const more of [{}, { rollout: STEPS }, { dryRun: true }]) {
      const error = await rejection(up(`${MODEL}@3`, { approve: ['ada'], ...more }))
      assert.deepEqual([error.code, error.exit], ['ROLLOUT_RUNNING', 'conflict'])
      assert.match(error.hint ?? '', /mlops rollout abort churn-model --reason/)
    }
    assert.equal((await up(`${MODEL}@3`, { stage: 'staging' })).outcome, 'promoted')
  })

  it('gives a repeated start with the same key the same answer', async () => {
    const first = await begin({ idempotencyKey: 'k' })
    const again = await begin({ idempotencyKey: 'k' })
    assert.deepEqual([again.outcome, again.repeated, again.event], ['rollout started', true, first.event])
    const other = await rejection(begin({ idempotencyKey: 'k', rollout: [10, 100] }))
    assert.equal(other.code, 'IDEMPOTENCY_MISMATCH')
  })

  it('moves the stage with the last step, by the words of the start and the gate judged again', async () => {
    const started = await begin()
    await change('advance', 25)
    const done = await complete()
    assert.equal(done.outcome, 'promoted')
    assert.deepEqual(
      done.approvals.map(({ name, time }) => [name, time]),
      [['ada', started.event?.time]],
    )
    const { stages, events } = await state()
    assert.deepEqual([stages.production?.version, stages.production?.rollout], [2, undefined])
    const event = events.at(-1)
    assert.ok(event?.type === 'promote')
    assert.equal(event.body.rollout, started.event?.seq)
    assert.equal(event.body.from, 1)
    assert.deepEqual(movesOf(events, 'production'), [1, 2])
    assert.deepEqual((await verifyStore(w.store.root)).damages, [])
  })

  it('wants a new word for the last step when the gate was edited since the start', async () => {
    await begin()
    const edited = w.project({
      gates: { production: gate({ baseline: 'optional', run: 'optional', max: { mae: 9 } }) },
    })
    const error = await rejection(complete({}, edited))
    assert.equal(error.code, 'GATE_REFUSED')
    const looser = w.project({ gates: { production: gate({ approval: 1 }) }, evaluate: 'true {model} {data}' })
    const unapproved = await rejection(complete({}, looser))
    assert.equal(unapproved.code, 'APPROVAL_MISSING')
    assert.match(w.warnings.join('\n'), /approval of ada does not count: the gate of production has been changed/)
    assert.equal((await complete({ approve: ['bob'] }, looser)).outcome, 'promoted')
  })

  it('wants a new word for the last step when the margins of the comparison were edited since the start', async () => {
    await begin()
    const started = (await state()).events.at(-1)
    assert.ok(started?.type === 'rollout')
    assert.equal(started.body.margins, marginsDigest(defaultModel().rollout))
    const wider = w.project({ rollout: { ...defaultModel().rollout, maxErrorIncrease: 0.5 } })
    const unapproved = await rejection(complete({}, wider))
    assert.equal(unapproved.code, 'APPROVAL_MISSING')
    assert.match(
      w.warnings.join('\n'),
      /approval of ada does not count: the margins of the comparison have been changed/,
    )
    assert.equal((await complete({ approve: ['bob'] }, wider)).outcome, 'promoted')
  })

  it('keeps in the promotion what the comparison said last, and says of margins that were changed', async () => {
    await begin({ rollout: [5, 100] })
    const wider = w.project({ rollout: { ...defaultModel().rollout, minRequests: 1 } })
    const advanced = { model: MODEL, stage: 'production', force: true, reason: 'at night', approve: ['bob'] }
    const done = await advanceRollout(w.ctx, wider, w.store, advanced)
    assert.equal(done.outcome, 'promoted')
    assert.match(w.warnings.join('\n'), /margins of the comparison .* are not those that this rollout began with/)
    const event = (await state()).events.at(-1)
    assert.ok(event?.type === 'promote')
    const { verdict, margins, summary } = event.body.comparison ?? {}
    assert.deepEqual([verdict, margins], ['hold', marginsDigest({ ...defaultModel().rollout, minRequests: 1 })])
    assert.match(summary ?? '', /no request in the log/)
    assert.deepEqual((await verifyStore(w.store.root)).damages, [])
  })

  it('aborts to the version that holds the stage, and is no step back of it', async () => {
    await begin()
    await change('abort', 0)
    const { stages, events } = await state()
    assert.deepEqual([stages.production?.version, stages.production?.rollout], [1, undefined])
    const event = events.at(-1)
    assert.ok(event?.type === 'rollout')
    assert.deepEqual([event.body.action, event.body.weight], ['abort', 0])
    // The word was for the try that was given up.
    assert.equal((await rejection(up(`${MODEL}@2`))).code, 'APPROVAL_MISSING')
    assert.equal((await up(`${MODEL}@3`, { approve: ['ada'] })).outcome, 'promoted')
  })

  it('ends with a rollback, which goes no further; another rollback does', async () => {
    await up(`${MODEL}@3`, { approve: ['ada'] })
    await begin()
    const planned = await back({ dryRun: true })
    assert.deepEqual([planned.outcome, planned.from, planned.version], ['planned', 2, 3])
    const ended = await back({ reason: 'latency', idempotencyKey: 'night' })
    assert.deepEqual([ended.outcome, ended.from, ended.version], ['rollout ended', 2, 3])
    assert.deepEqual(ended.rollout, { version: 2, weight: 5 })
    assert.equal((await state()).stages.production?.version, 3)
    const repeated = await back({ reason: 'latency', idempotencyKey: 'night' })
    assert.deepEqual([repeated.outcome, repeated.repeated, repeated.rollout], ['rollout ended', true, ended.rollout])
    // Somebody else who meant the same thing takes no second step.
    const other = { ...w.as(BOB), now: () => new Date(ended.event?.time ?? '') }
    const late = await rejection(
      rollback(other, w.project(), w.store, { model: MODEL, stage: 'production', verify: false }),
    )
    assert.equal(late.code, 'STAGE_MOVED')
    const further = await back()
    assert.deepEqual([further.outcome, further.version], ['rolled back', 1])
  })

  it('ends with a rollback to a named version, which does move the stage', async () => {
    await up(`${MODEL}@3`, { approve: ['ada'] })
    await begin()
    const result = await back({ to: 1 })
    assert.deepEqual([result.outcome, result.version, result.rollout], ['rolled back', 1, { version: 2, weight: 5 }])
    const { stages } = await state()
    assert.deepEqual([stages.production?.version, stages.production?.rollout], [1, undefined])
  })

  it('is changed by one of two people who change it at once', async () => {
    await begin()
    const now = await state()
    const running = runningRollout(now, 'production')
    assert.ok(running !== null)
    const one = (weight: number) =>
      changeRollout(w.ctx, w.store, now, running, operation(w.ctx, undefined, { weight }), {
        action: weight === 0 ? 'abort' : 'advance',
        weight,
        reason: undefined,
      })
    const outcomes = await Promise.allSettled([one(25), one(0)])
    const failed = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    assert.deepEqual(failed, ['ROLLOUT_ENDED'])
  })

  it('stands in the history, start, step and end', async () => {
    await begin()
    await change('advance', 25)
    await complete()
    const [end, step, start] = history(await state())
    assert.deepEqual([start?.rollout?.action, start?.rollout?.weight, start?.checks?.passed], ['start', 5, 2])
    assert.deepEqual([step?.rollout?.action, step?.rollout?.weight, step?.reason], ['advance', 25, 'because'])
    assert.equal(end?.completes, start?.seq)
  })

  it('counts once for the track record, and not when it was given up first', async () => {
    const jobs = new Map([[2, '2026-01-01T00:00:00.000Z']])
    const clean = async () => {
      const { events } = await state()
      const tagged = events.map((event) =>
        event.type === 'register' ? { ...event, body: { ...event.body, tags: ['retrain'] } } : event,
      )
      return trackRecord(tagged, w.ctx.now(), jobs).clean.map(({ version }) => version)
    }
    await up(`${MODEL}@2`, { stage: 'staging' })
    await begin()
    assert.deepEqual(await clean(), [])
    await complete()
    assert.deepEqual(await clean(), [2])
  })

  it('does not count for the track record when an earlier rollout of it was aborted', async () => {
    const jobs = new Map([[2, '2026-01-01T00:00:00.000Z']])
    await up(`${MODEL}@2`, { stage: 'staging' })
    await begin()
    await change('abort', 0)
    await up(`${MODEL}@2`, { approve: ['ada'] })
    const events = (await state()).events.map((event) =>
      event.type === 'register' ? { ...event, body: { ...event.body, tags: ['retrain'] } } : event,
    )
    assert.deepEqual(trackRecord(events, w.ctx.now(), jobs).clean, [])
  })

  it('is refused by the log where an event does not follow from the stages', async () => {
    const now = await state()
    const body: RolloutBody = {
      stage: 'production',
      version: 2,
      from: 1,
      action: 'advance',
      weight: 25,
      steps: STEPS,
    }
    const draft = (more: Partial<RolloutBody>): EventDraft => ({
      op_id: 'x',
      request: 'a'.repeat(64),
      type: 'rollout',
      body: { ...body, ...more },
      actor: w.ctx.actor,
      tool: 'test',
      time: w.ctx.now().toISOString(),
    })
    const why = async (more: Partial<RolloutBody>) => (await rejection(w.store.models.commit(now, draft(more)))).message
    assert.match(await why({}), /no rollout is going on/)
    assert.match(await why({ from: 3 }), /version 1 holds production/)
    assert.match(await why({ action: 'start', weight: 5 }), /no gate let its version in/)
    assert.match(await why({ action: 'start', version: 1 }), /holds production already/)
  })

  it('reads its steps as typed, and says what is wrong with others', async () => {
    assert.deepEqual(readSteps('5, 25,50,100'), [5, 25, 50, 100])
    assert.deepEqual(readSteps('0.5%,100%'), [0.5, 100])
    for (const [text, why] of [
      ['5,25', /last step must be 100/],
      ['25,5,100', /ascend/],
      ['100', /at least two steps/],
      ['0,100', /above 0/],
      ['5,,100', /percentage/],
      ['a,100', /percentage/],
      ['5,150', /at most 100/],
    ] as const) {
      assert.throws(
        () => readSteps(text),
        (error: Error) => why.test(error.message),
        text,
      )
    }
  })
})
