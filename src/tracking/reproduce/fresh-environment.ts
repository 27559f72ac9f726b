/**
 * A fresh environment with the recorded packages, and a comparison of what is installed with what was recorded. Nothing is
 * taken from the user's environments but the interpreter and the caches of the installers.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed, type MlopsError } from '../../core/errors.ts'
import type { EnvironmentRecord } from '../../store/run-records.ts'
import { isExecutable } from '../capture/find-program.ts'
import { askInterpreter, type Interpreter } from '../capture/interpreter.ts'
import { clientFolder } from '../execute/client-path.ts'
import { type ProgramEnd, runProgram } from './program.ts'
import { type InstallPlan, likelyReason } from './requirements.ts'
import type { EnvironmentFacts } from './types.ts'

export interface FreshRequest {
  readonly facts: EnvironmentFacts
  readonly plan: InstallPlan
  /** Absolute folder of the environment; must not exist. */
  readonly folder: string
  readonly scratch: string
}

/** @throws failed `ENVIRONMENT_FAILED` with the installer's last words */
export async function makeEnvironment(ctx: Context, request: FreshRequest): Promise<void> {
  const { facts, plan, folder } = request
  if (facts.installer === 'conda' || facts.installer === 'mamba' || facts.installer === 'micromamba') {
    await makeConda(ctx, request, facts.installer)
  } else {
    await makeVenv(ctx, request)
  }
  // Made below the worktree it must not look like a new file of the user's.
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '.gitignore'), '*\n')
  for (const [number, { what, lines, hashed }] of plan.steps.entries()) {
    const file = join(request.scratch, `requirements-${number + 1}.txt`)
    await writeFile(file, lines.map((line) => `${line}\n`).join(''))
    ctx.progress?.(`installing ${lines.length} ${what}`)
    const end = await install(ctx, request, file, hashed)
    if (end.code !== 0) throw environmentFailed(`${lines.length} ${what} could not be installed`, end)
  }
}

async function makeVenv(ctx: Context, { facts, plan, folder }: FreshRequest): Promise<void> {
  const python = facts.interpreter?.executable ?? 'python3'
  ctx.progress?.('making a fresh environment')
  await mkdir(dirname(folder), { recursive: true })
  const words =
    facts.installer === 'uv'
      ? ['uv', 'venv', '--quiet', '--no-project', '--python', python, folder]
      : [python, '-I', '-m', 'venv', ...(plan.steps.length === 0 ? ['--without-pip'] : []), folder]
  const end = await runProgram(words, { cwd: dirname(folder), env: plainEnvironment(ctx), signal: ctx.signal })
  if (end.code !== 0) throw environmentFailed(`${words.slice(0, 4).join(' ')} failed`, end)
}

async function makeConda(ctx: Context, { plan, folder, scratch }: FreshRequest, program: string): Promise<void> {
  const file = join(scratch, 'explicit.txt')
  await writeFile(file, ['@EXPLICIT', ...plan.conda, ''].join('\n'))
  ctx.progress?.(`installing ${plan.conda.length} packages with ${program}`)
  const words = [program, 'create', '--yes', '--quiet', '--prefix', folder, '--file', file]
  const options = { cwd: scratch, env: plainEnvironment(ctx), signal: ctx.signal }
  const end = await runProgram(words, { ...options, onLine: (line) => ctx.progress?.(`${program}: ${line}`) })
  if (end.code !== 0) throw environmentFailed(`${program} create failed`, end)
}

/** `--no-deps`: the record holds every package, and a resolver could only choose others. */
async function install(ctx: Context, request: FreshRequest, file: string, hashed: boolean): Promise<ProgramEnd> {
  const python = join(request.folder, 'bin', 'python')
  const common = ['--no-deps', ...(hashed ? ['--require-hashes'] : []), '-r', file]
  const words =
    request.facts.installer === 'uv'
      ? ['uv', 'pip', 'install', '--no-progress', '--python', python, ...common]
      : [python, '-m', 'pip', 'install', '--no-input', '--progress-bar', 'off', '--no-compile', ...common]
  return await runProgram(words, {
    cwd: request.scratch,
    env: plainEnvironment(ctx),
    signal: ctx.signal,
    onLine: (line) => ctx.progress?.(shortened(line)),
  })
}

/** What pip says of each package, without what it says of each file. */
const shortened = (line: string): string =>
  line
    .trim()
    .replace(/ \(from .*$/, '')
    .replace(/^Installing collected packages:.*/, 'installing')
    .slice(0, 100)

/** What would send packages elsewhere, or bring in others, is left out; indexes and caches of the user's stay. */
function plainEnvironment({ env }: Context): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = { ...env, PIP_DISABLE_PIP_VERSION_CHECK: '1', PYTHONNOUSERSITE: '1' }
  const harmful = ['PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'UV_PROJECT_ENVIRONMENT', 'UV_NO_SYNC']
  const pip = [
    'USER',
    'TARGET',
    'PREFIX',
    'ROOT',
    'REQUIREMENT',
    'CONSTRAINT',
    'REQUIRE_VIRTUALENV',
    'PYTHON',
    'DRY_RUN',
  ]
  for (const name of [...harmful, ...pip.map((option) => `PIP_${option}`), 'UV_CONSTRAINT', 'UV_OVERRIDE']) {
    out[name] = undefined
  }
  return out
}

function environmentFailed(what: string, end: ProgramEnd): MlopsError {
  const reason = likelyReason(end.tail)
  return failed({
    code: 'ENVIRONMENT_FAILED',
    message: `The recorded environment could not be made: ${what}.${reason === undefined ? '' : ` ${reason}`}`,
    hint: 'With the packages that are installed here, whose differences are named: --environment current',
    details: { problems: end.tail.slice(-8) },
  })
}

/** What the probe says of an environment. @throws failed when it gives no answer */
export async function probe(ctx: Context, executable: string, cwd: string, root: string): Promise<Interpreter> {
  const client = clientFolder()
  const found =
    client === undefined
      ? undefined
      : await askInterpreter({ program: executable, flags: [] }, join(client, 'mlops', '_environment.py'), {
          ...{ cwd, root, env: { ...ctx.env, PYTHONPATH: undefined, PYTHONHOME: undefined } },
          ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
        })
  if (found !== undefined) return found
  throw failed({
    code: 'ENVIRONMENT_FAILED',
    message: `The interpreter ${executable} does not say what is installed.`,
    hint: `Try it: ${executable} --version`,
  })
}

export type PackageList = EnvironmentRecord['packages']

export const pythonIn = async (folder: string): Promise<string> =>
  (await isExecutable(join(folder, 'bin', 'python'))) ? join(folder, 'bin', 'python') : join(folder, 'bin', 'python3')
