/** Where a log is looked for. */
import assert from 'node:assert/strict'
import { logHome, withoutCredentials } from '../../../src/predictions/home.ts'
import type { Project } from '../../../src/project/config.ts'
import { defaultModel } from '../../../src/project/config-read.ts'

const project = (at?: string, storeRoot = '/home/ada/churn/.mlops'): Project => ({
  ...{ root: '/home/ada/churn', storeRoot },
  config: {
    ...{ store: '.mlops', stages: ['production'] },
    models: at === undefined ? {} : { m: { ...defaultModel(), predictions: { at, drop: [], sample: 1 } } },
  },
})
const home = (of: Project, env = {}) => {
  const found = logHome({ cwd: '/home/ada/churn', env }, of, 'm')
  return found.kind === 'files' ? found.folder : found.url
}

describe('The home of the prediction log', () => {
  it('is predictions/ in the store, or what mlops.yaml says, or MLOPS_PREDICTIONS', () => {
    assert.equal(home(project()), '/home/ada/churn/.mlops/predictions/m')
    assert.equal(home(project('logs')), '/home/ada/churn/logs/m')
    assert.equal(home(project('/data/logs')), '/data/logs/m')
    assert.equal(home(project('postgres://db/x')), 'postgres://db/x')
    assert.equal(home(project('logs'), { MLOPS_PREDICTIONS: '/elsewhere' }), '/elsewhere/m')
    assert.equal(home(project('logs'), { MLOPS_PREDICTIONS: 'postgres://db/y' }), 'postgres://db/y')
  })

  it('moves with the store when it lies in the store', () => {
    assert.equal(home(project('.mlops/predictions', '/shared/store')), '/shared/store/predictions/m')
    assert.equal(home(project('.mlops-logs', '/shared/store')), '/home/ada/churn/.mlops-logs/m')
  })

  it('refuses a relative MLOPS_PREDICTIONS', () => {
    assert.throws(() => home(project(), { MLOPS_PREDICTIONS: 'logs' }), { code: 'PREDICTIONS_PATH_INVALID' })
  })

  it('is named without credentials', () => {
    const name = withoutCredentials('postgres://ada:s3cret@db:5433/logs?password=s3cret')
    assert.equal(name, 'postgres://db:5433/logs')
    assert.equal(withoutCredentials('postgres://ada:s3c ret@@@:x'), 'postgres://…')
  })
})
