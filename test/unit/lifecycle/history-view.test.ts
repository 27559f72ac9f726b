/** `model history` as text: each event with who, why and the evidence, also of rollbacks and waivers. */
import assert from 'node:assert/strict'
import { history } from '../../../src/lifecycle/versions/history.ts'
import type { ModelEvent } from '../../../src/store/events.ts'
import { fold } from '../../../src/store/fold.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderHistory } from '../../../src/ui/views/history.ts'

const D = 'a'.repeat(64)
const TIME = '2026-06-30T09:00:00.000Z'
const ui = createUi({
  style: createStyle({ color: false, unicode: true }),
  width: Number.POSITIVE_INFINITY,
  now: new Date(TIME),
  quiet: false,
})

function event(more: Pick<ModelEvent, 'type' | 'body'> & Partial<ModelEvent>): ModelEvent {
  const common = { seq: 1, prev: D, op_id: 'x', request: D, model: 'm', stages: {}, tool: 'mlops', time: TIME }
  return { ...common, actor: { name: 'ada@laptop', origin: 'local' }, ...more } as ModelEvent
}

const shown = (...events: ModelEvent[]): string => renderHistory(ui, 'm', history(fold('m', events)))

describe('the history of a model as text', () => {
  it('counts the checks of the gate and names who waived which', () => {
    const waiver = { owner: 'eve', reason: 'new region', expires: '2026-12-31' }
    const text = shown(
      event({
        type: 'promote',
        body: {
          stage: 'production',
          version: 2,
          from: 1,
          reason: 'June',
          approval: { name: 'ada', origin: 'prompt', reason: 'June' },
          gate: {
            verdict: 'pass',
            bound: { manifest: D, policy: D },
            checks: [
              { name: 'min_auc', required: 'auc >= 0.8', actual: '0.86', verdict: 'pass' },
              { name: 'slice region', required: 'auc >= 0.7', actual: '0.6', verdict: 'waived', waiver },
              { name: 'approval', required: '1 person', actual: 'ada (prompt)', verdict: 'pass' },
            ],
          },
        },
      }),
    )
    assert.match(
      text,
      /gate: 1 passed, 1 waived: min_auc 0\.86, slice region 0\.6 \(waived by eve until 2026-12-31: new region\)$/,
    )
    assert.match(text, /approved by ada \(at a terminal\)\n/, 'a reason that is that of the move is said once')
  })

  it('shows a word given ahead, and the page of the CI run behind it', () => {
    const url = 'https://ci.example/run/9'
    const approval = { name: 'eve', origin: 'ci', url, reason: 'release 9' } as const
    const body = { stage: 'production', version: 2, approval, bound: { manifest: D, policy: D } }
    const text = shown(event({ type: 'approve', body, actor: { name: 'octo', origin: 'ci', url } }))
    assert.match(
      text,
      /approve {2}m@2 for production {2}by octo \(ci\)\n +https:\/\/ci\.example\/run\/9\n +"release 9"\n +by eve \(ci, https/,
    )
  })

  it('shows how a version that was gone back to did on the labels of that day', () => {
    // biome-ignore lint/suspicious/noThenProperty: the name in the event; it is no function
    const evaluation = { rows: 812, now: { auc: 0.84 }, then: { auc: 0.86 } }
    const body = {
      stage: 'production',
      version: 1,
      from: 2,
      restores: 1,
      reason: 'odd scores',
      fit: 'fits',
      evaluation,
    } as const
    const text = shown(event({ type: 'rollback', body }))
    assert.match(text, /rollback m@1 → production \(was @2\)/)
    assert.match(
      text,
      /fit to the data of the day: fits\n +evaluated again on 812 rows: auc 0\.84 \(0\.86 when it was registered\)/,
    )
  })
})
