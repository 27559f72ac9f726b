/** Several processes move one stage at the same moment. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { addVersion, MODEL, type World, world } from './fixture.ts'

describe('processes that move the same stage at the same moment', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    for (let n = 0; n < 4; n++) await addVersion(w)
  })
  afterEach(() => w.remove())

  it('promote: each either moves what it saw, or hears that somebody else did', async () => {
    const outcomes = await race(w, ['1', '2', '3', '4'])
    await assertTruthful(w, outcomes)
  })

  it('roll back: nobody goes back twice by accident', async () => {
    for (const version of [1, 2, 3, 4]) {
      await promote(w.ctx, w.project(), w.store, { ref: parseModelRef(`${MODEL}@${version}`), stage: 'staging' })
    }
    const outcomes = await race(w, ['back', 'back', 'back'])
    await assertTruthful(w, outcomes)
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1)
  })
})

/** As many events as processes that were told so, and each event replaced exactly the entry it expected. */
async function assertTruthful(w: World, outcomes: readonly string[]): Promise<void> {
  for (const outcome of outcomes) assert.match(outcome, /^(?:done|5 STAGE_MOVED|5 PLAN_CHANGED)$/)
  const { events } = await w.store.models.state(MODEL)
  const movers = new Set(events.filter(({ actor }) => actor.name.startsWith('racer')).map(({ actor }) => actor.name))
  const winners = outcomes.flatMap((outcome, index) => (outcome === 'done' ? [`racer-${index}`] : []))
  assert.deepEqual([...movers].sort(), winners)
  assert.ok(winners.length >= 1)
  let before: number | null = null
  for (const event of events) {
    if (event.type !== 'promote' && event.type !== 'rollback') continue
    assert.deepEqual(event.expect, { staging: before })
    before = event.stages.staging?.seq ?? null
  }
}

async function race(w: World, versions: readonly string[]): Promise<string[]> {
  const signal = join(w.dir, 'go')
  const script = join(import.meta.dirname, 'mover.ts')
  const racers = versions.map((version, index) => {
    const args = ['--import=tsx', script, w.store.root, signal, `racer-${index}`, MODEL, version]
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  })
  await Promise.all(racers.map(({ stdout }) => once(stdout, 'readable')))
  writeFileSync(signal, '')
  const outputs = await Promise.all(racers.map(({ stdout }) => text(stdout)))
  return outputs.map((output) => output.trim().split('\n').at(-1) ?? '')
}
