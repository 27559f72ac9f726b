/** What a version breaks for whoever asks it, from real baselines; as a warning, and as a check of a gate. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { Float } from '../../../src/drift/examples.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { contractOf, diffContracts } from '../../../src/lifecycle/versions/contract.ts'
import { signatureOf } from '../../../src/scaffold/fastapi/signature.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderPromotion } from '../../../src/ui/views/promote.ts'
import { addVersion, gate, MODEL, rejection, type World, world } from './fixture.ts'

const ROWS = 60
type Columns = Readonly<Record<string, (row: number) => string>>

const BASE: Columns = {
  tenure: (row) => String(row % 20),
  plan: (row) => ['basic', 'pro', 'team'][row % 3] ?? '',
  charge: (row) => (row === 7 ? '' : String(row + 0.5)),
  churned: (row) => ['no', 'yes'][row % 2] ?? '',
}

describe('a contract between two versions', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  async function profile(columns: Columns) {
    const names = Object.keys(columns)
    const rows = Array.from({ length: ROWS }, (_, row) => names.map((name) => columns[name]?.(row) ?? '').join(','))
    const path = join(w.dir, 'rows.csv')
    writeFileSync(path, `${[names.join(','), ...rows].join('\n')}\n`)
    return profileBaseline(path, { cwd: w.dir, schema: { columns: {}, target: 'churned' } })
  }
  const contract = async (columns: Columns) => contractOf((await profile(columns)).profile, { target: 'churned' })
  const against = async (columns: Columns) => {
    const { verdict, changes } = diffContracts(await contract(BASE), await contract(columns))
    return [verdict, changes.map(({ breaking, summary }) => `${breaking ? '!' : ' '} ${summary}`)]
  }
  const without = (name: string): Columns => Object.fromEntries(Object.entries(BASE).filter(([each]) => each !== name))

  it('is the same for other rows of the same columns', async () => {
    assert.deepEqual(await against({ ...BASE, tenure: (row) => String((row * 3) % 20) }), ['same', []])
  })

  it('is broken by a column that is gone, or newly wanted', async () => {
    assert.deepEqual(await against(without('plan')), ['breaking', ['! plan: is not taken any more']])
    assert.deepEqual(await against({ ...BASE, age: (row) => String(20 + (row % 30)) }), [
      'breaking',
      ['! age: is new, and must be given'],
    ])
  })

  it('is kept by a new column that may be missing, and by a wider type', async () => {
    const age = (row: number) => (row === 3 ? '' : String(20 + (row % 30)))
    assert.deepEqual(await against({ ...BASE, age }), [
      'compatible',
      ['  age: is new, and may be missing; a generated service takes it when it is generated again'],
    ])
    const tenure = (row: number) => String((row % 20) + 0.25)
    assert.deepEqual(await against({ ...BASE, tenure }), ['compatible', ['  tenure: integer -> number']])
  })

  it('is broken by another type, and by a value that may not be missing any more', async () => {
    assert.deepEqual(await against({ ...BASE, tenure: (row) => (row % 2 === 0 ? 'short' : 'long') }), [
      'breaking',
      ['! tenure: integer -> text'],
    ])
    assert.deepEqual(await against({ ...BASE, charge: (row) => String(row + 0.5) }), [
      'breaking',
      ['! charge: must not be missing any more'],
    ])
  })

  it('is broken by other classes of the answer', async () => {
    const churned = (row: number) => ['no', 'yes', 'unsure'][row % 3] ?? ''
    assert.deepEqual(await against({ ...BASE, churned }), ['breaking', ['! the answer: new classes: unsure']])
    const amount = (row: number) => String(row * 1.25 + 0.1)
    assert.deepEqual(await against({ ...BASE, churned: amount }), [
      'breaking',
      ['! the answer: was one of some classes, is a quantity'],
    ])
  })

  it('is not known without a baseline', async () => {
    assert.equal(diffContracts(await contract(BASE), null).verdict, 'unknown')
  })

  it('is of the columns that the examples name, as the service takes them', async () => {
    const { profile: found } = await profile(BASE)
    const of = (features: Readonly<Record<string, unknown>>) => [
      { features: new Map(Object.entries(features)), output: 0.5 },
    ]
    const asked = (features: Readonly<Record<string, unknown>>, drop: readonly string[] = []) =>
      contractOf(found, { target: 'churned' }, { examples: of(features), drop })
    const fewer = asked({ tenure: 3, plan: 'pro' })
    assert.deepEqual(
      fewer?.columns.map(({ name, type }) => `${name} ${type}`),
      ['tenure integer', 'plan string'],
    )
    assert.deepEqual(fewer?.unasked, ['charge'])
    const all = asked({ tenure: 3, plan: 'pro', charge: new Float(1.5) })
    assert.deepEqual(
      diffContracts(fewer, all).changes.map(({ summary }) => summary),
      ['charge: is new, and may be missing; a generated service takes it when it is generated again'],
    )
    assert.equal(diffContracts(all, fewer).verdict, 'breaking')
    // A personal column is never in an example, and is a column of the model.
    assert.equal(diffContracts(all, asked({ tenure: 3, plan: 'pro' }, ['charge'])).verdict, 'same')
    // 3.0 of an example is a number; without examples both baselines are asked, which cannot tell.
    const float = asked({ tenure: new Float(3), plan: 'pro', charge: new Float(1.5) })
    assert.equal(diffContracts(float, contractOf(found, { target: 'churned' })).verdict, 'same')
    assert.equal(diffContracts(all, contractOf(undefined, {}, { examples: of({ tenure: 'new' }) })).verdict, 'breaking')
  })

  it('is broken by answers of another kind, where examples of both tell', async () => {
    const { profile: found } = await profile(BASE)
    const of = (...outputs: unknown[]) => {
      const features = new Map<string, unknown>([['tenure', 3]])
      return contractOf(found, { target: 'churned' }, { examples: outputs.map((output) => ({ features, output })) })
    }
    const { verdict, changes } = diffContracts(of(0.25, 0.5), of('no', 'yes'))
    assert.deepEqual([verdict, changes[0]?.summary], ['breaking', 'the answer: was a probability, is a class'])
    assert.equal(diffContracts(of(0.25, 0.5), of({ no: 0.5, yes: 0.5 })).verdict, 'same')
    assert.equal(diffContracts(of('no'), of(null)).verdict, 'same')
  })

  it('is the one that a service is scaffolded with', async () => {
    const { profile: found } = await profile(BASE)
    for (const examples of [
      [],
      [
        {
          features: new Map<string, unknown>([
            ['plan', 'pro'],
            ['tenure', 3],
          ]),
          output: 0.5,
        },
      ],
    ]) {
      const signature = signatureOf({
        model: MODEL,
        profile: found,
        examples,
        schema: { columns: {} },
        target: 'churned',
        prediction: undefined,
        drop: [],
        refuse: [],
        kind: undefined,
      })
      const typed = ({ name, type, nullable }: { name: string; type: string; nullable: boolean }) => ({
        name,
        type,
        nullable,
      })
      assert.deepEqual(
        signature.features.map(typed),
        contractOf(found, { target: 'churned' }, { examples })?.columns.map(typed),
      )
    }
  })

  async function register(columns: Columns | undefined, examples?: string): Promise<void> {
    if (columns === undefined) {
      await addVersion(w)
      return
    }
    const { profile: found, bytes, data } = await profile(columns)
    const pin = await w.store.objects.put(bytes)
    const { sha256, rows } = data
    assert.equal(found.rows, ROWS)
    await addVersion(w, {
      target: 'churned',
      ...(examples === undefined ? {} : { examples }),
      profile: { profile: pin.sha256, data: { name: 'baseline', sha256, rows } },
    })
  }
  const up = (version: number, config = {}) =>
    promote(w.ctx, w.project(config), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
    })
  const compatible = { gates: { production: gate({ contract: 'compatible' }) } }

  it('that is broken is a warning at the promotion, which goes on', async () => {
    await register(BASE)
    await register(without('plan'))
    await up(1)
    const result = await up(2)
    assert.equal(result.outcome, 'promoted')
    assert.equal(result.changes?.contract.verdict, 'breaking')
    const style = createStyle({ color: false, unicode: true })
    const ui = createUi({ style, width: Number.POSITIVE_INFINITY, now: new Date(), quiet: false })
    assert.match(renderPromotion(ui, result), /▲ Breaking for whoever asks churn-model@1: plan: is not taken any more/)
  })

  it('is binding where the gate says so, and open where a baseline is missing', async () => {
    await register(BASE)
    await register(without('plan'))
    await register({ ...BASE, tenure: (row) => String((row * 2) % 20) })
    await register(undefined)
    await up(1, compatible)
    const error = await rejection(up(2, compatible))
    assert.equal(error.code, 'GATE_REFUSED')
    assert.match(
      String(error.details?.problems),
      /contract fails: required compatible with production, actual breaking; plan: is not taken/,
    )
    const unknown = await rejection(up(4, compatible))
    assert.match(String(unknown.details?.problems), /contract is inconclusive/)
    assert.equal((await up(3, compatible)).outcome, 'promoted')
  })

  it('refuses a version whose examples name another column, though the baselines are the same', async () => {
    const line = (features: object) => `${JSON.stringify({ features, output: 0.5 })}\n`
    await register(BASE, line({ tenure: 3, plan: 'pro' }))
    await register(BASE)
    await register({ ...BASE, tenure: (row) => String((row * 2) % 20) }, line({ tenure: 3, plan: 'pro' }))
    const many = { ...BASE, Dependents: (row: number) => ['No', 'Yes'][row % 2] ?? '' }
    await register(many, line({ tenure: 3, plan: 'pro', Dependents: 'No' }))
    await up(1, compatible)
    const error = await rejection(up(4, compatible))
    assert.match(String(error.details?.problems), /actual breaking; Dependents: is new, and must be given/)
    assert.equal((await up(3, compatible)).outcome, 'promoted')
  })
})
