/**
 * Where `uv run`, `poetry run`, `conda run`, `pixi run` and their like keep the Python that they start. Their tools are
 * not asked: that takes a second, and may make an environment that was not there. The files say it, or nobody knows.
 */
import { createHash } from 'node:crypto'
import { access, constants, open, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, delimiter, dirname, join, resolve } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>
export type Launched = ({ readonly program: string } | { readonly unknown: string }) & {
  /** `uv run` and `pixi run` make the environment, or bring it up to date, before they start the command. */
  readonly comes: boolean
}
type Launcher = (args: readonly string[], cwd: string, env: Env, program: string) => Promise<string | undefined>

/** What may stand before a launcher and starts it with the same environment. */
const WRAPPERS = new Set(['env', 'nohup', 'nice', 'time', 'stdbuf', 'ionice', 'taskset', 'setsid', 'caffeinate'])
const SYNCING = new Set(['uv', 'pixi'])
/** Of `uv run`: it makes an environment for this one call. */
const UV_EPHEMERAL = /^(?:--with(?:-.*)?|--script|-s|--isolated|--no-project|-p|--python)(?:=|$)/

const LAUNCHERS: Readonly<Record<string, Launcher>> = {
  uv: uvEnvironment,
  poetry: poetryEnvironment,
  pixi: pixiEnvironment,
  conda: condaEnvironment,
  mamba: condaEnvironment,
  micromamba: condaEnvironment,
  pdm: projectEnvironment,
  rye: projectEnvironment,
  pipenv: projectEnvironment,
  hatch: async () => undefined,
}

/** @returns undefined when no word of the command launches an environment */
export async function findLaunched(command: readonly string[], cwd: string, env: Env): Promise<Launched | undefined> {
  const at = command.findIndex((word, index) => command[index + 1] === 'run' && LAUNCHERS[basename(word)] !== undefined)
  const before = command.slice(0, at)
  if (at < 0 || !before.every((word) => WRAPPERS.has(basename(word)) || /^-|=|^\d+$/.test(word))) return undefined
  const word = command[at] ?? ''
  const program = await LAUNCHERS[basename(word)]?.(command.slice(at + 2), cwd, env, word)
  const comes = SYNCING.has(basename(word))
  return program === undefined
    ? { unknown: `nobody can tell without running it which Python \`${basename(word)} run\` uses`, comes }
    : { program, comes }
}

async function uvEnvironment(args: readonly string[], cwd: string, env: Env): Promise<string | undefined> {
  const options = args.slice(0, firstWord(args))
  if (options.some((each) => UV_EPHEMERAL.test(each))) return undefined
  const script = args.find((each) => each.endsWith('.py'))
  const from = resolve(cwd, optionOf(options, '--project', '--directory') ?? '.')
  if (script !== undefined && (await hasOwnDependencies(resolve(cwd, script)))) return undefined
  if (options.includes('--active') && env.VIRTUAL_ENV) return await pythonOf(env.VIRTUAL_ENV)
  return await upwards(from, (folder) => pythonOf(resolve(folder, env.UV_PROJECT_ENVIRONMENT ?? '.venv')))
}

/** Inline metadata (PEP 723): uv gives such a script an environment of its own. */
async function hasOwnDependencies(script: string): Promise<boolean> {
  const file = await open(script, 'r').catch(() => undefined)
  if (file === undefined) return false
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16_384), 0, 16_384, 0)
    return /^# \/\/\/ script\s*$/m.test(buffer.toString('utf8', 0, bytesRead))
  } finally {
    await file.close()
  }
}

/** The active one, `.venv` of the project, or the one in its cache, whose name holds a digest of the project's path. */
async function poetryEnvironment(_args: readonly string[], cwd: string, env: Env): Promise<string | undefined> {
  if (env.VIRTUAL_ENV) return await pythonOf(env.VIRTUAL_ENV)
  const project = await upwards(cwd, async (folder) =>
    (await exists(join(folder, 'pyproject.toml'))) ? folder : undefined,
  )
  if (project === undefined) return undefined
  const inside = await pythonOf(join(project, '.venv'))
  if (inside !== undefined) return inside
  const home = env.HOME ?? ''
  const cache =
    process.platform === 'darwin'
      ? join(home, 'Library/Caches/pypoetry')
      : join(env.XDG_CACHE_HOME ?? join(home, '.cache'), 'pypoetry')
  const folder = env.POETRY_VIRTUALENVS_PATH ?? join(env.POETRY_CACHE_DIR ?? cache, 'virtualenvs')
  const digest = createHash('sha256')
    .update(await realpath(project))
    .digest('base64url')
    .slice(0, 8)
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.includes(`-${digest}-py`))
  return names.length === 1 ? await pythonOf(join(folder, names[0] ?? '')) : undefined
}

