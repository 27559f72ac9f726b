/** `gate check` on a real store: what it reports, and how a person, a pull request and a script read it. */
import assert from 'node:assert/strict'
import { parseModelRef } from '../../../src/core/names.ts'
import { checkGate } from '../../../src/lifecycle/gate/check.ts'
import { gateRules, isGated, isGuarded } from '../../../src/lifecycle/gate/rules.ts'
import { approve } from '../../../src/lifecycle/promote/approve.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { renderGateMarkdown } from '../../../src/ui/reports/gate-markdown.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderGateReport } from '../../../src/ui/views/gate.ts'
import { addVersion, BOB, gate, MODEL, type World, world } from './fixture.ts'

const UI = createUi({
  style: createStyle({ color: false, unicode: false }),
  width: 100,
  now: new Date('2026-06-30T10:00:00Z'),
  quiet: false,
})

describe('gate check', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const ref = parseModelRef(`${MODEL}@1`)
  const gated = (more: Partial<Gate>) => w.project({ gates: { production: gate(more) } })
  const check = (more: Partial<Gate>, withoutApproval = false) =>
    checkGate(w.ctx, gated(more), w.store, { ref, stage: 'production', withoutApproval })

  it('shows the approval that lapsed with why, wherever it is read', async () => {
    await addVersion(w, { metrics: { auc: 0.86 } })
    const given = { ref, stage: 'production', name: 'ada', reason: 'fine' }
    await approve(w.as(BOB), gated({ approval: 1 }), w.store, given)
    const report = await check({ approval: 1, min: { auc: 0.5 } })
    assert.deepEqual(
      report.uncounted.map(({ name, kind }) => [name, kind]),
      [['ada', 'policy changed']],
    )
    const why = /approval of `?ada`?, given .*, does\s+not count: the gate of production has\s+been\s+changed/
    assert.match(renderGateReport(UI, report), why)
    assert.match(renderGateMarkdown(report), why)
    const without = await check({ approval: 1, min: { auc: 0.5 } }, true)
    assert.deepEqual(without.uncounted, [])
  })

  it('counts what waits for a person apart from what fails', async () => {
    await addVersion(w, { metrics: { auc: 0.4 } })
    const failing = await check({ approval: 1, min: { auc: 0.5 } })
    assert.deepEqual([failing.counts.fail, failing.counts.waiting], [2, 1])
    assert.match(renderGateReport(UI, failing), /refuses it: 1 check fails, 1 waits for a person\./)
    assert.match(renderGateMarkdown(failing), /\n1 fail, 1 waiting, \d pass/)
    const waiting = await check({ approval: 1 })
    assert.match(renderGateMarkdown(waiting), /Waits for approval.*\n\n1 waiting/)
    assert.doesNotMatch(renderGateMarkdown(waiting), /\d fail/)
    assert.equal(waiting.verdict, 'fail', 'the verdict is what a script has always read')
  })

  it('knows a gate that asks for a baseline or a run from no gate at all', () => {
    const rules = (more: Partial<Gate>) =>
      gateRules({ risk: 'standard', gates: { production: gate(more) } }, 'production')
    assert.equal(isGuarded(rules({ approval: 2 })), false, "people's yes alone")
    for (const more of [
      { baseline: 'required' },
      { run: 'required' },
      { dataHash: 'required' },
      { health: 'required' },
      { overlap: 0.01 },
    ] as const) {
      assert.deepEqual([isGuarded(rules(more)), isGated(rules(more))], [true, false], Object.keys(more).join())
    }
    assert.deepEqual([isGuarded(rules({ min: { auc: 0.5 } })), isGated(rules({ min: { auc: 0.5 } }))], [true, true])
  })
})
