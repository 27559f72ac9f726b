/**
 * The interpreter of a command and its packages: looked at as the command begins, and once more at its end where the
 * command brings its environment up to date before it starts anything (`uv run`, `pixi run`).
 */
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PythonFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { putPythonFacts } from './environment-record.ts'
import { askInterpreter, findInterpreter, type InterpreterGuess, isPython } from './interpreter.ts'
import { startedPython } from './started-python.ts'

export interface PythonRequest {
  readonly command: readonly string[]
  readonly cwd: string
  /** The folder of the project, absolute. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the Python client, whose probe asks the interpreter. */
  readonly client: string | undefined
  readonly signal: AbortSignal
  /** Of the running command. */
  readonly pid: number
  /** What was found while the command was being started. */
  readonly guess: Promise<InterpreterGuess>
}

export interface PythonLook {
  readonly facts: PythonFacts | undefined
  /** In words: odd packages, or why nothing is known. */
  readonly notes: readonly string[]
  /** When packages last came or went; undefined where that does not matter, `''` where there was no environment. */
  readonly mark: string | undefined
}

/** @throws Error when the interpreter gives no answer */
export async function lookAtPython(store: Store, request: PythonRequest, guess: InterpreterGuess): Promise<PythonLook> {
  const { client, command, cwd, root, env, signal, pid } = request
  const found = client === undefined ? undefined : guess
  if (client === undefined || found === undefined) return { facts: undefined, notes: [], mark: undefined }
  if ('unknown' in found) {
    const mark = found.comes ? '' : undefined
    return { facts: undefined, notes: [`no packages are recorded: ${found.unknown}`], mark }
  }
  const mark = found.comes ? await markOf(found.program) : undefined
  const isItself = isPython(command[0] ?? '')
  const program = isItself ? await startedPython(found.program, pid, signal) : found.program
  const asked = { ...found, program }
  const answer = await askInterpreter(asked, join(client, 'mlops', '_environment.py'), { cwd, root, env, signal })
  if (answer === undefined) throw new Error(`${found.program} gave no answer`)
  return { facts: await putPythonFacts(store, answer), notes: answer.notes, mark }
}

/** @returns undefined when the environment is as it was at the first look */
export async function lookAgain(
  store: Store,
  request: PythonRequest,
  first: PythonLook,
): Promise<PythonLook | undefined> {
  if (first.mark === undefined) return undefined
  const found = await findInterpreter(request.command, request.cwd, request.env)
  if (found === undefined || 'unknown' in found || (await markOf(found.program)) === first.mark) return undefined
  return await lookAtPython(store, request, found)
}

/** Of the folders of packages of a virtual environment: an installation changes when they were last written. */
async function markOf(program: string): Promise<string> {
  const library = join(dirname(dirname(program)), 'lib')
  const names = (await readdir(library).catch(() => [])).filter((name) => name.startsWith('python')).sort()
  const times = names.map(async (name) => {
    const facts = await stat(join(library, name, 'site-packages'), { bigint: true }).catch(() => undefined)
    return `${name} ${facts?.mtimeNs ?? 0}`
  })
  return (await Promise.all(times)).join(', ')
}
