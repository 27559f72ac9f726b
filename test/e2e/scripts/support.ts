/** Real scripts, unmodified, under the built `mlops track`: a project, a command, and all that it left in the record. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'

export const PYTHON = join(ROOT, '.cache/venv/bin/python')
const SEARCHED = [dirname(PYTHON), process.env.PATH].join(delimiter)
const REAL = join(import.meta.dirname, 'real')

export interface Tracked {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
  /** What `run show --json` says. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly run: any
  /** Bytes of output.log. */
  readonly log: Buffer
}

export interface ScriptWorld {
  readonly project: TempProject
  /** Tracks a command to its end. @param flags of `track` */
  track(command: readonly string[], options?: TrackOptions): Promise<Tracked>
  /** Starts `mlops track` and leaves it to the caller, who calls `finish` when it shall be over. */
  start(command: readonly string[], options?: TrackOptions): { child: ChildProcess; finish(): Promise<Tracked> }
  /** Ids of processes that a command left behind, by a variable of its environment. */
  left(): number[]
}

export interface TrackOptions {
  readonly flags?: readonly string[]
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
}

/** All words of a `mlops track`, for a program that starts it. */
export const trackCommand = (words: readonly string[]): string[] => [process.execPath, BINARY, 'track', ...words]

/** A project with the scripts of `real/` that are named. */
export async function scriptWorld(...scripts: readonly string[]): Promise<ScriptWorld> {
  const project = tempProject({ 'mlops.yaml': 'store: .mlops\n' })
  for (const script of scripts) copyFileSync(join(REAL, script), project.path(script))
  await project.mlops(['init', '--yes'])
  const mark = randomBytes(8).toString('hex')
  const env = {
    PATH: SEARCHED,
    SCRIPT_MARK: mark,
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const start: ScriptWorld['start'] = (command, options = {}) => {
    const child = spawn(process.execPath, [BINARY, 'track', ...(options.flags ?? []), '--', ...command], {
      cwd: project.dir,
      env: cleanEnv({ ...env, ...options.env }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => {})
    if (options.input !== undefined) child.stdin.end(options.input)
    const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
    return {
      child,
      async finish() {
        child.stdin.end()
        const code = await closed
        const { json } = await project.mlops(['run', 'show', '@last', '--json'])
        const output = project.path('.mlops/runs', json.data.run, 'output.log')
        const log = existsSync(output) ? readFileSync(output) : Buffer.alloc(0)
        return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString(), run: json.data, log }
      },
    }
  }
  return {
    project,
    start,
    track: (command, options) => start(command, { input: '', ...options }).finish(),
    left: () => processesWith(`SCRIPT_MARK=${mark}`),
  }
}

/** Of this user, by their first environment; Linux alone can be asked. */
function processesWith(variable: string): number[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Ended well, with everything said and nobody left behind. */
export function assertWhole(world: ScriptWorld, tracked: Tracked): void {
  const { run, code, stderr } = tracked
  assert.deepEqual([code, run.status, run.exit], [0, 'finished', 0], stderr)
  assert.deepEqual(world.left(), [])
}

/** The Python of the tests, with a module where one is named. */
export function needsPython(context: Mocha.Context, module?: string): void {
  if (!existsSync(PYTHON)) skipBecause(context, 'the Python environment of the tests is not set up')
  if (module === undefined) return
  if (spawnSync(PYTHON, ['-c', `import ${module}`]).status !== 0) skipBecause(context, `Python has no ${module}`)
}

/** A program, looked for where `scriptWorld` finds it: beside the Python of the tests, or on PATH. */
export function needs(context: Mocha.Context, program: string, hint: string): void {
  const env = { ...process.env, PATH: SEARCHED }
  if (spawnSync('sh', ['-c', `command -v ${program}`], { env }).status !== 0)
    skipBecause(context, `${program} is missing (${hint})`)
}

/** Resolves when the output holds a text. */
export function until(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout?.on('data', (chunk) => {
      said += chunk
      if (said.includes(text)) resolve()
    })
    child.once('close', () => reject(new Error(`it ended before it said ${text}: ${said}`)))
  })
}
