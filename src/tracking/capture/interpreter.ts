/**
 * Which Python a command uses, and what is installed in it. Found by looking at the command's words, `PATH` and
 * shebang lines; then that very interpreter is asked, beside the running command. The command itself is not touched.
 */
import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { EnvironmentRecord } from '../../store/run-records.ts'
import { parseLenientJson } from '../values/lenient-json.ts'
import { findOnPath } from './find-program.ts'
import { findLaunched } from './launchers.ts'

export interface Interpreter {
  readonly executable: string
  readonly version: string
  /** `name==version`, sorted. */
  readonly packages: readonly string[]
  /** Undefined when the probe of an older client was asked. */
  readonly environment: Omit<EnvironmentRecord, 'locks'> | undefined
  /** Lock files that describe the environment, secrets redacted; paths relative to the project. */
  readonly locks: readonly { readonly path: string; readonly text: string }[]
  /** What is odd about the environment, in words. */
  readonly notes: readonly string[]
}

export interface FoundInterpreter {
  /** A path or name to start. */
  readonly program: string
  /** Those of the command's own that decide what it sees: `-I`, `-E`, `-s`, `-S`. */
  readonly flags: readonly string[]
  /** The command itself brings this environment up to date before it starts anything. */
  readonly comes: boolean
}

/** A reason where nobody can tell; undefined where nothing speaks of Python. */
export type InterpreterGuess = FoundInterpreter | { readonly unknown: string; readonly comes: boolean } | undefined

type Env = Readonly<Record<string, string | undefined>>

const PYTHON = /^(?:python|pypy)(?:\d+(?:\.\d+)*)?w?(?:\.exe)?$/i
const PROBE_MILLISECONDS = 20_000
const PROBE_BYTES = 64 << 20

/** By its name. */
export const isPython = (path: string): boolean => PYTHON.test(basename(path))

/**
 * The interpreter that `command` will most likely use: the environment of `uv run`, `poetry run`, `conda run` and their
 * like, a word of it that is a Python, the shebang of a script or installed tool (`torchrun`), or a Python named in
 * `sh -c '…'`.
 * @returns undefined when nothing of the command speaks of Python; a reason where it does and nobody can tell which
 */
export async function findInterpreter(command: readonly string[], cwd: string, env: Env): Promise<InterpreterGuess> {
  const launched = await findLaunched(command, cwd, env)
  if (launched !== undefined) return 'program' in launched ? { ...launched, flags: [] } : launched
  const program = await findNamed(command, cwd, env)
  return program === undefined ? undefined : { program, flags: pythonFlags(command), comes: false }
}

async function findNamed(command: readonly string[], cwd: string, env: Env): Promise<string | undefined> {
  const first = command[0]
  if (first === undefined) return undefined
  const word = command.slice(0, 8).find((each) => isPython(each))
  if (word !== undefined) return await findOnPath(word, env, cwd)
  const program = await findOnPath(first, env, cwd)
  const fromShebang = program === undefined ? undefined : await shebangPython(program, cwd, env)
  if (fromShebang !== undefined) return fromShebang
  const text = command.slice(1, 4).join(' ')
  // `. .venv/bin/activate && python train.py`
  const activated = text.match(/(?:^|[\s;&|(])(?:\.|source)\s+([\w./-]+\/)activate(?=[\s;&|)]|$)/)?.[1]
  const inEnvironment = activated === undefined ? undefined : await findOnPath(`${activated}python`, env, cwd)
  if (inEnvironment !== undefined) return inEnvironment
  const inScript = text.match(/(?:^|[\s;&|(])((?:[\w./-]*\/)?python\d?(?:\.\d+)?)(?=\s)/)?.[1]
  return inScript === undefined ? undefined : await findOnPath(inScript, env, cwd)
}

/** `python -I train.py` sees neither PYTHONPATH nor the user's own packages: nor may the probe. */
function pythonFlags(command: readonly string[]): string[] {
  const at = command.slice(0, 8).findIndex((each) => isPython(each))
  if (at < 0) return []
  const flags: string[] = []
  for (const word of command.slice(at + 1)) {
    if (!/^-[bBdEIisSuOPqv]+$/.test(word)) break
    flags.push(...[...word.slice(1)].filter((letter) => 'EIsS'.includes(letter)).map((letter) => `-${letter}`))
  }
  return flags
}

/**
 * Asks the interpreter for its version and packages.
 * @param probe absolute path of the client's `_environment.py`
 * @param root the folder of the project, absolute
 * @returns undefined when it gives no sensible answer within 20 s
 */
export async function askInterpreter(
  { program, flags }: Pick<FoundInterpreter, 'program' | 'flags'>,
  probe: string,
  { cwd, root, env, signal }: { cwd: string; root: string; env: Env; signal?: AbortSignal },
): Promise<Interpreter | undefined> {
  const text = await new Promise<string | undefined>((answer) => {
    const limits = { timeout: PROBE_MILLISECONDS, maxBuffer: PROBE_BYTES, windowsHide: true }
    const options = { cwd, env: { ...env }, ...limits, ...(signal === undefined ? {} : { signal }) }
    const child = execFile(program, [...flags, probe, root], options, (error, stdout) =>
      answer(error === null ? stdout : undefined),
    )
    child.stdin?.end()
  })
  // Before its one line stands whatever the site of this Python prints as it starts.
  const parsed = parseLenientJson(text?.trim().split('\n').at(-1) ?? '') as Partial<Interpreter> | undefined
  const { executable, version, packages, environment, locks, notes } = parsed ?? {}
  if (typeof executable !== 'string' || typeof version !== 'string' || !Array.isArray(packages)) return undefined
  return {
    executable: executable === '' ? program : executable,
    version,
    packages: packages.map(String),
    environment,
    locks: locks ?? [],
    notes: (notes ?? []).map(String),
  }
}

async function shebangPython(program: string, cwd: string, env: Env): Promise<string | undefined> {
  const file = await open(program, 'r').catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
    const line = /^#!\s*([^\n]*)\n/.exec(buffer.toString('utf8', 0, bytesRead))?.[1]
    const word = line?.split(/\s+/).find((each) => isPython(each))
    return word === undefined ? undefined : await findOnPath(word, env, cwd)
  } finally {
    await file.close()
  }
}
