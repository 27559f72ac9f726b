/** A process that promotes or rolls back once, at the moment when the file to wait for appears. Prints what became of it. */
import { existsSync } from 'node:fs'
import { MlopsError } from '../../../src/core/errors.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { defaultConfig } from '../../../src/project/config-read.ts'
import { openStore } from '../../../src/store/open.ts'

const [root = '', signal = '', name = '', model = '', version = ''] = process.argv.slice(2)
const store = await openStore(root, { write: true })
const ctx = {
  cwd: root,
  env: {},
  actor: { name, origin: 'local' as const },
  tool: 'mlops 0.1.0',
  now: () => new Date(),
  warn: () => undefined,
}
const project = { root, storeRoot: root, config: defaultConfig() }
process.stdout.write('ready\n')
while (!existsSync(signal)) await new Promise((resolve) => setTimeout(resolve, 1))
try {
  if (version === 'back') await rollback(ctx, project, store, { model, stage: 'staging' })
  else await promote(ctx, project, store, { ref: { model, selector: { version: Number(version) } }, stage: 'staging' })
  process.stdout.write('done\n')
} catch (error) {
  if (!(error instanceof MlopsError)) throw error
  process.stdout.write(`${error.exitCode} ${error.code}\n`)
}
