/** Seeds: chosen, passed on, recorded as they are, and recognised among parameters. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { childEnvironment, chooseSeed, seedsInParams } from '../../../src/tracking/execute/seed.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { CLIENT, type Workshop, workshop } from './support.ts'

describe('The seed of a run', () => {
  let shop: Workshop
  before(function () {
    needsPython(this)
  })
  beforeEach(async () => {
    shop = await workshop({
      'mlops.yaml': '',
      'seen.py': 'import os\nprint(os.environ["MLOPS_SEED"], os.environ["PYTHONHASHSEED"])\n',
    })
  })
  afterEach(() => shop.remove())

  it('is passed on and recorded, with who chose it', async () => {
    const seen = async (environment: Record<string, string>, seed?: number) => {
      const run = await shop.track([PYTHON, 'seen.py'], { environment, ...(seed === undefined ? {} : { seed }) })
      const { start } = await shop.store.runs.read(run.runId)
      assert.equal(run.stdout, `${start.env.MLOPS_SEED} ${start.env.PYTHONHASHSEED}\n`)
      assert.equal(start.env.MLOPS_SEED, String(start.seed))
      return [start.seedFrom, start.seed, start.env.PYTHONHASHSEED]
    }
    assert.deepEqual(await seen({}, 7), ['flag', 7, '7'])
    assert.deepEqual(await seen({ MLOPS_SEED: '5' }), ['environment', 5, '5'])
    assert.deepEqual(await seen({ MLOPS_SEED: '5' }, 0), ['flag', 0, '0'])
    const [from, seed, hash] = await seen({})
    assert.deepEqual([from, hash], ['random', String(seed)])
    for (const inherited of ['random', '0', '99']) {
      assert.deepEqual(await seen({ PYTHONHASHSEED: inherited }, 7), ['flag', 7, inherited])
    }
    assert.deepEqual(await seen({ PYTHONHASHSEED: '' }, 7), ['flag', 7, '7'])
  })

  it('makes the order of a set of texts the same again', async () => {
    shop.write('order.py', 'print("order:", " ".join({str(n) for n in range(50)}))\n')
    const [one, two, other] = [
      await shop.track([PYTHON, 'order.py'], { seed: 1 }),
      await shop.track([PYTHON, 'order.py'], { seed: 1 }),
      await shop.track([PYTHON, 'order.py'], { seed: 2 }),
    ]
    assert.equal(one.stdout, two.stdout)
    assert.notEqual(one.stdout, other.stdout)
  })

  it('of an inner run with a flag does not hash with the seed of the outer one', () => {
    const store = { root: '/store' }
    const outer = childEnvironment({}, { store, id: 'A', seed: 1, seedFrom: 'random', client: undefined })
    const inner = (seedFrom: 'flag' | 'environment', env = outer) =>
      childEnvironment(env, { store, id: 'B', seed: 2, seedFrom, client: undefined }).PYTHONHASHSEED
    assert.equal(inner('flag'), '2')
    assert.equal(inner('environment'), '1')
    assert.equal(inner('flag', { ...outer, PYTHONHASHSEED: '0' }), '0')
  })

  it('is refused where Python would refuse it', () => {
    for (const text of ['4294967296', '-1', '1e3', '0x10', '7.5', ' 7', 'seven', '²']) {
      assert.throws(() => chooseSeed(undefined, { MLOPS_SEED: text }), {
        code: 'SEED_INVALID',
        hint: 'Correct MLOPS_SEED, or unset it',
      })
    }
    assert.throws(() => chooseSeed(-1, {}), { code: 'SEED_INVALID', hint: 'Write for example --seed 42' })
    assert.deepEqual(chooseSeed(undefined, { MLOPS_SEED: '4294967295' }), { seed: 4_294_967_295, from: 'environment' })
  })

  it('of a script without the program is that of its environment, and never a guess', async () => {
    const seedOf = async (text: string) => {
      shop.write('t.py', 'import mlops\nwith mlops.track("m") as run:\n    run.log_metric("a", 1)\n')
      execFileSync(PYTHON, ['t.py'], {
        cwd: shop.root,
        env: { PATH: process.env.PATH, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', MLOPS_SEED: text },
      })
      const ids = await shop.store.runs.list()
      const { start } = await shop.store.runs.read([...ids].sort().at(-1) ?? '')
      return [start.seed, start.seedFrom]
    }
    assert.deepEqual(await seedOf('42'), [42, 'environment'])
    assert.deepEqual(await seedOf('²'), [undefined, undefined])
  })
})

describe('Seeds among the parameters', () => {
  it('are known by the names that libraries and people give them', () => {
    const names = [
      'seed',
      'random_state',
      'randomState',
      'random_seed',
      'model.random_state',
      'data/split_seed',
      'rng_seed',
    ]
    names.push('seed_everything', 'torch_seed', 'seed_value', 'manualSeed', 'RANDOM_SEED', 'np.random.seed', 'seeds')
    const params = Object.fromEntries(names.map((name) => [name, 42]))
    assert.deepEqual(
      seedsInParams(params)
        .map(({ name }) => name)
        .sort(),
      names.sort(),
    )
  })

  it('are not what only sounds like one', () => {
    const names = [
      'n_seeds',
      'num_seeds',
      'seed_count',
      'feed',
      'proceed',
      'state',
      'seedling',
      'max_seed',
      'hidden_state',
    ]
    assert.deepEqual(seedsInParams(Object.fromEntries(names.map((name) => [name, 1]))), [])
    assert.deepEqual(seedsInParams({ seed: 0.25 }), [])
  })

  it('say when they mean that there is none', () => {
    const params = {
      random_state: null,
      seed: 'None',
      a_seed: 0,
      b_seed: '7',
      seed_everything: false,
      c_seed: 'random',
    }
    const unseeded = seedsInParams(params).filter((each) => each.unseeded)
    assert.deepEqual(
      unseeded.map(({ name }) => name),
      ['c_seed', 'random_state', 'seed', 'seed_everything'],
    )
  })
})
