/**
 * An interpreter for a fresh environment: of the recorded implementation and major.minor version, with the recorded patch
 * level where one can be found. Nothing is installed. Reads only.
 */
import { readdir, readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { EnvironmentRecord, PythonFacts } from '../../store/run-records.ts'
import { findOnPath, isExecutable } from '../capture/find-program.ts'
import { runProgram } from './program.ts'
import type { FoundInterpreter } from './types.ts'

export interface WantedPython {
  /** `3.11.7` */
  readonly version: string
  readonly implementation: string
  /** Paths that the run recorded. */
  readonly recorded: readonly string[]
}

/** @param isOfHere the run was made on this machine, so that its paths mean something */
export function wantedPython(facts: PythonFacts, record: EnvironmentRecord | null, isOfHere: boolean): WantedPython {
  return {
    version: record?.python.version ?? facts.version,
    implementation: record?.python.implementation ?? 'cpython',
    recorded: (isOfHere ? [record?.python.base, facts.executable] : []).filter(
      (path): path is string => path !== undefined && path !== '',
    ),
  }
}

export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.')

/** @returns the one with the recorded patch level, else the first of the same major.minor */
export async function findPython(ctx: Context, wanted: WantedPython): Promise<FoundInterpreter | undefined> {
  let near: FoundInterpreter | undefined
  const seen = new Set<string>()
  for await (const path of candidates(ctx, wanted)) {
    if (seen.has(path)) continue
    seen.add(path)
    const found = await askPython(ctx, path)
    if (found === undefined || found.implementation !== wanted.implementation) continue
    if (found.version === wanted.version) return found
    if (near === undefined && minorOf(found.version) === minorOf(wanted.version)) near = found
  }
  return near
}

/** Likeliest first: what costs a process only when nothing before it fits. */
async function* candidates(ctx: Context, { version, recorded }: WantedPython): AsyncGenerator<string> {
  const minor = minorOf(version)
  for (const path of recorded) {
    if (!(await isExecutable(path))) continue
    // An environment made from an environment sees neither's packages, but would vanish with it.
    const base = await baseOf(path, minor)
    yield base ?? path
  }
  for (const folder of pyenvFolders(ctx)) {
    const names = (await readdir(folder).catch(() => [])).filter(
      (name) => name === version || name.startsWith(`${minor}.`),
    )
    for (const name of names.sort((a, b) => Number(b === version) - Number(a === version) || (a < b ? 1 : -1))) {
      const path = join(folder, name, 'bin', 'python')
      if (await isExecutable(path)) yield path
    }
  }
  for (const folder of (ctx.env.PATH ?? '').split(delimiter)) {
    for (const name of [`python${minor}`, 'python3', 'python']) {
      const path = join(folder, name)
      if (folder !== '' && (await isExecutable(path))) yield path
    }
  }
  const uv = await findOnPath('uv', ctx.env, ctx.cwd)
  if (uv === undefined) return
  for (const asked of [version, minor]) {
    const options = { cwd: dirname(uv), env: { ...ctx.env, UV_PYTHON_DOWNLOADS: 'never' }, signal: ctx.signal }
    const end = await runProgram([uv, 'python', 'find', asked], options)
    if (end.code === 0 && end.stdout.trim() !== '') yield end.stdout.trim()
  }
}

/** The interpreter that a virtual environment was made from, as its pyvenv.cfg says. */
async function baseOf(path: string, minor: string): Promise<string | undefined> {
  const settings = await readFile(join(dirname(dirname(path)), 'pyvenv.cfg'), 'utf8').catch(() => undefined)
  const home = /^home\s*=\s*(.+)$/m.exec(settings ?? '')?.[1]?.trim()
  if (home === undefined) return undefined
  for (const name of [`python${minor}`, 'python3', 'python'])
    if (await isExecutable(join(home, name))) return join(home, name)
  return undefined
}

const pyenvFolders = ({ env }: Context): string[] =>
  [env.PYENV_ROOT, env.HOME === undefined ? undefined : join(env.HOME, '.pyenv')]
    .filter((folder): folder is string => folder !== undefined && folder !== '')
    .map((folder) => join(folder, 'versions'))

const QUESTION =
  'import sys; print("%s\\n%s\\n%s" % (sys.executable, "%d.%d.%d" % sys.version_info[:3], sys.implementation.name))'

/** @returns undefined for what does not answer as a Python does (a shim of a version that is not there) */
export async function askPython(ctx: Context, path: string): Promise<FoundInterpreter | undefined> {
  const env = { ...ctx.env, PYTHONPATH: undefined, PYTHONHOME: undefined }
  const end = await runProgram([path, '-I', '-c', QUESTION], { cwd: dirname(path), env, signal: ctx.signal })
  const [executable, version, implementation] = end.stdout.trim().split(/\r?\n/)
  if (end.code !== 0 || executable === undefined || version === undefined || implementation === undefined)
    return undefined
  return { executable: executable === '' ? path : executable, version, implementation }
}
