// `npm run demo`: sets everything up by itself, then plays the whole loop in a temporary project.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setupPython } from './setup-python.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

function must(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (error !== undefined || status !== 0) {
    console.error(`${command} ${args.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`)
    process.exit(1)
  }
}

const say = (line) => console.error(line)
if (!existsSync(join(root, 'node_modules/esbuild'))) {
  say('npm packages: npm ci (once) …')
  must(npm, ['ci', '--no-audit', '--no-fund', '--silent'])
}
const python = setupPython(say)
say('Building mlops …')
must(process.execPath, ['.ci/build.js'])

const { playDemo } = await import('../test/demo/play.js')
process.exitCode = await playDemo({ root, python })
