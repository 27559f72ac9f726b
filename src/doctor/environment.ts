/**
 * Can the packages that a version was trained with still be installed? Asks pip to resolve the recorded list and to
 * install nothing (`pip install --dry-run --no-deps`, pip's manual), with the index that the user's pip is set up for.
 */

import type { Context } from '../core/context.ts'
import { versionName } from '../core/names.ts'
import type { VersionDetail } from '../lifecycle/versions/version.ts'
import type { PythonFacts } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import type { Finding } from './types.ts'

/** Milliseconds for one environment. */
const LIMIT = 180_000
const AT_ONCE = 2
/** pip stops at the first package that it does not find; the rest is asked again without it, so often. */
const MOST_MISSING = 5
/** How pip names what no index has (pip 20 to 25, `DistributionNotFound`). */
const NOT_FOUND = /No matching distribution found for (\S+)/
/** Every index has this one. While pip cannot reach its index it claims of all packages that they do not exist. */
const SURE_TO_EXIST = 'pip'
/** pip 22.2 is the first with `--dry-run`. */
const NO_DRY_RUN = /no such option: --dry-run/

type Answer =
  | { readonly kind: 'installs' }
  | { readonly kind: 'missing'; readonly packages: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string }

/** One finding per environment, however many versions share it. */
export async function environmentFindings(
  ctx: Context,
  store: Store,
  details: readonly VersionDetail[],
  offline: boolean,
): Promise<readonly Finding[]> {
  const users = new Map<string, { python: PythonFacts; details: VersionDetail[] }>()
  const findings: Finding[] = []
  for (const detail of details) {
    const { python, run } = detail
    if (run === null) continue
    if (python?.lock === undefined) {
      findings.push(of([detail], 'warn', 'recorded no packages: its environment cannot be made again', null))
      continue
    }
    const key = `${python.lock.sha256} ${minor(python.version)}`
    const known = users.get(key) ?? { python, details: [] }
    known.details.push(detail)
    users.set(key, known)
  }
  const all = [...users.values()]
  // pip mostly waits for its index: two at a time, in the order they were found.
  for (let at = 0; at < all.length; at += AT_ONCE) {
    ctx.signal?.throwIfAborted()
    const some = all.slice(at, at + AT_ONCE)
    const many = all.length > 1 ? `, ${Math.min(at + AT_ONCE, all.length)} of ${all.length} environments` : ''
    const names = some.flatMap(({ details: sharing }) => sharing.map((each) => versionName(each.model, each.version)))
    if (!offline) ctx.progress?.(`asking pip whether the packages of ${names.join(', ')} can be installed${many}`)
    findings.push(
      ...(await Promise.all(
        some.map(({ python, details: sharing }) => findingOf(ctx, store, python, sharing, offline)),
      )),
    )
  }
  return findings
}

async function findingOf(
  ctx: Context,
  store: Store,
  python: PythonFacts,
  details: readonly VersionDetail[],
  offline: boolean,
): Promise<Finding> {
  const packages = python.lock?.packages ?? 0
  const what = `Python ${minor(python.version)} and ${packages} packages`
  if (offline) return of(details, 'unknown', `${what}: not looked up (--offline)`, 'mlops doctor')
  const answer = await installable(ctx, store, python)
  switch (answer.kind) {
    case 'installs':
      return of(details, 'good', `${what} can still be installed`, null)
    case 'missing': {
      const again = `mlops retrain ${details[0]?.model ?? 'MODEL'} --reason "an environment that can be installed"`
      const listed = answer.packages.join(', ')
      return of(
        details,
        'bad',
        `cannot be installed any more: no index has ${listed} for Python ${minor(python.version)}`,
        again,
      )
    }
    default:
      return of(details, 'unknown', `${what}: ${answer.why}`, null)
  }
}

function of(
  details: readonly VersionDetail[],
  severity: Finding['severity'],
  said: string,
  next: string | null,
): Finding {
  const names = details.map(({ model, version }) => versionName(model, version)).join(', ')
  const models = [...new Set(details.map(({ model }) => model))]
  const model = models.length === 1 ? (models[0] ?? null) : null
  return { area: 'environment', severity, model, summary: `${names}: ${said}`, next }
}

const minor = (version: string): string => version.split('.').slice(0, 2).join('.')

async function installable(ctx: Context, store: Store, { lock, version }: PythonFacts): Promise<Answer> {
  if (lock === undefined) return { kind: 'unknown', why: 'no packages are recorded' }
  const lines = (await store.objects.read(lock.sha256))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const python = await interpreter(ctx, version)
  if (python === undefined) return { kind: 'unknown', why: 'there is no Python with pip here to ask' }
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const folder = await mkdtemp(join(tmpdir(), 'mlops-doctor-'))
  try {
    const list = join(folder, 'requirements.txt')
    const ask = async (wanted: readonly string[]): Promise<string> => {
      await writeFile(list, `${wanted.join('\n')}\n`)
      return askPip(ctx, python, minor(version), list, folder)
    }
    const missing: string[] = []
    let wanted = lines
    while (missing.length < MOST_MISSING) {
      const said = await ask(wanted)
      if (said === 'installs') break
      const lost = NOT_FOUND.exec(said)?.[1]
      if (lost === undefined) {
        if (missing.length > 0) break
        const why = NO_DRY_RUN.test(said) ? 'pip here is older than 22.2' : `pip could not tell: ${lastLine(said)}`
        return { kind: 'unknown', why }
      }
      if (missing.length === 0 && (await ask([SURE_TO_EXIST])) !== 'installs') {
        return { kind: 'unknown', why: 'the package index cannot be reached' }
      }
      missing.push(lost)
      wanted = wanted.filter((line) => line !== lost)
    }
    return missing.length === 0 ? { kind: 'installs' } : { kind: 'missing', packages: missing }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Interpreter {
  readonly command: string
  /** The minor version is the recorded one; otherwise pip is asked about wheels for that one. */
  readonly same: boolean
}

/** Not the recorded path: that environment may be gone, or another one by now. */
async function interpreter(ctx: Context, version: string): Promise<Interpreter | undefined> {
  for (const command of [`python${minor(version)}`, 'python3', 'python']) {
    const found = await run(ctx, command, ['-c', 'import sys, pip; print("%d.%d" % sys.version_info[:2])'])
    if (found.ok) return { command, same: found.stdout.trim() === minor(version) }
  }
  return undefined
}

/** @returns `installs`, or what pip said */
async function askPip(
  ctx: Context,
  python: Interpreter,
  version: string,
  list: string,
  folder: string,
): Promise<string> {
  const other = python.same ? [] : ['--python-version', version, '--only-binary', ':all:', '--target', folder]
  const { ok, stderr, stdout } = await run(ctx, python.command, [
    ...['-m', 'pip', 'install', '--dry-run', '--no-deps', '--ignore-installed', '--no-input', '--quiet'],
    ...['--disable-pip-version-check', ...other, '-r', list],
  ])
  return ok ? 'installs' : `${stderr}\n${stdout}`
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
