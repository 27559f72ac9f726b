/**
 * The recorded command as it is run here: its interpreter is the one of the fresh environment, its absolute paths into the
 * repository lead into the worktree. Pure.
 */
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

export interface CommandMap {
  /** Absolute folder the command ran in, as it would be in the user's checkout. */
  readonly cwd: string
  /** The user's repository and the worktree. */
  readonly top: string
  readonly mirror: string
  /** `sys.executable` of the run; undefined: it used no Python. */
  readonly executable: string | undefined
  /** Folder of the programs of the environment that is used now. */
  readonly bin: string | undefined
  /** Is there a program of this name in `bin`? */
  readonly has: (name: string) => boolean
}

const PYTHON = /^(?:python|pypy)(?:\d+(?:\.\d+)*)?w?$/

export function mapCommand(command: readonly string[], map: CommandMap): string[] {
  const bare = map.bin === undefined ? command : withoutRunner(command)
  return bare.map((word, at) => mapWord(word, at, map))
}

function mapWord(word: string, at: number, map: CommandMap): string {
  const { bin, executable } = map
  if (bin !== undefined && word.includes('/') && !/\s/.test(word)) {
    const full = resolve(map.cwd, word)
    const isProgram = at === 0 || PYTHON.test(basename(word))
    const isOfEnvironment = executable !== undefined && dirname(full) === dirname(executable)
    if (isOfEnvironment || (isProgram && at < 8 && PYTHON.test(basename(word))))
      return programIn(bin, basename(word), map)
  }
  const activated = bin === undefined ? word : withEnvironment(word, bin, executable)
  return mapPaths(activated, map)
}

/** `python3.11` of a fresh environment may be called `python` only. */
function programIn(bin: string, name: string, { has }: CommandMap): string {
  return join(bin, has(name) || !PYTHON.test(name) ? name : 'python')
}

/** In the text of a shell: `. .venv/bin/activate && …`, `/home/x/.venv/bin/python train.py`. */
function withEnvironment(word: string, bin: string, executable: string | undefined): string {
  if (!/\s/.test(word)) return word
  const activated = word.replace(/(?<=^|[\s;&|(])[^\s;&|()'"]*\/bin\/activate(?=$|[\s;&|)])/g, join(bin, 'activate'))
  return executable === undefined || !isAbsolute(executable)
    ? activated
    : activated.replaceAll(`${dirname(executable)}/`, `${bin}/`)
}

/** Absolute paths into the user's checkout, alone or behind `--data=`. Longer names that only begin alike stay. */
function mapPaths(word: string, { top, mirror }: CommandMap): string {
  let out = ''
  let rest = word
  for (let at = rest.indexOf(top); at >= 0; at = rest.indexOf(top)) {
    const [before, after] = [rest.slice(0, at), rest.slice(at + top.length)]
    const isWhole = /(?:^|[\s=:,;'"()])$/.test(before) && /^(?:$|[/\s:,;'"()])/.test(after)
    out += `${before}${isWhole ? mirror : top}`
    rest = after
  }
  return out + rest
}

/** Options of `uv run` and its like that take no value and do not change what is run. */
const PLAIN_OPTIONS = new Set(
  '--frozen --locked --no-sync --quiet -q --isolated --active --exact --all-extras --all-groups --no-dev --offline --no-capture-output --live-stream'.split(
    ' ',
  ),
)
const NAMING = new Set(['-n', '--name', '-p', '--prefix', '-e', '--environment', '--extra', '--group', '--python'])

const RUNNERS = /^(?:uv|poetry|pdm|pipenv|hatch|rye|pixi|conda|mamba|micromamba)$/
const WRAPPERS = /^(?:env|nohup|nice|time|stdbuf|ionice|taskset|setsid|caffeinate|-.*|\d+|\w+=.*)$/

/**
 * Without `uv run`, `poetry run`, `conda run -n env` and their like, which would look for an environment of their own;
 * the fresh one stands first on PATH. With an option that is not known the words stay as they are.
 */
export function withoutRunner(command: readonly string[]): readonly string[] {
  const start = command.findIndex((word, at) => RUNNERS.test(basename(word)) && command[at + 1] === 'run')
  const program = basename(command[start] ?? '')
  // Before it may stand what starts it with the same environment: `env X=1 uv run …`, `nice -n 5 poetry run …`.
  if (start < 0 || !command.slice(0, start).every((word) => WRAPPERS.test(word))) return command
  let at = start + 2
  for (; at < command.length; at++) {
    const word = command[at] ?? ''
    if (word === '--') {
      at++
      break
    }
    if (!word.startsWith('-')) break
    if (NAMING.has(word)) at++
    else if (program === 'uv' && word === '-m') return [...command.slice(0, start), 'python', ...command.slice(at)]
    else if (!PLAIN_OPTIONS.has(word) && !/^--(?:name|prefix|python|extra|group|environment)=/.test(word))
      return command
  }
  const rest = command.slice(at)
  if (rest.length === 0) return command
  const run = program === 'uv' && /\.py$/.test(rest[0] ?? '') ? ['python', ...rest] : rest
  return [...command.slice(0, start), ...run]
}

/** What was changed, in words for the plan; null for nothing. */
export function describeMapping(recorded: readonly string[], mapped: readonly string[]): string | null {
  return recorded.length === mapped.length && recorded.every((word, at) => word === mapped[at])
    ? null
    : mapped.join(' ')
}

/** Where the environment lay in the checkout: `.venv`; undefined when it lay elsewhere. */
export function placeInCheckout(executable: string | undefined, top: string): string | undefined {
  if (executable === undefined || !isAbsolute(executable)) return undefined
  const inside = relative(top, dirname(dirname(executable)))
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? undefined : inside
}
