// Makes the Python environment of the peers that tracking is measured beside: .cache/track-venv with
// test/bench/track/requirements.txt (DVC, MLflow). Does nothing when it is there already for these very requirements.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @returns absolute path of the folder of its programs; throws with pip's own words when it cannot be made. */
export function setupTrackPeers(say = () => {}) {
  const requirements = join(root, 'test/bench/track/requirements.txt')
  const venv = join(root, '.cache/track-venv')
  const bin = join(venv, process.platform === 'win32' ? 'Scripts' : 'bin')
  const stamp = join(venv, '.requirements.sha256')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin
  rmSync(venv, { recursive: true, force: true })
  mkdirSync(dirname(venv), { recursive: true })
  say('Python: making .cache/track-venv with DVC and MLflow (about a minute, once) …')
  const system = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3')
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync(system, ['-m', 'venv', venv], quiet)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
  execFileSync(join(bin, 'python'), pip, quiet)
  writeFileSync(stamp, wanted)
  return bin
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(setupTrackPeers((line) => console.error(line)))
}
