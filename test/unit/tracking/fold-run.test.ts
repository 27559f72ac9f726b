/** What end.json says of the streams, and of facts that came late. */
import assert from 'node:assert/strict'
import { lateFacts } from '../../../src/tracking/capture/capture.ts'
import { foldRun } from '../../../src/tracking/records/fold-run.ts'

const t = (second: number): string => `2026-11-21T09:00:0${second}.000Z`
const NONE = { metrics: [], params: [], tags: [], artifacts: [] }
const START = { params: {}, tags: [] }

describe('The end of a run', () => {
  it('has the latest value of each metric, whoever wrote it', () => {
    const metrics = [
      { t: t(3), key: 'auc', value: 0.9 },
      { t: t(1), key: 'auc', value: 0.1 },
      { t: t(2), key: 'auc', value: 0.5 },
      { t: t(3), key: 'auc', value: 0.91 },
    ]
    assert.deepEqual(foldRun(START, { ...NONE, metrics }).metrics, { auc: 0.91 })
  })

  it('trusts a logged value more than a file, and a file more than a printed one', () => {
    const printed = { t: t(9), key: 'auc', value: 0.9, from: 'printed' as const }
    const file = { t: t(5), key: 'auc', value: 0.912, from: 'file' as const }
    const logged = { t: t(1), key: 'auc', value: 0.91234 }
    assert.deepEqual(foldRun(START, { ...NONE, metrics: [printed, file, logged] }).metrics, { auc: 0.91234 })
    assert.deepEqual(foldRun(START, { ...NONE, metrics: [printed, file] }).metrics, { auc: 0.912 })
    assert.deepEqual(foldRun(START, { ...NONE, metrics: [printed] }).metrics, { auc: 0.9 })
  })

  it('lets parameters of the command line win, and keeps each tag once, in order', () => {
    const folded = foldRun(
      { params: { depth: 4 }, tags: ['nightly'] },
      {
        ...NONE,
        params: [
          { t: t(1), key: 'depth', value: 5 },
          { t: t(1), key: 'kind', value: 'rf' },
        ],
        tags: [
          { t: t(2), tag: 'second' },
          { t: t(1), tag: 'first' },
          { t: t(3), tag: 'nightly' },
        ],
      },
    )
    assert.deepEqual(folded.params, { depth: 4, kind: 'rf' })
    assert.deepEqual(folded.tags, ['nightly', 'first', 'second'])
  })

  it('has one artifact of each path, the one written last', () => {
    const line = (second: number, path: string, digit: string) => ({
      t: t(second),
      path,
      sha256: digit.repeat(64),
      size: 1,
    })
    const { artifacts } = foldRun(START, {
      ...NONE,
      artifacts: [line(2, 'b', '2'), line(1, 'b', '1'), line(1, 'a', '3')],
    })
    assert.deepEqual(
      artifacts.map(({ path, sha256 }) => `${path}${sha256[0]}`),
      ['a3', 'b2'],
    )
  })

  it('adds what was still being computed when the run began, and nothing that was known', () => {
    const git = { commit: null, branch: null, remote: null, dirty: false }
    assert.deepEqual(lateFacts({ git }, { git, data: [] }), { data: [] })
    assert.equal(lateFacts({ git, data: [] }, { git, data: [] }), undefined)
  })
})
