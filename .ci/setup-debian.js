// In CI only: the Debian packages that some tests need (a PostgreSQL server, a browser), when this is a Debian as root
// without them. Never ends the run: where they cannot be installed the tests that need them skip and say why.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const onPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))

const hasPostgres = () => {
  const debian = '/usr/lib/postgresql'
  const folders = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  return onPath('initdb') || folders.some((folder) => existsSync(join(folder, 'initdb')))
}

const hasBrowser = () => ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].some(onPath)

export function setupDebian(say = () => {}) {
  if (!process.env.CI || process.getuid?.() !== 0 || !onPath('apt-get')) return
  const missing = [...(hasPostgres() ? [] : ['postgresql']), ...(hasBrowser() ? [] : ['chromium'])]
  if (missing.length === 0) return
  say(`Debian: installing ${missing.join(' and ')} (about a minute) …`)
  // A package list that is minutes old is fine; without any, apt-get knows no package.
  apt(['update'])
  // One by one: the database must not wait for a browser that has no package here.
  for (const name of missing) {
    const { status, stderr } = apt(['install', '--yes', '--no-install-recommends', name])
    if (status !== 0) say(`Debian: ${name} could not be installed; its tests will skip. ${lastLine(stderr)}`)
  }
}

function apt(words) {
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2']
  return spawnSync('apt-get', [...options, ...words], {
    // The package must not start a server of its own: RUNLEVEL keeps invoke-rc.d from doing so.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 26,
    timeout: 10 * 60_000,
  })
}

const lastLine = (text) => (text ?? '').trim().split('\n').at(-1) ?? ''
