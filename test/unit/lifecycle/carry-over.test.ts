/** What a version forgets that the one before it said: its target, its prediction, its golden predictions. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { type RegisterRequest, registerVersion } from '../../../src/lifecycle/register/register.ts'
import { MODEL, type World, world } from './fixture.ts'

describe('Registering the next version of a model', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    const rows = Array.from({ length: 100 }, (_, i) => `${i % 50},${i / 100},${i % 2 ? 'Yes' : 'No'}`)
    writeFileSync(join(w.dir, 'train.csv'), `age,score,Churn\n${rows.join('\n')}\n`)
    writeFileSync(join(w.dir, 'golden.jsonl'), '{"features": {"age": 3}, "output": 0.5}\n')
  })
  afterEach(() => w.remove())

  let made = 0
  const register = (more: Partial<RegisterRequest>, config = {}) => {
    writeFileSync(join(w.dir, 'model.json'), `[${++made}]`)
    const request = { model: MODEL, artifacts: ['model.json'], baseline: 'train.csv', ...more }
    return registerVersion(w.ctx, w.project(config), w.store, request)
  }
  const first = () => register({ target: 'Churn', prediction: 'score', examples: 'golden.jsonl' })

  it('says what to write into mlops.yaml when the target was typed, and nothing when it stands there', async () => {
    const { notes } = await first()
    assert.match(notes.join('\n'), /write {2}schema: {target: "Churn"} {2}under models: churn-model in mlops\.yaml/)
    const schema = { columns: {}, target: 'Churn', prediction: 'score' }
    const again = await register({ target: 'Churn', examples: 'golden.jsonl' }, { schema })
    assert.deepEqual(again.notes, [])
    assert.deepEqual(w.warnings, [])
  })

  it('warns when the version before had a target, and names it', async () => {
    await first()
    const { target } = await register({})
    assert.equal(target, null)
    assert.match(w.warnings.join('\n'), /This version has no target; that of churn-model@1 was Churn\. Pass --target/)
    assert.match(w.warnings.join('\n'), /This version has no prediction; that of churn-model@1 was score/)
  })

  it('takes target and prediction over where that is asked for, and says so', async () => {
    await first()
    const { target, prediction, notes } = await register({ carryOver: true })
    assert.deepEqual([target, prediction], ['Churn', 'score'])
    assert.match(notes.join('\n'), /the target, Churn, is that of churn-model@1, as nothing else says it/)
    assert.deepEqual(w.warnings, [])
    const said = await register({ carryOver: true, target: 'age' })
    assert.equal(said.target, 'age')
  })

  it('takes them from the version in production, and not from a newer one', async () => {
    await first()
    await register({ target: 'age' })
    const ref = parseModelRef(`${MODEL}@1`)
    await promote(w.ctx, w.project(), w.store, { ref, stage: 'production', approve: ['ada'] })
    assert.equal((await register({ carryOver: true })).target, 'Churn')
  })

  it('says that golden predictions are missing, which are of one model alone', async () => {
    await first()
    const { notes, examples } = await register({ carryOver: true })
    assert.equal(examples, null)
    assert.match(
      notes.join('\n'),
      /no golden predictions: none were given, and those of churn-model@1 are the answers of another model; record them with run\.log_examples/,
    )
  })
})
