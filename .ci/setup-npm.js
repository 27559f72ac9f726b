// Installs the npm packages of package-lock.json, unless node_modules/ is as new as the lock. Imports nothing but Node.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** @returns false, after printing npm's own words, when they cannot be installed. */
export function setupPackages(say = () => {}) {
  // npm writes the inner file last, at every install.
  if (modified('node_modules/.package-lock.json') >= modified('package-lock.json')) return true
  say('npm packages: npm ci (about 20 s, once) …')
  const options = { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' }
  const { status, error, stdout, stderr } = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], options)
  if (status === 0) return true
  console.error(error?.message ?? `${stdout}${stderr}`)
  console.error('The npm packages could not be installed: npm ci failed as shown above.')
  return false
}

function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
