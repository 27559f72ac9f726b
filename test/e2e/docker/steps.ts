/**
 * Carries out the steps of a Dockerfile on this machine, without a builder: every stage is a folder, and absolute paths of the
 * image stand for paths in it. Debian packages are not installed, and Python packages are those of the tests: pip is told
 * that it has no index and finds them there. What needs a real image is image.test.ts.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { type Dockerfile, type Instruction, pairsOf, parseDockerfile, type Stage } from '../../support/dockerfile.ts'
import { cleanEnv, ROOT } from '../harness.ts'

const VENV = join(ROOT, '.cache/venv')

export interface Built {
  /** The folder that stands for `/` of a stage. */
  folder(stage: string): string
  /** What the steps printed. */
  readonly output: string
  /** The step that failed, as written; undefined when none did. */
  readonly failed: string | undefined
  /** The environment of the last stage, paths of the image replaced. */
  readonly env: Readonly<Record<string, string>>
  readonly workdir: string
  readonly command: readonly string[]
  readonly health: readonly string[]
}

export interface BuildOptions {
  /** The folder with the Dockerfile. */
  readonly context: string
  /** An empty folder to build in. */
  readonly into: string
  readonly args?: Readonly<Record<string, string>>
  /** The stage to end with; otherwise the last. */
  readonly target?: string
  /** Stages that an earlier build made already. */
  readonly reuse?: Readonly<Record<string, string>>
}

interface State {
  readonly file: Dockerfile
  readonly options: BuildOptions
  readonly context: string
  readonly args: Readonly<Record<string, string>>
  output: string
  env: Record<string, string>
  workdir: string
  command: readonly string[]
  health: readonly string[]
}

export function build(options: BuildOptions): Built {
  const file = parseDockerfile(readFileSync(join(options.context, 'Dockerfile'), 'utf8'))
  const state: State = {
    file,
    options,
    context: visible(options),
    args: { ...file.args, ...options.args },
    ...{ output: '', env: {}, workdir: '/', command: [], health: [] },
  }
  const target = options.target ?? file.stages.at(-1)?.name ?? ''
  const failed = needed(file, target)
    .filter(({ name }) => options.reuse?.[name] === undefined)
    .map((stage) => makeStage(state, stage))
    .find((each) => each !== undefined)
  const folder = (stage: string) => folderOf(state, stage)
  const inside = (text: string) => inFolder(text, folder(target))
  const env = Object.fromEntries(Object.entries(state.env).map(([key, value]) => [key, inside(value)]))
  return {
    folder,
    failed,
    env: environment(state, folder(target), env),
    ...{ output: state.output, workdir: inside(state.workdir), command: state.command, health: state.health },
  }
}

/** The stages that a target is made of, in the order of the file: others are not built. */
function needed({ stages }: Dockerfile, target: string): Stage[] {
  const names = new Set([target])
  for (const stage of [...stages].reverse()) {
    if (!names.has(stage.name)) continue
    names.add(stage.from)
    for (const { flags } of stage.instructions) if (flags.from !== undefined) names.add(flags.from)
  }
  return stages.filter(({ name }) => names.has(name))
}

/** What .dockerignore lets through: rules as ours are, everything but what is named. */
function visible({ context, into }: BuildOptions): string {
  const seen = join(into, 'context')
  const rules = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n')
  for (const path of rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1))) {
    if (!existsSync(join(context, path))) continue
    cpSync(join(context, path), join(seen, path), {
      recursive: true,
      filter: (each) => !/__pycache__|\.pyc$|\/\.env/.test(each.slice(context.length)),
    })
  }
  return seen
}

/** @returns the step that failed */
function makeStage(state: State, stage: Stage): string | undefined {
  const folder = folderOf(state, stage.name)
  const parent = state.file.stages.some(({ name }) => name === stage.from) ? folderOf(state, stage.from) : undefined
  if (parent === undefined) Object.assign(state, { env: {}, workdir: '/' })
  mkdirSync(folder, { recursive: true })
  if (parent !== undefined) cpSync(parent, folder, { recursive: true, verbatimSymlinks: true, force: true })
  const variables: Record<string, string> = {}
  for (const step of stage.instructions) {
    if (!carryOut(state, folder, step, variables)) return `${step.keyword} ${step.text}`
  }
  return undefined
}

function carryOut(state: State, folder: string, step: Instruction, variables: Record<string, string>): boolean {
  const { keyword, text } = step
  if (keyword === 'ARG') for (const key of Object.keys(pairsOf(text, {}))) variables[key] = state.args[key] ?? ''
  if (keyword === 'ENV') Object.assign(state.env, pairsOf(text, { PATH: '', ...state.env, ...variables }))
  if (keyword === 'WORKDIR') {
    state.workdir = text
    mkdirSync(inFolder(text, folder), { recursive: true })
  }
  if (keyword === 'CMD') state.command = JSON.parse(text)
  if (keyword === 'HEALTHCHECK') state.health = JSON.parse(text.replace(/^CMD /, ''))
  if (keyword === 'COPY') copy(state, folder, step)
  if (keyword === 'RUN') return run(state, folder, text, variables)
  return true
}

function copy(state: State, folder: string, { text, flags }: Instruction): void {
  const words = text.split(/\s+/)
  const target = words.pop() ?? ''
  const source = flags.from === undefined ? state.context : folderOf(state, flags.from)
  const to = target.startsWith('/') ? join(folder, target) : join(inFolder(state.workdir, folder), target)
  for (const word of words) {
    const from = join(source, word)
    const isInto = target.endsWith('/') && !statSync(from).isDirectory()
    cpSync(from, isInto ? join(to, basename(word)) : to, { recursive: true, verbatimSymlinks: true })
  }
}

function run(state: State, folder: string, text: string, variables: Readonly<Record<string, string>>): boolean {
  const own = Object.fromEntries(Object.entries(state.env).map(([key, value]) => [key, inFolder(value, folder)]))
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', inFolder(text, folder)], {
    cwd: inFolder(state.workdir, folder),
    env: environment(state, folder, { ...own, ...variables }),
    encoding: 'utf8',
  })
  state.output += `${stdout}${stderr}`
  return status === 0
}

function environment(state: State, folder: string, own: Readonly<Record<string, string>>): Record<string, string> {
  const path = [own.PATH ?? '', shims(state.options.into), join(VENV, 'bin'), '/usr/bin', '/bin']
  const env = cleanEnv({
    ...own,
    PATH: path.filter((each) => each !== '').join(delimiter),
    // The packages of the tests stand for those that would be downloaded.
    PYTHONPATH: sitePackages(),
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: '',
    TMPDIR: mkdirs(join(folder, 'tmp')),
  })
  return Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}

const sitePackages = (): string =>
  spawnSync(join(VENV, 'bin/python'), ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], {
    encoding: 'utf8',
  }).stdout.trim()

/** What only root in an image may do. */
function shims(into: string): string {
  const folder = mkdirs(join(into, 'shims'))
  for (const name of ['apt-get', 'chown']) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*"\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Absolute paths of the image, as words of a command or values of variables. */
const inFolder = (text: string, folder: string): string =>
  text === '/' ? folder : text.replace(/(?<![\w.}])\/(?=(?:build|bundle|opt|service|predictions|var)\b)/g, `${folder}/`)

const folderOf = ({ options }: State, stage: string): string =>
  options.reuse?.[stage] ?? join(options.into, 'stages', stage)
