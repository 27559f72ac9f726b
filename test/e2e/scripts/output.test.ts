/** What scripts do to their output: bars, colours, megabytes, bytes that are no text, streams replaced and closed. */
import assert from 'node:assert/strict'
import { assertWhole, needsPython, scriptWorld } from './support.ts'

describe('The output of real scripts', function () {
  this.timeout(120_000)
  before(function () {
    needsPython(this)
  })

  it('with progress bars and colours is passed on and kept byte for byte, and read without them', async () => {
    const world = await scriptWorld('bars.py')
    const tracked = await world.track(['python', 'bars.py'])
    assertWhole(world, tracked)
    assert.ok(tracked.stdout.includes('\u001b[1;32mval_auc: 0.92\u001b[0m'))
    assert.ok(tracked.stderr.includes('\repoch 2: 100%|██████████| 100/100'))
    assert.ok(tracked.log.includes('\repoch 2: 100%|██████████| 100/100'))
    // A value inside of a bar is none; of a line that is written over, the last word counts.
    assert.deepEqual(tracked.run.metrics, { val_auc: 0.92, loss: 0.125 })
  })

  it('of megabytes is passed on whole, kept within bounds, and its last line is read', async () => {
    const world = await scriptWorld('flood.py')
    const tracked = await world.track(['python', 'flood.py'])
    assertWhole(world, tracked)
    const lines = tracked.stdout.toString().split('\n')
    assert.equal(lines.length, 200_002)
    assert.equal(tracked.run.metrics.auc, 0.875)
    assert.match(tracked.log.subarray(0, 200).toString(), /step 0000000/)
    // Beside what the other stream said last: two pipes have no order between them.
    assert.match(tracked.log.subarray(-400_000).toString(), /auc: 0\.875/)
  })

  it('that is no text is passed on and kept byte for byte', async () => {
    const world = await scriptWorld('binary.py')
    const tracked = await world.track(['python', 'binary.py'])
    assertWhole(world, tracked)
    const whole = Buffer.concat([
      Buffer.concat(Array.from({ length: 4096 }, () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)))),
      Buffer.from('\nauc: 0.75\n'),
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.from(' no text '),
      Buffer.from([0x80]),
    ])
    assert.ok(tracked.stdout.equals(whole))
    assert.ok(tracked.log.equals(whole))
    assert.deepEqual(tracked.run.metrics, { auc: 0.75 })
  })

  it('through a stdout that the script replaced is read, and what it kept for itself is not', async () => {
    const world = await scriptWorld('streams.py')
    const tracked = await world.track(['python', 'streams.py', 'replace'], { flags: ['--artifact', 'train.log'] })
    assertWhole(world, tracked)
    assert.deepEqual(tracked.run.metrics, { auc: 0.8, f1: 0.7 })
    assert.equal(tracked.run.artifacts[0].path, 'train.log')
  })

  it('that ends early, as the script closes it, ends no run: metrics.json that it moved into place counts', async () => {
    const world = await scriptWorld('streams.py')
    const tracked = await world.track(['python', 'streams.py', 'close'])
    assertWhole(world, tracked)
    assert.deepEqual(tracked.run.metrics, { auc: 0.8, f1: 0.7 })
    assert.match(tracked.stderr, /still here/)
  })
})
