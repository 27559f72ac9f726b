/** Whether clock and disk can be trusted: real probes of a real folder, and what is made of facts that are bad. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clockFindings, diskFindings } from '../../../src/doctor/machine.ts'
import type { ModelEvent } from '../../../src/store/events.ts'
import { fold, type ModelState } from '../../../src/store/fold.ts'
import { type DiskFacts, probeDisk } from '../../../src/store/probe.ts'
import { skipBecause } from '../../support/skip.ts'

const FINE: DiskFacts = {
  writable: true,
  exclusiveLinks: true,
  syncs: true,
  clockAhead: 0,
  kind: null,
  freeBytes: 1e12,
}
const NOW = Date.UTC(2026, 5, 1, 12)

/** A log whose events have these times, in minutes from now. */
function log(...minutes: readonly number[]): ModelState {
  const events = minutes.map((minute, at) => ({
    seq: at + 1,
    type: 'tag',
    body: { version: 1, add: [], remove: [] },
    stages: {},
    actor: { name: 'ada@laptop', origin: 'local' },
    time: new Date(NOW + minute * 60_000).toISOString(),
  }))
  return fold('churn-model', events as unknown as ModelEvent[])
}

const clock = (facts: Partial<DiskFacts>, ...states: ModelState[]) => clockFindings({ ...FINE, ...facts }, states, NOW)
const said = (findings: readonly { severity: string; summary: string }[]) =>
  findings.map(({ severity, summary }) => `${severity}: ${summary}`)

describe('The disk of the store', () => {
  it('is tried for real, and nothing is left on it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mlops-probe-'))
    try {
      const found = await probeDisk(root, Date.now)
      assert.deepEqual([found.writable, found.exclusiveLinks, found.syncs], [true, true, true])
      assert.ok(Math.abs(found.clockAhead ?? Number.NaN) < 2000)
      assert.deepEqual(readdirSync(join(root, 'tmp')), [])
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('whose clock is another one is noticed', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mlops-probe-'))
    try {
      const behind = await probeDisk(root, () => Date.now() - 3_600_000)
      assert.ok((behind.clockAhead ?? 0) > 3_500_000)
      const ahead = await probeDisk(root, () => Date.now() + 3_600_000)
      assert.ok((ahead.clockAhead ?? 0) < -3_500_000)
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('in memory is known', async function () {
    const known = statSync('/dev/shm', { throwIfNoEntry: false })
    if (known === undefined) skipBecause(this, 'there is no /dev/shm')
    const root = mkdtempSync('/dev/shm/mlops-probe-')
    try {
      assert.equal((await probeDisk(root, Date.now)).kind, 'tmpfs')
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('that may not be written is said to be that, and no more', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mlops-probe-'))
    writeFileSync(join(root, 'tmp'), 'no folder')
    try {
      assert.deepEqual(said(diskFindings(await probeDisk(root, Date.now))), [
        'warn: the store cannot be written from here: only reading was tried',
      ])
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('is fine, or it is said why not', () => {
    const found = (facts: Partial<DiskFacts>) => said(diskFindings({ ...FINE, ...facts }))
    assert.deepEqual(found({}), ['good: the disk of the store links, syncs and has room'])
    assert.match(found({ exclusiveLinks: false })[0] ?? '', /^bad: .*two writers could both win/)
    assert.match(found({ syncs: false })[0] ?? '', /^bad: .*power cut/)
    assert.match(found({ kind: 'tmpfs' })[0] ?? '', /^bad: .*gone after a restart/)
    assert.match(found({ kind: 'nfs' })[0] ?? '', /^warn: .*nfs/)
    assert.match(found({ freeBytes: 30e6 })[0] ?? '', /^bad: .*30 MB left/)
    assert.match(found({ freeBytes: 500e6 })[0] ?? '', /^warn: .*500 MB left/)
  })
})

describe('The clock', () => {
  it('is fine where disk and log agree with it', () => {
    assert.deepEqual(said(clock({}, log(-10, -5, 0))), ['good: the clock agrees with the disk and with the log'])
    assert.equal(clock({ clockAhead: 90_000 }, log(-10, -10.5, 1))[0]?.severity, 'good')
  })

  it('is not where the newest event is in the future', () => {
    const [found] = said(clock({}, log(-10, 90)))
    assert.match(found ?? '', /^bad: event 2 of churn-model is 1 hour in the future: .*ada@laptop/)
  })

  it('is not where the disk says another time', () => {
    assert.match(said(clock({ clockAhead: 600_000 }))[0] ?? '', /^bad: this clock is 10 minutes behind/)
    assert.match(said(clock({ clockAhead: -600_000 }))[0] ?? '', /^bad: this clock is 10 minutes ahead of/)
  })

  it('that went back in the middle of a log is told, with whose it was', () => {
    assert.match(
      said(clock({}, log(-100, -30, -60, -5)))[0] ?? '',
      /^warn: event 3 of churn-model .*ada@laptop was behind/,
    )
  })
})
