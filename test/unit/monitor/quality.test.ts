/** Realised quality: verdicts with labels that arrive late, and the false-alarm rate by simulation. */
import assert from 'node:assert/strict'
import { studentTail } from '../../../src/core/special.ts'
import { judgeQuality } from '../../../src/monitor/quality.ts'
import { askScipy } from './support.ts'

const ten = <T>(make: (i: number) => T): T[] => Array.from({ length: 10 }, (_, i) => make(i))
const accuracy = (value: number, labelled: number, blocks: readonly number[], recorded = { accuracy: 0.9 }) =>
  judgeQuality({
    quality: { rows: 4 * labelled, labelled, metrics: { accuracy: value } },
    blocks: blocks.map((each) => ({ labelled: labelled / 10, metrics: { accuracy: each } })),
    recorded,
  })

describe('Realised quality', () => {
  it('alarms when the answers are wrong more often than when the version was registered', () => {
    const result = accuracy(
      0.75,
      1_000,
      ten((i) => 0.75 + (i % 2 === 0 ? 0.02 : -0.02)),
    )
    assert.equal(result?.verdict, 'breach')
    assert.equal(result?.summary, 'accuracy 0.75 (0.9 when registered); 1,000 of 4,000 predictions have a label')
    assert.deepEqual(result?.metrics, [{ metric: 'accuracy', value: 0.75, reference: 0.9, verdict: 'breach' }])
  })

  it('is fine when they are as good, and says nothing on a handful of labels', () => {
    assert.equal(
      accuracy(
        0.9,
        1_000,
        ten((i) => 0.9 + (i % 2 === 0 ? 0.02 : -0.02)),
      )?.verdict,
      'ok',
    )
    assert.equal(accuracy(0.6, 20, [])?.verdict, 'inconclusive')
    assert.match(accuracy(0.6, 20, [])?.summary ?? '', /20 of 80 predictions have a label; at least 50 are needed/)
    assert.equal(accuracy(0.6, 0, []), undefined)
  })

  it('does not compare what was never recorded', () => {
    const result = judgeQuality({
      quality: { rows: 1_000, labelled: 1_000, metrics: { accuracy: 0.6 } },
      blocks: [],
      recorded: { auc: 0.9 },
    })
    assert.equal(result?.verdict, 'inconclusive')
    assert.match(result?.summary ?? '', /no metric of the version has the same name/)
  })

  it('knows that a larger error is worse, and other spellings of a name', () => {
    const blocks = ten((i) => ({ labelled: 100, metrics: { rmse: 1.5 + (i % 3) / 50, auc: 0.7 + (i % 3) / 100 } }))
    const quality = { rows: 1_000, labelled: 1_000, metrics: { rmse: 1.5, auc: 0.71 } }
    const result = judgeQuality({ quality, blocks, recorded: { rmse: 1, roc_auc: 0.85 } })
    assert.deepEqual(
      result?.metrics.map(({ metric, verdict }) => [metric, verdict]),
      [
        ['rmse', 'breach'],
        ['auc', 'breach'],
      ],
    )
  })

  it('measures chance by Student, as scipy has it', function () {
    const cases = [-2, 0, 0.5, 2.1, 3.25, 7].flatMap((t) => [1, 4, 9].map((df) => [t, df]))
    const expected = askScipy(
      this,
      'import json, sys\nfrom scipy import stats\nprint(json.dumps([stats.t.sf(t, df) for t, df in json.load(sys.stdin)]))',
      cases,
    ) as number[]
    for (const [i, [t = 0, df = 0]] of cases.entries()) {
      assert.ok(Math.abs(studentTail(t, df) - (expected[i] ?? 0)) < 1e-9, `t = ${t}, ${df}`)
    }
  })

  it('alarms in less than 2 % of windows whose true accuracy is still fine by half the margin', () => {
    let state = 11
    const uniform = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 32
    }
    for (const labels of [60, 200, 2_000]) {
      let alarms = 0
      for (let round = 0; round < 500; round++) {
        const per = labels / 10
        const blocks = ten(() => {
          let right = 0
          for (let i = 0; i < per; i++) if (uniform() < 0.875) right += 1
          return right / per
        })
        const value = blocks.reduce((sum, each) => sum + each, 0) / 10
        if (accuracy(value, labels, blocks)?.verdict === 'breach') alarms += 1
      }
      assert.ok(alarms < 10, `${alarms} of 500 with ${labels} labels`)
    }
  })
})
