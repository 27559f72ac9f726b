/** A process that registers: `node worker.mjs DIR MODEL NUMBER`. Bundled by register.test.ts, so that it starts quickly. */
import { join } from 'node:path'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { defaultConfig } from '../../../src/project/config-read.ts'
import { openStore } from '../../../src/store/open.ts'

const [dir = '', model = '', number = ''] = process.argv.slice(2)
const storeRoot = join(dir, '.mlops')
const store = await openStore(storeRoot, { write: true })
const ctx = {
  cwd: dir,
  env: {},
  actor: { name: `worker-${number}`, origin: 'local' as const },
  tool: 'mlops test',
  now: () => new Date(),
  warn: () => {},
}
const { version, created } = await registerVersion(ctx, { root: dir, storeRoot, config: defaultConfig() }, store, {
  model,
  artifacts: ['model.json'],
  metrics: { auc: Number(number) },
})
process.stdout.write(JSON.stringify({ version, created }))
