/** Rollouts in the log: what is proven of them, also against somebody who makes everything after a change fit again. */
import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import type { PromoteBody, RolloutBody, Stages } from '../../../src/store/events.ts'
import { givenUpRollout } from '../../../src/store/rollouts.ts'
import { seal } from '../../../src/store/sealed.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { draft, promote, register, rollback, temporaryStore } from './support.ts'

const STEPS = [5, 25, 100]
const LOG = 'models/churn-model/log'

/** 1 and 2 registered, 1 in production (3), 2 at 5 % (4), at 25 % (5), in production (6). */
async function rolledOut(): Promise<Store> {
  const store = await temporaryStore()
  await register(store, 'one')
  await register(store, 'two')
  await promote(store, 1)
  await change(store, { action: 'start', weight: 5, gate: await gateOf(store) })
  await change(store, { action: 'advance', weight: 25 })
  const state = await store.models.state('churn-model')
  const body: PromoteBody = { stage: 'production', version: 2, from: 1, gate: await gateOf(store), rollout: 4 }
  await store.models.commit(state, draft('promote', body))
  return store
}

async function gateOf(store: Store) {
  const manifest = (await store.models.state('churn-model')).versions[1]?.manifest ?? ''
  return { verdict: 'pass' as const, checks: [], bound: { manifest, policy: sha256('policy') } }
}

async function change(store: Store, more: Pick<RolloutBody, 'action' | 'weight'> & Partial<RolloutBody>) {
  const body = { stage: 'production', version: 2, from: 1, steps: STEPS, ...more }
  return store.models.commit(await store.models.state('churn-model'), draft('rollout', body))
}

type Forged = { body: Record<string, unknown>; stages: Record<string, Record<string, unknown>> }

/** Changes event `seq`, and seals it and everything after it anew. */
function forge(store: Store, seq: number, how: (event: Forged) => void): void {
  let prev = ''
  for (const name of readdirSync(join(store.root, LOG)).sort()) {
    const path = join(store.root, LOG, name)
    const { self: _, ...event } = JSON.parse(readFileSync(path, 'utf8'))
    if (event.seq === seq) how(event)
    if (event.seq >= seq) {
      chmodSync(path, 0o644)
      writeFileSync(path, seal({ ...event, prev }))
    }
    prev = sha256(readFileSync(path))
  }
}

const problems = async (store: Store): Promise<string[]> =>
  (await verifyStore(store.root)).damages.map(({ problem, why }) => `${problem}: ${why}`)

describe('a rollout in the log', () => {
  it('is whole, and leaves the stage where a promotion would', async () => {
    const store = await rolledOut()
    assert.deepEqual(await problems(store), [])
    const { stages, events } = await store.models.state('churn-model')
    assert.deepEqual(
      events.map((event) => event.stages.production?.rollout?.weight ?? null),
      [null, null, null, 5, 25, null],
    )
    assert.deepEqual([stages.production?.version, stages.production?.back], [2, 3])
    await rollback(store)
    assert.equal((await store.models.state('churn-model')).stages.production?.version, 1)
  })

  it('is damage where its share was changed alone', async () => {
    const store = await rolledOut()
    forge(store, 5, ({ body }) => {
      body.weight = 50
    })
    assert.match((await problems(store)).join('\n'), /50 is no later step of 5, 25, 100/)
  })

  const forgeries: Record<string, readonly [number, (event: Forged) => void, RegExp]> = {
    'a share that is no step, in the stages too': [
      5,
      ({ body, stages }) => {
        body.weight = 60
        Object.assign(stages.production?.rollout ?? {}, { weight: 60 })
      },
      /60 is no later step/,
    ],
    'a start that no gate let in': [
      4,
      ({ body }) => {
        delete body.gate
      },
      /no gate let its version in/,
    ],
    'steps that do not ascend': [
      4,
      ({ body, stages }) => {
        body.steps = [5, 3, 100]
        Object.assign(stages.production?.rollout ?? {}, { steps: [5, 3, 100] })
      },
      /the steps must ascend/,
    ],
    'a completion of a rollout that never was': [
      6,
      ({ body }) => {
        body.rollout = 2
      },
      /it completes the rollout of event 2, which is not going on/,
    ],
    'stages that keep the rollout after its end': [
      6,
      ({ stages }) => {
        const rollout = {
          version: 2,
          manifest: stages.production?.manifest,
          start: 4,
          seq: 5,
          weight: 25,
          steps: STEPS,
        }
        Object.assign(stages.production ?? {}, { rollout })
      },
      /its map of stages is not what the events up to it give/,
    ],
  }
  for (const [what, [seq, how, why]] of Object.entries(forgeries)) {
    it(`is damage with ${what}`, async () => {
      const store = await rolledOut()
      forge(store, seq, how)
      assert.match((await problems(store)).join('\n'), why)
    })
  }

  it('was given up by an abort and by a rollback, and not by its completion', async () => {
    const manifest = 'a'.repeat(64)
    const entry = { version: 1, manifest, seq: 3, back: null }
    const rollout = { version: 2, manifest, start: 4, seq: 4, weight: 5, steps: STEPS }
    const running: Stages = { production: { ...entry, rollout } }
    assert.equal(givenUpRollout(running, { production: entry }, 'production'), rollout)
    assert.equal(givenUpRollout(running, { production: { ...entry, version: 2, seq: 6 } }, 'production'), undefined)
    assert.equal(givenUpRollout(running, running, 'production'), undefined)
    assert.equal(givenUpRollout(undefined, running, 'production'), undefined)
  })
})
