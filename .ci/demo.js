// `npm run demo`: sets everything up by itself, then plays the whole loop in a temporary project.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setupPackages } from './setup-npm.js'
import { setupPython } from './setup-python.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = (line) => console.error(line)

if (!setupPackages(say)) process.exit(1)
const python = setupPython(say)
say('Building mlops …')
const build = spawnSync(process.execPath, ['.ci/build.js', '--if-stale'], { cwd: root, stdio: 'inherit' })
if (build.status !== 0) process.exit(1)

const { playDemo } = await import('../test/demo/play.js')
process.exitCode = await playDemo({ root, python })
