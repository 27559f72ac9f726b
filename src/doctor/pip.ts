/**
 * Asks pip whether a list of packages can be installed, and lets it install nothing (`pip install --dry-run --no-deps`,
 * pip's manual), with the index that the user's pip is set up for. One `Pip` serves a whole command: it looks for an
 * interpreter, and whether the index can be reached, once.
 */
import type { Context } from '../core/context.ts'

/** Milliseconds for one question. */
const LIMIT = 180_000
/** pip stops at the first package that it does not find; the rest is asked again without it, so often. */
const MOST_MISSING = 5
/** How pip names what no index has (pip 20 to 25, `DistributionNotFound`). */
const NOT_FOUND = /No matching distribution found for (\S+)/
/** Every index has this one. While pip cannot reach its index it claims of all packages that they do not exist. */
const SURE_TO_EXIST = 'pip'
/** pip 22.2 is the first with `--dry-run`. */
const NO_DRY_RUN = /no such option: --dry-run/

export type Answer =
  | { readonly kind: 'installs' }
  | { readonly kind: 'missing'; readonly packages: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string }

export interface Pip {
  /** @param version of Python, as it was recorded */
  installable(packages: readonly string[], version: string): Promise<Answer>
}

export const minor = (version: string): string => version.split('.').slice(0, 2).join('.')

export function pipOf(ctx: Context): Pip {
  const interpreters = new Map<string, Promise<Interpreter | undefined>>()
  const reached = new Map<string, Promise<boolean>>()
  return {
    async installable(packages, version) {
      const wanted = minor(version)
      const python = await once(interpreters, wanted, () => interpreter(ctx, wanted))
      if (python === undefined) return { kind: 'unknown', why: 'there is no Python with pip here to ask' }
      const ask = (list: readonly string[]): Promise<string> => askPip(ctx, python, list)
      // Of each Python on its own: an index may have pip, and not for that one.
      const isReached = () => once(reached, wanted, async () => (await ask([SURE_TO_EXIST])) === 'installs')
      return answerOf(packages, ask, isReached)
    },
  }
}

/** The first answer under a key, also for those who ask while it is being found. */
function once<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? find()
  known.set(key, found)
  return found
}

async function answerOf(
  packages: readonly string[],
  ask: (list: readonly string[]) => Promise<string>,
  isReached: () => Promise<boolean>,
): Promise<Answer> {
  const missing: string[] = []
  let wanted = packages
  while (missing.length < MOST_MISSING) {
    const said = await ask(wanted)
    if (said === 'installs') break
    const lost = NOT_FOUND.exec(said)?.[1]
    if (lost === undefined) {
      if (missing.length > 0) break
      const why = NO_DRY_RUN.test(said) ? 'pip here is older than 22.2' : `pip could not tell: ${lastLine(said)}`
      return { kind: 'unknown', why }
    }
    if (missing.length === 0 && !(await isReached())) {
      return { kind: 'unknown', why: 'the package index cannot be reached' }
    }
    missing.push(lost)
    const rest = wanted.filter((line) => line !== lost)
    // pip names it in another way than the list does: it would name it again for ever.
    if (rest.length === wanted.length) break
    wanted = rest
  }
  return missing.length === 0 ? { kind: 'installs' } : { kind: 'missing', packages: missing }
}

interface Interpreter {
  readonly command: string
  /** Set where it is another one than was recorded: pip is then asked about wheels for that one. */
  readonly instead: string | null
}

/** Not the recorded path: that environment may be gone, or another one by now. */
async function interpreter(ctx: Context, version: string): Promise<Interpreter | undefined> {
  for (const command of [`python${version}`, 'python3', 'python']) {
    const found = await run(ctx, command, ['-c', 'import sys, pip; print("%d.%d" % sys.version_info[:2])'])
    if (found.ok) return { command, instead: found.stdout.trim() === version ? null : version }
  }
  return undefined
}

/** @returns `installs`, or what pip said */
async function askPip(ctx: Context, { command, instead }: Interpreter, packages: readonly string[]): Promise<string> {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const folder = await mkdtemp(join(tmpdir(), 'mlops-doctor-'))
  try {
    const list = join(folder, 'requirements.txt')
    await writeFile(list, `${packages.join('\n')}\n`)
    const other = instead === null ? [] : ['--python-version', instead, '--only-binary', ':all:']
    // A folder of its own: pip 23.0 refuses a Python of the system otherwise, though nothing is installed (PEP 668).
    const { ok, stderr, stdout } = await run(ctx, command, [
      ...['-m', 'pip', 'install', '--dry-run', '--no-deps', '--ignore-installed', '--no-input', '--quiet'],
      ...['--disable-pip-version-check', '--target', folder, ...other, '-r', list],
    ])
    return ok ? 'installs' : `${stderr}\n${stdout}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function run(ctx: Context, command: string, args: readonly string[]) {
  const { execa } = await import('execa')
  const { failed, stdout, stderr, originalMessage } = await execa(command, args, {
    cwd: ctx.cwd,
    env: ctx.env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: LIMIT,
    ...(ctx.signal === undefined ? {} : { cancelSignal: ctx.signal }),
  })
  ctx.signal?.throwIfAborted()
  return { ok: !failed, stdout: stdout ?? '', stderr: stderr || (originalMessage ?? '') }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 200) ?? ''
