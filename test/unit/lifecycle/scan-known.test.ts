/** The list of known imports against the installed libraries: nothing on it may run or load something. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { isKnownGlobal, knownGlobals } from '../../../src/lifecycle/scan/known-globals.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

const ROOT = join(import.meta.dirname, '../../..')
const script = (name: string, input = ''): string =>
  execFileSync(PYTHON, [join(ROOT, 'test/python/scan', name)], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })

describe('the list of known imports', function () {
  this.timeout(120_000)
  before(function () {
    needsPython(this)
  })

  it('holds nothing that runs or loads something while it is made or gets its state', () => {
    const { looked_at, problems } = JSON.parse(script('check_known.py', knownGlobals().join('\n')))
    assert.deepEqual(problems, [])
    assert.ok(looked_at > 700, `${looked_at} of the names are installed here`)
  })

  it('would be told of the distributions of scipy, which run a string of their state', () => {
    const { problems } = JSON.parse(
      script('check_known.py', 'scipy.stats._distn_infrastructure rv_continuous\nnumpy load'),
    )
    assert.equal(problems.length > 1, true, problems.join())
  })

  it('holds all of the installed scikit-learn that a fitted estimator may consist of', () => {
    const missing = script('list_sklearn.py')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [module = '', names = ''] = line.split(': ')
        return names
          .split(' ')
          .filter((name) => !isKnownGlobal(module, name))
          .map((name) => `${module}.${name}`)
      })
    assert.deepEqual(missing, [])
  })
})
