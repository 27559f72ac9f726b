/**
 * Which Python a command uses, and what is installed in it. Found by looking at the command's words, `PATH` and
 * shebang lines; then that very interpreter is asked, beside the running command. The command itself is not touched.
 */
import { execFile } from 'node:child_process'
import { access, constants, open, stat } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { parseLenientJson } from '../values/lenient-json.ts'

export interface Interpreter {
  readonly executable: string
  readonly version: string
  /** `name==version`, sorted. */
  readonly packages: readonly string[]
}

type Env = Readonly<Record<string, string | undefined>>

const PYTHON = /^(?:python|pypy)(?:\d+(?:\.\d+)*)?w?(?:\.exe)?$/i
const PROBE_MILLISECONDS = 20_000

/**
 * The interpreter that `command` will most likely use: a word of it that is a Python, the environment of `uv run`,
 * the shebang of a script or installed tool (`torchrun`), or a Python named in `sh -c '…'`.
 * @returns a path or name to start, or undefined when nothing of the command speaks of Python
 */
export async function findInterpreter(command: readonly string[], cwd: string, env: Env): Promise<string | undefined> {
  const first = command[0]
  if (first === undefined) return undefined
  if (basename(first) === 'uv' && command[1] === 'run') return await uvEnvironment(cwd, env)
  const word = command.slice(0, 8).find((each) => PYTHON.test(basename(each)))
  if (word !== undefined) return await findProgram(word, cwd, env)
  const program = await findProgram(first, cwd, env)
  const fromShebang = program === undefined ? undefined : await shebangPython(program, cwd, env)
  if (fromShebang !== undefined) return fromShebang
  const inScript = command
    .slice(1, 4)
    .join(' ')
    .match(/(?:^|[\s;&|(])((?:[\w./-]*\/)?python\d?(?:\.\d+)?)(?=\s)/)?.[1]
  return inScript === undefined ? undefined : await findProgram(inScript, cwd, env)
}

/** As `execvp` looks for it. @returns an absolute path, or undefined */
async function findProgram(word: string, cwd: string, env: Env): Promise<string | undefined> {
  if (word.includes('/') || isAbsolute(word)) {
    const full = resolve(cwd, word)
    return (await isExecutable(full)) ? full : undefined
  }
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const full = resolve(cwd, folder === '' ? '.' : folder, word)
    if (await isExecutable(full)) return full
  }
  return undefined
}

/**
 * Asks the interpreter for its version and packages.
 * @param probe absolute path of the client's `_environment.py`
 * @returns undefined when it gives no sensible answer within 20 s
 */
export async function askInterpreter(
  program: string,
  probe: string,
  cwd: string,
  env: Env,
): Promise<Interpreter | undefined> {
  const text = await new Promise<string | undefined>((answer) => {
    const options = { cwd, env: { ...env }, timeout: PROBE_MILLISECONDS, maxBuffer: 16 << 20, windowsHide: true }
    const child = execFile(program, [probe], options, (error, stdout) => answer(error === null ? stdout : undefined))
    child.stdin?.end()
  })
  const parsed = text === undefined ? undefined : (parseLenientJson(text) as Partial<Interpreter> | undefined)
  const { executable, version, packages } = parsed ?? {}
  if (typeof executable !== 'string' || typeof version !== 'string' || !Array.isArray(packages)) return undefined
  return { executable: executable === '' ? program : executable, version, packages: packages.map(String) }
}

async function uvEnvironment(cwd: string, env: Env): Promise<string | undefined> {
  const chosen = env.UV_PROJECT_ENVIRONMENT
  for (let here = cwd; ; here = dirname(here)) {
    const program = join(resolve(here, chosen ?? '.venv'), 'bin', 'python')
    if (await isExecutable(program)) return program
    if (dirname(here) === here) return undefined
  }
}

async function shebangPython(program: string, cwd: string, env: Env): Promise<string | undefined> {
  const file = await open(program, 'r').catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
    const line = /^#!\s*([^\n]*)\n/.exec(buffer.toString('utf8', 0, bytesRead))?.[1]
    const word = line?.split(/\s+/).find((each) => PYTHON.test(basename(each)))
    return word === undefined ? undefined : await findProgram(word, cwd, env)
  } finally {
    await file.close()
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
