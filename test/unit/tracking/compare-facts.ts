/** Runs as plain data for the tests of comparisons. */
import { sha256 } from '../../../src/core/digest.ts'
import type { RunFacts } from '../../../src/tracking/compare/facts.ts'
import { packagesOfLock } from '../../../src/tracking/compare/package-facts.ts'

/** A finished scikit-learn run; `more` replaces whole members. */
export const facts = (more: Partial<RunFacts> = {}): RunFacts => ({
  run: '01JD3X0000000000000000000A',
  status: 'finished',
  model: 'churn-model',
  command: ['python', 'train.py'],
  cwd: '.',
  git: { commit: 'a'.repeat(40), branch: 'main', remote: null, dirty: false },
  python: { executable: '/venv/bin/python', version: '3.12.4' },
  environment: null,
  packages: packagesOfLock('numpy==2.1.0\nscikit-learn==1.5.2\n'),
  env: {},
  host: { name: 'laptop', platform: 'linux x86_64', cpus: 8, memory: 16e9 },
  seed: 42,
  seedFrom: 'flag',
  data: [{ name: 'train', path: 'train.csv', kind: 'file', sha256: sha256('rows'), size: 100, rows: 7043 }],
  params: { depth: 6 },
  metrics: { auc: 0.82 },
  testRows: null,
  tags: [],
  artifacts: [],
  started: '2026-11-21T10:00:00.000Z',
  duration: 3,
  exit: 0,
  signal: null,
  resources: null,
  actor: 'ada@laptop',
  source: 'track',
  tool: 'mlops 0.1.0',
  parent: null,
  ...more,
})
