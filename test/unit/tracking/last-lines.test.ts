/** The last lines of a command's output, as `run show` shows them. */
import assert from 'node:assert/strict'
import { cleanLines } from '../../../src/tracking/records/last-lines.ts'
import { showRun } from '../../../src/tracking/records/run-summary.ts'
import { type Workshop, workshop } from './support.ts'

describe('The last lines of an output', () => {
  it('are ten, without escapes, and of a progress bar what it drew last', () => {
    const many = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n')
    assert.deepEqual(cleanLines(many, false).slice(0, 2), ['line 20', 'line 21'])
    assert.deepEqual(cleanLines('\u001b[31mred\u001b[0m\u0007\r\n10%\r 50%\r100%\r\n\n\nend\n', false), [
      'red',
      '100%',
      'end',
    ])
    assert.deepEqual(cleanLines('\u001b]0;title\u0007\u001b[2Jx\u0000\u009b', false), ['x'])
    assert.deepEqual(cleanLines('rn of a word\nwhole\n', true), ['whole'])
    assert.equal(cleanLines('y'.repeat(2000), true)[0]?.length, 501)
    assert.deepEqual(cleanLines('', false), [])
  })

  it('hold no secrets', () => {
    const text = 'login --password hunter2secret9\nPGPASSWORD=hunter2\nhttps://u:hunter2@host/x\n'
    assert.doesNotMatch(cleanLines(text, false).join('\n'), /hunter2/)
  })

  describe('of a run', () => {
    let shop: Workshop
    before(async () => {
      shop = await workshop()
    })
    after(() => shop?.remove())

    it('are there when it failed, and not when it ended well', async () => {
      const failed = await shop.track(['sh', '-c', 'echo before; echo "ValueError: no" >&2; exit 3'])
      const fine = await shop.track(['sh', '-c', 'echo fine'])
      const lines = async (id: string) => (await showRun(shop.context(), shop.store, id)).lastLines
      assert.deepEqual([...(await lines(failed.runId))].sort(), ['ValueError: no', 'before'])
      assert.deepEqual(await lines(fine.runId), [])
    })

    it('are there while it goes on, and it lasts until now', async () => {
      const running = shop.track(['sh', '-c', 'echo working; until [ -e done ]; do sleep 0.05; done'])
      const seen = await until(async () => {
        const [id] = await shop.store.runs.list()
        const run = id === undefined ? undefined : await showRun(shop.context(), shop.store, id)
        return run?.status === 'running' && run.lastLines.length > 0 ? run : undefined
      })
      assert.deepEqual(seen.lastLines, ['working'])
      const later = { ...shop.context(), now: () => new Date(Date.parse(seen.started) + 90_000) }
      assert.equal((await showRun(later, shop.store, seen.run)).duration, 90)
      shop.write('done', '')
      await running
    })
  })
})

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
