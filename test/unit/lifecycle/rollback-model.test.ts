/** Any sequence of moves in two stages against a model of it that knows neither events nor numbers: a chain of nodes. */
import assert from 'node:assert/strict'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { addVersion, MODEL, rejection, type World, world } from './fixture.ts'

interface Node {
  readonly version: number
  readonly back: Node | null
}

/** Promote pushes, rollback pops; `to` goes down the way back, and never forward. */
class Stage {
  current: Node | null = null
  readonly #ever = new Set<number>()

  push(version: number): 'promoted' | 'already there' {
    if (this.current?.version === version) return 'already there'
    this.#set({ version, back: this.current })
    return 'promoted'
  }

  pop(
    to?: number,
  ): 'rolled back' | 'already there' | 'STAGE_EMPTY' | 'NOTHING_BEFORE' | 'NEVER_HELD' | 'ROLLBACK_FORWARD' {
    if (this.current === null) return 'STAGE_EMPTY'
    if (to === this.current.version) return 'already there'
    const [previous] = this.wayBack()
    const wanted = (node: Node): boolean => node.version === to
    const found = to === undefined ? previous : this.wayBack().find(wanted)
    if (found === undefined) {
      if (to === undefined) return 'NOTHING_BEFORE'
      return this.#ever.has(to) ? 'ROLLBACK_FORWARD' : 'NEVER_HELD'
    }
    this.#set({ version: found.version, back: found.back })
    return 'rolled back'
  }

  wayBack(): Node[] {
    const nodes: Node[] = []
    for (let node = this.current?.back ?? null; node !== null; node = node.back) nodes.push(node)
    return nodes
  }

  #set(node: Node): void {
    this.current = node
    this.#ever.add(node.version)
  }
}

const VERSIONS = 5
const STEPS = 45

describe('Promote and rollback in any order', function () {
  this.timeout(120_000)
  let w: World
  beforeEach(async () => {
    w = await world()
    for (let n = 0; n < VERSIONS; n++) await addVersion(w)
  })
  afterEach(() => w.remove())

  async function step(stages: Readonly<Record<string, Stage>>, random: () => number): Promise<string> {
    const stage = random() < 0.7 ? 'production' : 'staging'
    const model = stages[stage]
    assert.ok(model)
    const version = 1 + Math.floor(random() * VERSIONS)
    if (random() < 0.5) {
      const ref = parseModelRef(`${MODEL}@${version}`)
      const request = { ref, stage, approve: ['ada'] }
      assert.equal((await promote(w.ctx, w.project(), w.store, request)).outcome, model.push(version))
      return `${stage} + ${version}`
    }
    const to = random() < 0.4 ? version : undefined
    const request = { model: MODEL, stage, verify: false, ...(to === undefined ? {} : { to }) }
    const work = rollback(w.ctx, w.project(), w.store, request)
    const expected = model.pop(to)
    if (expected === 'rolled back' || expected === 'already there') {
      const result = await work
      assert.equal(result.outcome, expected)
      assert.deepEqual(
        result.before,
        model.wayBack().map((node) => node.version),
      )
    } else assert.equal((await rejection(work)).code, expected)
    return `${stage} - ${to ?? ''}`
  }

  for (const seed of [1, 20261121, 4, 77]) {
    it(`is what two stacks say (seed ${seed})`, async () => {
      const stages = { production: new Stage(), staging: new Stage() }
      const random = draws(seed)
      const done: string[] = []
      for (let n = 0; n < STEPS; n++) {
        done.push(await step(stages, random))
        const state = await w.store.models.state(MODEL)
        for (const [stage, { current }] of Object.entries(stages)) {
          assert.equal(state.stages[stage]?.version, current?.version, `${stage} after ${done.join(', ')}`)
        }
      }
      assert.deepEqual((await verifyStore(w.store.root)).damages, [])
      assert.ok(new Set(done).size > 8, 'the draws are all alike')
    })
  }
})

function draws(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
