/** Whether the process that wrote a record is still there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { hasGone, lifeOf, ownProcess } from '../../../src/core/process-place.ts'
import { runStatus } from '../../../src/tracking/records/status.ts'
import { skipBecause } from '../../support/skip.ts'

describe('The process that a record names', () => {
  before(function () {
    if (!existsSync('/proc/self/stat')) skipBecause(this, 'only Linux says where it counts its processes')
  })

  it('is alive while it is there, gone afterwards', async () => {
    const own = ownProcess() ?? assert.fail()
    assert.equal(lifeOf(own), 'alive')
    const child = spawn('sleep', ['60'])
    const record = { ...own, pid: child.pid ?? 0, start: undefined }
    assert.equal(lifeOf(record), 'alive')
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGKILL')
    await ended
    assert.deepEqual([lifeOf(record), hasGone(record)], ['gone', true])
  })

  it('is unknown where its number is that of no single process', () => {
    const own = ownProcess() ?? assert.fail()
    for (const pid of [0, -1, -own.pid, 2 ** 31, 2 ** 40, 1.5])
      assert.equal(lifeOf({ ...own, pid }), 'unknown', String(pid))
  })

  it('is gone where its number was given to another process', () => {
    const own = ownProcess() ?? assert.fail()
    assert.equal(lifeOf({ ...own, start: (own.start ?? 0) - 100 }), 'gone')
    assert.equal(lifeOf({ pid: own.pid, place: own.place }), 'alive', 'a record of an older writer has no start')
  })

  it('is gone when nobody has waited for what is left of it', async () => {
    const own = ownProcess() ?? assert.fail()
    const careless = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'])
    try {
      const pid = Number(
        await new Promise((resolve) => careless.stdout.once('data', (bytes) => resolve(String(bytes)))),
      )
      while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '))
        await new Promise((wait) => setTimeout(wait, 10))
      process.kill(pid, 0)
      assert.equal(lifeOf({ ...own, pid, start: undefined }), 'gone')
    } finally {
      careless.kill('SIGKILL')
    }
  })

  it('says nothing of another place', () => {
    const own = ownProcess() ?? assert.fail()
    for (const record of [
      undefined,
      {},
      { ...own, place: 'another boot' },
      { ...own, pid: 'x' },
      { place: own.place },
    ]) {
      assert.equal(lifeOf(record), 'unknown')
    }
  })

  it('decides how a run stands, whatever the clocks say; elsewhere the heartbeat does', () => {
    const own = ownProcess() ?? assert.fail()
    const status = (process: unknown, silent: number | undefined) =>
      runStatus({ end: undefined, silent, start: { process } as never })
    assert.equal(status(own, 9_999), 'running')
    assert.equal(status({ ...own, start: 1 }, 0), 'interrupted')
    const elsewhere = { ...own, place: 'another boot' }
    assert.deepEqual([status(elsewhere, 5), status(elsewhere, 61)], ['running', 'interrupted'])
    assert.deepEqual([status(undefined, 5), status(undefined, undefined)], ['running', 'interrupted'])
  })
})

describe('A run of another host', () => {
  it('goes on while its heart beat within a minute by either clock', () => {
    const status = (silent: number) => runStatus({ end: undefined, silent })
    assert.deepEqual([-61, -59, 0, 59, 61, -1e9].map(status), [
      ...['interrupted', 'running', 'running', 'running', 'interrupted', 'interrupted'],
    ])
  })
})
