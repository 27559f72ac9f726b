// `npm test`: all set-up and every check, in order; the first thing that cannot be set up ends it.
//   npm packages -> Python environment -> in CI Debian packages -> judges of workflows -> types and lint -> build -> mocha (unit, e2e, crash at a small size)
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setupDebian } from './setup-debian.js'
import { setupPackages } from './setup-npm.js'
import { setupPython } from './setup-python.js'
import { setupWorkflowTools } from './setup-workflow-tools.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

function step(title, command, args) {
  const started = performance.now()
  console.error(`\n== ${title}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error !== undefined) console.error(error.message)
  console.error(`== ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return status ?? 1
}

function required(title, command, args) {
  if (step(title, command, args) === 0) return
  console.log(`${title} failed; no test was run.`)
  console.log('0 passed, 1 failed, 0 skipped')
  process.exit(1)
}

const say = (line) => console.error(line)
if (!setupPackages(say)) {
  console.log('0 passed, 1 failed, 0 skipped')
  process.exit(1)
}
setupPython(say)
setupDebian(say)
// Here, because several processes of tests use them. Which of them are missing is said by the tests that skip.
say('Programs that judge workflows: .cache/workflow-tools (about 40 s, once) …')
setupWorkflowTools()
required('types', process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'])
required('lint and format', process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'ci', '--reporter=summary'])
required('build', process.execPath, ['.ci/build.js'])

// `npm test -- test/unit/core/names.test.ts` runs the set-up and that file; `npx mocha FILE` the file alone.
const asked = process.argv.slice(2)
const files = asked.length > 0 ? asked : ['test/{unit,crash,e2e}/**/*.test.ts']
// Most tests wait for a child or a disk: one process of tests per core, a file at a time. One file asked for by name runs
// in one process, where it can be debugged.
const jobs = asked.length === 1 ? [] : ['--parallel', '--jobs', String(Math.max(2, availableParallelism()))]
process.exit(step('tests', process.execPath, ['node_modules/mocha/bin/mocha.js', ...jobs, ...files]))
