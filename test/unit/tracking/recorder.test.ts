/** Values that a command prints, on their way into the streams of its run. */
import assert from 'node:assert/strict'
import { createRecorder } from '../../../src/tracking/values/recorder.ts'
import { type Workshop, workshop } from './support.ts'

describe('What a command prints', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop()
  })
  afterEach(() => shop.remove())

  it('is kept one by one, even a hundred and fifty thousand times', async () => {
    const run = await shop.track(['sh', '-c', "seq 1 150000 | sed 's/^/loss: /'"])
    assert.deepEqual(run.end.metrics, { loss: 150000 })
    assert.equal((await shop.store.runs.stream(run.runId, 'metrics')).length, 150_000)
    assert.deepEqual(
      run.end.warnings.filter((each) => each.includes('printed')),
      [],
    )
  })

  it('beyond the limit is the last value of each name, and that is said', async () => {
    const { start } = await shop.track(['true'])
    const writer = await shop.store.runs.create({ ...start, id: '01JD3Z00000000000000000000' })
    const recorder = createRecorder(() => new Date(), 100)
    recorder.attach(writer)
    for (let n = 1; n <= 500; n++) recorder.scanner.feed(Buffer.from(`loss: ${n}\nacc: ${n / 500}\n`))
    const notes = await recorder.close()
    const lines = await shop.store.runs.stream(writer.id, 'metrics')
    assert.equal(lines.length, 102)
    assert.deepEqual(
      lines.slice(-2).map(({ key, value }) => [key, value]),
      [
        ['loss', 500],
        ['acc', 1],
      ],
    )
    assert.match(notes.join(), /more than 100 values were printed/)
  })
})