async function pixiEnvironment(args: readonly string[], cwd: string): Promise<string | undefined> {
  const options = args.slice(0, firstWord(args))
  const manifest = optionOf(options, '--manifest-path', '-m')
  const name = optionOf(options, '--environment', '-e') ?? 'default'
  const from = manifest === undefined ? cwd : dirname(resolve(cwd, manifest))
  return await upwards(from, (folder) => pythonOf(join(folder, '.pixi/envs', name)))
}

async function condaEnvironment(
  args: readonly string[],
  cwd: string,
  env: Env,
  program: string,
): Promise<string | undefined> {
  const options = args.slice(0, firstWord(args))
  const prefix = optionOf(options, '--prefix', '-p')
  if (prefix !== undefined) return await pythonOf(resolve(cwd, prefix))
  const name = optionOf(options, '--name', '-n')
  if (name === undefined) return env.CONDA_PREFIX ? await pythonOf(env.CONDA_PREFIX) : undefined
  const home = env.HOME ?? ''
  const bases = [env.CONDA_EXE ?? (program.includes('/') ? program : ''), env.MAMBA_EXE ?? ''].filter(
    (each) => each !== '',
  )
  const roots = [...bases.map((each) => dirname(dirname(each))), env.MAMBA_ROOT_PREFIX ?? ''].filter(
    (each) => each !== '',
  )
  if (name === 'base') return await firstOf(roots.map((root) => pythonOf(root)))
  const listed = await readFile(join(home, '.conda/environments.txt'), 'utf8').catch(() => '')
  const folders = [
    ...(env.CONDA_ENVS_PATH ?? env.CONDA_ENVS_DIRS ?? '').split(delimiter).filter((each) => each !== ''),
    ...roots.map((root) => join(root, 'envs')),
    join(home, '.conda/envs'),
  ]
  const places = [
    ...folders.map((folder) => join(folder, name)),
    ...listed.split('\n').filter((line) => basename(line) === name),
  ]
  return await firstOf(places.map((place) => pythonOf(place)))
}

/** `.venv` of the project, or the one that is active. */
async function projectEnvironment(_args: readonly string[], cwd: string, env: Env): Promise<string | undefined> {
  return (
    (await upwards(cwd, (folder) => pythonOf(join(folder, '.venv')))) ??
    (env.VIRTUAL_ENV ? await pythonOf(env.VIRTUAL_ENV) : undefined)
  )
}

/** Where the options of a launcher end: at `--`, or at what looks like a program or script. */
function firstWord(args: readonly string[]): number {
  const at = args.findIndex((each) => each === '--' || /^(?:.*\/)?python[\d.]*$|\.py$/.test(each))
  return at < 0 ? args.length : at
}

/** The value of the first of `names` that is given, as `--name value` or `--name=value`. */
function optionOf(options: readonly string[], ...names: readonly string[]): string | undefined {
  for (const [index, word] of options.entries()) {
    for (const name of names) {
      if (word === name) return options[index + 1]
      if (word.startsWith(`${name}=`)) return word.slice(name.length + 1)
    }
  }
  return undefined
}

async function upwards(
  from: string,
  look: (folder: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (let here = from; ; here = dirname(here)) {
    const found = await look(here)
    if (found !== undefined || dirname(here) === here) return found
  }
}

async function pythonOf(environment: string): Promise<string | undefined> {
  for (const program of [
    join(environment, 'bin/python'),
    join(environment, 'python.exe'),
    join(environment, 'Scripts/python.exe'),
  ]) {
    try {
      await access(program, constants.X_OK)
      if ((await stat(program)).isFile()) return program
    } catch {
      // The next one.
    }
  }
  return undefined
}

async function firstOf(each: readonly Promise<string | undefined>[]): Promise<string | undefined> {
  return (await Promise.all(each)).find((found) => found !== undefined)
}

const exists = async (path: string): Promise<boolean> =>
  await stat(path).then(
    () => true,
    () => false,
  )
