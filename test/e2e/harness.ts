/**
 * For end-to-end tests: the built binary in a process of its own, projects in temporary folders, results checked
 * against the committed schemas. No expectations about single commands belong here.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const BINARY = join(ROOT, 'bin/run.js')

export interface RunOptions {
  readonly cwd?: string
  /** Added to a clean environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to stdin, which is then closed. */
  readonly input?: string
}

export interface RunResult {
  /** The exit code; 128 + n when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The `--json` envelope; fails the test when stdout is not exactly one JSON object. */
  readonly json: Envelope
}

export interface Envelope {
  readonly schemaVersion: number
  readonly command: string
  readonly status: 'ok' | 'error'
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for; the schema checks the shape
  readonly data?: any
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    // biome-ignore lint/suspicious/noExplicitAny: as above
    readonly details: any
  }
  readonly warnings: readonly string[]
}

/** Runs `mlops ARGS`; never rejects because of an exit code. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  buildOnce()
  const child = spawn(process.execPath, [BINARY, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: cleanEnv(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {}) // The command may end without reading its input.
  child.stdin.end(options.input ?? '')
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exit, signal) => resolve(exit ?? 128 + (signal === 'SIGINT' ? 2 : 15)))
    }),
  ])
  return {
    code,
    stdout,
    stderr,
    get json() {
      return parseEnvelope(stdout, stderr)
    },
  }
}

/** As `run`, but the test fails, showing both streams, unless the command ends with `code` (default 0). */
export async function mlops(args: readonly string[], options: RunOptions & { readonly code?: number } = {}) {
  const result = await run(args, options)
  const expected = options.code ?? 0
  if (result.code !== expected) {
    assert.fail(
      `mlops ${args.join(' ')} ended with ${result.code}, expected ${expected}\n${result.stdout}\n${result.stderr}`,
    )
  }
  return result
}

export interface TempProject {
  /** Absolute, with symbolic links resolved. */
  readonly dir: string
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Fails the test on another exit code than `code` (default 0). */
  mlops(args: readonly string[], options?: RunOptions & { readonly code?: number }): Promise<RunResult>
  path(...parts: readonly string[]): string
  write(file: string, content: string | Uint8Array): void
  read(file: string): string
}

/** A folder of its own, removed when the tests end (kept with MLOPS_KEEP=1). @param files path -> content */
export function tempProject(files: Readonly<Record<string, string>> = {}): TempProject {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-test-')))
  FOLDERS.push(dir)
  const project: TempProject = {
    dir,
    run: (args, options) => run(args, { cwd: dir, ...options }),
    mlops: (args, options) => mlops(args, { cwd: dir, ...options }),
    path: (...parts) => join(dir, ...parts),
    write(file, content) {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), content)
    },
    read: (file) => readFileSync(join(dir, file), 'utf8'),
  }
  for (const [file, content] of Object.entries(files)) project.write(file, content)
  return project
}

const FOLDERS: string[] = []
process.on('exit', () => {
  if (process.env.MLOPS_KEEP !== undefined) return
  for (const folder of FOLDERS) rmSync(folder, { recursive: true, force: true })
})

/**
 * Checks an envelope and its `data` against docs/schemas. Members that the schema does not name fail too, so that the
 * committed schema stays complete; readers of our JSON should ignore them.
 * @param command as typed: `model list`
 */
export function assertMatchesSchema(command: string, json: Envelope): void {
  check(validator('envelope'), json, `envelope of ${command}`)
  if (json.status === 'ok') check(validator(command.replaceAll(' ', '-')), json.data, `data of ${command}`)
}

const validators = new Map<string, ValidateFunction>()

function validator(name: string): ValidateFunction {
  const known = validators.get(name)
  if (known !== undefined) return known
  const schema = JSON.parse(readFileSync(join(ROOT, 'docs/schemas', `${name}.json`), 'utf8'))
  const made = new Ajv2020({ allErrors: true, strict: false }).compile(closed(schema))
  validators.set(name, made)
  return made
}

/** The schema with `additionalProperties: false` wherever an object's members are listed. */
function closed(schema: unknown): object {
  const close = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(close)
    if (typeof node !== 'object' || node === null) return node
    const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, close(value)]))
    return copy.type === 'object' && copy.properties !== undefined && !('additionalProperties' in copy)
      ? { ...copy, additionalProperties: false }
      : copy
  }
  return close(schema) as object
}

function check(validate: ValidateFunction, value: unknown, what: string): void {
  if (validate(value)) return
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  )
  assert.fail(`${what} does not match its schema:\n  ${problems.join('\n  ')}`)
}

/** Nothing of the surrounding CI, terminal or mlops settings may leak into a test. */
export function cleanEnv(extra: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !LEAKING.test(name))
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(kept), LANG: 'C.UTF-8', ...extra }
  for (const [name, value] of Object.entries(extra)) if (value === undefined) delete env[name]
  return env
}

const LEAKING =
  /^(MLOPS_|CI$|CI_|GITHUB_|GITLAB_|BUILDKITE|CIRCLE|TF_BUILD|JENKINS|NO_COLOR$|FORCE_COLOR$|TERM$|COLUMNS$|LC_|LANG$|NODE_OPTIONS$|npm_)/

let built = false

/** Once per test process: builds when a source is newer than dist/. */
export function buildOnce(): void {
  if (built) return
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, '.ci/build.js'), '--if-stale'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`)
  assert.ok(existsSync(join(ROOT, 'dist')), 'the build made no dist/')
  built = true
}

function parseEnvelope(stdout: string, stderr: string): Envelope {
  try {
    return JSON.parse(stdout) as Envelope
  } catch {
    assert.fail(`stdout is not one JSON object:\n${stdout}\nstderr:\n${stderr}`)
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
