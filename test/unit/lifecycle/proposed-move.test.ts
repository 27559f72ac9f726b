/** A promotion that carries a proposal out: it, or nothing; what was taken out of the stage since does not come back. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { confirm, type Proposal, proposalText, propose } from '../../../src/lifecycle/gate/proposal.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { addVersion, gate, MODEL, rejection, type World, world } from './fixture.ts'

describe('A promotion by a proposal', () => {
  let w: World
  let proposal: Proposal
  const ref = parseModelRef(`${MODEL}@2`)
  beforeEach(async () => {
    w = await world()
    for (const _ of [1, 2, 3]) await addVersion(w, { metrics: { auc: 0.9 } })
    await promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@1`),
      stage: 'production',
      approve: ['ada'],
    })
    proposal = (await propose(w.ctx, w.project(), w.store, { ref, stage: 'production' })).proposal
  })
  afterEach(() => w.remove())

  const carryOut = (more: Partial<PromoteRequest> = {}, project = w.project()) =>
    promote(w.ctx, project, w.store, { ref, stage: 'production', approve: ['ada'], proposal, ...more })
  const differs = async (work: Promise<unknown>): Promise<string> => {
    const error = await rejection(work)
    assert.deepEqual([error.code, error.exit], ['PROPOSAL_DIFFERS', 'no'])
    return String(error.details?.problems)
  }
  const holder = async () => (await w.store.models.state(MODEL)).stages.production?.version

  it('moves the stage while everything is as it was reviewed, and does nothing when repeated', async () => {
    assert.equal((await carryOut()).outcome, 'promoted')
    assert.equal((await carryOut()).outcome, 'already there')
  })

  it('is refused for another version or stage than the proposed one', async () => {
    assert.match(
      await differs(carryOut({ ref: parseModelRef(`${MODEL}@3`) })),
      /proposes the version 2; this is about 3/,
    )
    assert.match(await differs(carryOut({ stage: 'staging' })), /proposes the stage production; this is about staging/)
    assert.equal(await holder(), 1)
  })

  it('is refused when the gate was changed after it was confirmed, also as a dry run', async () => {
    const file = join(w.store.root, '..', 'proposal.json')
    writeFileSync(file, proposalText(proposal))
    assert.equal((await confirm(w.ctx, w.project(), w.store, file)).holds, true)
    const looser = w.project({ gates: { production: gate({ approval: 1, min: { auc: 0.1 } }) } })
    assert.match(await differs(carryOut({}, looser)), /reads differently/)
    assert.match(await differs(carryOut({ dryRun: true }, looser)), /reads differently/)
    assert.equal(await holder(), 1)
  })

  it('does not bring back what was promoted by it and rolled back: the job that is run again is refused', async () => {
    await carryOut()
    await rollback(w.ctx, w.project(), w.store, {
      model: MODEL,
      stage: 'production',
      verify: false,
      reason: 'odd scores',
    })
    assert.equal(await holder(), 1)
    const file = join(w.store.root, '..', 'proposal.json')
    writeFileSync(file, proposalText(proposal))
    const again = await confirm(w.ctx, w.project(), w.store, file)
    assert.deepEqual([again.holds, again.problems.length], [false, 1])
    assert.match(await differs(carryOut()), /what is in production have changed/)
    assert.equal(await holder(), 1)
  })
})
