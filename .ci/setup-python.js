// Makes the Python environment that tests and the demo use: .cache/venv with test/python/requirements.txt.
// Does nothing when it is there already for these very requirements. Prints the interpreter's path.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @returns absolute path of the environment's python; throws with pip's own words when it cannot be made. */
export function setupPython(say = () => {}) {
  const requirements = join(root, 'test/python/requirements.txt')
  const venv = join(root, '.cache/venv')
  const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const stamp = join(venv, '.requirements.sha256')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(python)) return python
  rmSync(venv, { recursive: true, force: true })
  mkdirSync(dirname(venv), { recursive: true })
  say('Python: making .cache/venv and installing test/python/requirements.txt (about 30 s, once) …')
  const system = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3')
  execFileSync(system, ['-m', 'venv', venv], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  writeFileSync(stamp, wanted)
  return python
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(setupPython((line) => console.error(line)))
}
