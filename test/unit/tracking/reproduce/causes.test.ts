/** Which cause of a difference a reproduction names first. */
import assert from 'node:assert/strict'
import type { PackageFact, RunFacts } from '../../../../src/tracking/compare/facts.ts'
import { type CauseFacts, causesOf } from '../../../../src/tracking/reproduce/causes.ts'
import type { ReproducePlan } from '../../../../src/tracking/reproduce/types.ts'

const GIT = { commit: 'a'.repeat(40), branch: 'main', remote: null, dirty: false }
const HOST = { name: 'laptop', platform: 'linux x86_64', cpus: 8, memory: 1 }

const facts = (more: Partial<RunFacts> = {}): RunFacts => ({
  ...{ run: 'R', status: 'finished', model: null, command: ['python', 'train.py'], cwd: '.', git: GIT },
  ...{ python: { executable: '/v/bin/python', version: '3.11.7' }, environment: null },
  packages: { known: true, packages: new Map<string, PackageFact>([['numpy', { name: 'numpy', version: '2.3.5' }]]) },
  ...{ env: { PYTHONHASHSEED: '7' }, host: HOST, seed: 7, seedFrom: 'random', data: [], params: {}, metrics: {} },
  ...{ testRows: null, tags: [], artifacts: [], started: '', duration: 1, exit: 0, signal: null, resources: null },
  ...{ actor: 'ada', source: 'track', tool: 'mlops', parent: null },
  ...more,
})

const causes = (original: Partial<RunFacts>, again: Partial<RunFacts> = {}, more: Partial<CauseFacts> = {}) =>
  causesOf({
    original: facts(original),
    reproduction: facts({ ...original, seedFrom: 'flag', ...again }),
    plan: { risks: [], data: [] } as unknown as ReproducePlan,
    environment: [],
    unsteady: false,
    rows: [{ kind: 'metric', name: 'auc', verdict: 'different', original: 1, reproduced: 2, note: null }],
    ...more,
  })

describe('the cause of a difference', () => {
  it('is that nothing seeds the script, when nothing recorded differs', () => {
    const [first, ...others] = causes({})
    assert.deepEqual(others, [])
    assert.equal(first?.state, 'left over')
    assert.match(
      first?.text ?? '',
      /^Nothing recorded differs: the script may draw numbers that no recorded seed governs/,
    )
  })

  it('is not the want of a seed where one was given: then it does not govern', () => {
    assert.match(causes({ params: { random_state: 3 } })[0]?.text ?? '', /numbers that random_state=3 does not govern/)
    assert.match(
      causes({ command: ['python', 'x.py', '--seed', '5'] })[0]?.text ?? '',
      /numbers that --seed=5 does not govern/,
    )
    assert.match(causes({ seedFrom: 'flag' })[0]?.text ?? '', /numbers that MLOPS_SEED=7 does not govern/)
    assert.match(causes({ params: { random_state: null } })[0]?.text ?? '', /without a seed: random_state is null/)
  })

  it('is code before data before packages before the machine', () => {
    const other = { ...GIT, commit: 'b'.repeat(40) }
    const data = (sha256: string) => [{ name: 'train', path: 't.csv', kind: 'file', sha256, size: 1 }] as const
    const environment = [{ name: 'numpy', kind: 'bytes', recorded: '2.3.5', found: '2.3.5' }] as const
    const all = causes(
      { data: data('a'.repeat(64)) },
      { git: other, data: data('b'.repeat(64)), host: { ...HOST, name: 'runner', cpus: 2 } },
      { environment },
    )
    assert.deepEqual(
      all.map(({ kind }) => kind),
      ['code', 'data', 'packages', 'host', 'unseeded'],
    )
    assert.match(all[2]?.text ?? '', /numpy 2\.3\.5 has other bytes/)
  })

  it('is no difference that the reproduction itself made', () => {
    const again = {
      command: ['/tmp/env/bin/python', 'train.py'],
      env: { PYTHONHASHSEED: '7', PYTHONPATH: '/tmp/w/src' },
    }
    const env = { PYTHONHASHSEED: '7', PYTHONPATH: '/home/ada/p/src' }
    const tools = new Map<string, PackageFact>([
      ['numpy', { name: 'numpy', version: '2.3.5' }],
      ['pip', { name: 'pip', version: '99' }],
    ])
    const kinds = causes({ env }, { ...again, packages: { known: true, packages: tools } }).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['unseeded'])
    assert.deepEqual(
      causes({ seed: null, seedFrom: null }, { seed: 5 }).map(({ kind }) => kind),
      ['unseeded'],
    )
  })

  it('is the command itself, once it came out differently from itself', () => {
    const [first] = causes({ data: [] }, { host: { ...HOST, cpus: 2 } }, { unsteady: true })
    assert.equal(first?.kind, 'unseeded')
    assert.equal(first?.state, 'certain')
  })
})
