/** What may have caused two runs to end differently, as `run reproduce` names it. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { differencesOf } from '../../../src/tracking/compare/differences.ts'
import type { RunFacts } from '../../../src/tracking/compare/facts.ts'
import { packagesOfEnvironment, packagesOfLock } from '../../../src/tracking/compare/package-facts.ts'
import { facts } from './compare-facts.ts'

const texts = (more: Partial<RunFacts>, from: Partial<RunFacts> = {}): string[] =>
  differencesOf(facts(from), facts(more)).map(({ kind, state, text }) => `${kind} ${state}: ${text}`)

const git = (more: object) => ({ commit: 'a'.repeat(40), branch: 'main', remote: null, dirty: false, ...more })
const patch = (text: string) => ({ sha256: sha256(text), size: text.length, files: ['train.py'] })

describe('The differences of two runs', () => {
  it('are none for the same run made again somewhere else on the machine', () => {
    const again = {
      run: '01JD3X0000000000000000000B',
      cwd: '/tmp/worktree',
      command: ['/tmp/venv/bin/python', 'train.py'],
      python: { executable: '/tmp/venv/bin/python', version: '3.12.4' },
      env: { VIRTUAL_ENV: '/tmp/venv', GITHUB_RUN_ID: '7', PYTHONHASHSEED: '42' },
      packages: packagesOfLock('NumPy==2.1.0\nscikit_learn==1.5.2'),
    }
    assert.deepEqual(texts(again), [])
  })

  it('name the commit, the uncommitted changes and a submodule', () => {
    assert.deepEqual(texts({ git: git({ commit: 'b'.repeat(40) }) }), [
      'code different: The code differs: commit aaaaaaaaaaaa, then bbbbbbbbbbbb.',
    ])
    assert.deepEqual(texts({ git: git({ dirty: true, patch: patch('x') }) }), [
      'code different: The code differs: the uncommitted changes are others.',
    ])
    const lib = (commit: string) => git({ submodules: [{ path: 'lib', commit, url: null, dirty: false }] })
    assert.deepEqual(texts({ git: lib('c'.repeat(40)) }, { git: lib('d'.repeat(40)) }), [
      'code different: The code differs: a submodule is at another state.',
    ])
  })

  it('do not call code the same that was not recorded', () => {
    const unknown = 'code unknown: The code of at least one run is not fully recorded.'
    assert.deepEqual(texts({ git: null }), [unknown])
    assert.deepEqual(texts({ git: git({ dirty: true }) }), [unknown])
  })

  it('name one declared file with its rows, and several by name', () => {
    const train = {
      name: 'train',
      path: 'train.csv',
      kind: 'file',
      sha256: sha256('more'),
      size: 120,
      rows: 7100,
    } as const
    assert.deepEqual(texts({ data: [train] }), ['data different: The data train differ (7,043 rows, then 7,100).'])
    assert.deepEqual(texts({ data: [] }), ['data different: Only one of the runs declares the data train.'])
    assert.deepEqual(texts({ data: [train, { ...train, name: 'test' }] }), [
      'data different: Declared data differ: test, train.',
    ])
  })

  it('tell 6 and "6", and a parameter that is null and one that is not there', () => {
    assert.deepEqual(texts({ params: { depth: '6' } }), ['parameters different: A parameter differs: depth.'])
    assert.deepEqual(texts({ params: { depth: 6, seed: null, lr: 0.1 } }), [
      'parameters different: 2 parameters differ: lr, seed.',
    ])
  })

  it('name packages by version, and one version of other bytes', () => {
    assert.deepEqual(texts({ packages: packagesOfLock('numpy==2.2.0\nscikit-learn==1.5.2\npandas==2.2.3') }), [
      'packages different: 2 packages differ: numpy 2.1.0, then 2.2.0; pandas absent, then 2.2.3.',
    ])
    const numpy = (bytes: string) =>
      packagesOfEnvironment({ packages: [{ name: 'numpy', version: '2.1.0', installed: sha256(bytes) }] })
    assert.deepEqual(texts({ packages: numpy('b') }, { packages: numpy('a') }), [
      'packages different: 1 package differs: numpy 2.1.0 in another build.',
    ])
    assert.deepEqual(texts({ packages: { known: false, why: 'no package lock was recorded' } }), [
      'packages unknown: Packages cannot be compared: no package lock was recorded.',
    ])
  })

  it('name the seed, Python, variables and the machine, the likeliest cause first', () => {
    const other = {
      seed: 7,
      python: { executable: 'python', version: '3.11.9' },
      env: { OMP_NUM_THREADS: '1' },
      host: { name: 'server', platform: 'linux aarch64', cpus: 64, memory: 256e9 },
      command: ['python', 'train.py', '--fast'],
    }
    assert.deepEqual(texts(other), [
      'seed different: The seed differs: 42, then 7.',
      'command different: The command line differs.',
      'python different: Python differs: 3.12.4, then 3.11.9.',
      'environment different: An environment variable differs: OMP_NUM_THREADS.',
      'host different: The machine differs (platform): laptop, then server.',
    ])
  })
})
