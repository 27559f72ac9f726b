/**
 * requirements.txt with the digest of every file: the recorded packages of the training run as bounds, resolved by the pip
 * of an interpreter of the same minor version (templates/lock). Nothing is written without digests unless it was asked for.
 */
import { spawn } from 'node:child_process'
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path'
import { canonicalJson } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { type Digest, sha256 } from '../../core/digest.ts'
import { failed, type MlopsError, usage } from '../../core/errors.ts'
import { redactText } from '../../core/redact.ts'
import { templateFolder } from '../../tracking/execute/client-path.ts'
import { isRequirement, packageName } from './packages.ts'

export interface LockRequest {
  readonly roots: readonly string[]
  /** `name==version`, as the run recorded them. */
  readonly lock: readonly string[]
  /** `3.11` */
  readonly python: string
  /** Programs to try, the first that is a Python of that version with a pip. */
  readonly interpreters: readonly string[]
}

interface Locked {
  readonly platform: string
  readonly python: string
  readonly packages: readonly { readonly name: string; readonly version: string; readonly hashes: readonly string[] }[]
}

interface Refused {
  readonly python: string
  readonly problem: 'pip' | 'resolve' | 'index'
  readonly message: string
}

/** What a lock is made of: the same, and the last one is still right. */
export const lockKey = (roots: readonly string[], lock: Digest | undefined, python: string | null): Digest =>
  sha256(canonicalJson({ format: 1, roots, lock: lock ?? null, python }))

/** @throws failed `REQUIREMENTS_NOT_LOCKED`, usage `PYTHON_NOT_FOUND` */
export async function lockedRequirements(ctx: Context, request: LockRequest): Promise<string> {
  ctx.progress?.('Locking the requirements with pip')
  const tried: string[] = []
  for (const program of request.interpreters) {
    const answer = await askPip(ctx, program, request)
    if (answer === undefined) continue
    const minor = answer.python.split('.').slice(0, 2).join('.')
    if (minor !== request.python) tried.push(`${program} is Python ${minor}`)
    else if (!('problem' in answer)) return textOf(answer)
    else if (answer.problem === 'pip') tried.push(answer.message)
    else throw notLocked(answer)
  }
  throw usage({
    code: 'PYTHON_NOT_FOUND',
    message: `The requirements are locked by pip of Python ${request.python}, with which the model was trained, and there is none here${tried.length === 0 ? '' : `: ${tried.slice(0, 4).join('; ')}`}.`,
    hint: `Name one: --python /path/to/python${request.python} (or write them without digests: --unlocked)`,
  })
}

const notLocked = ({ problem, message }: Refused): MlopsError =>
  failed({
    code: 'REQUIREMENTS_NOT_LOCKED',
    message:
      problem === 'resolve'
        ? `pip finds no set of packages that fits both the training run and the service, or could not reach its index: ${redactText(message)}`
        : `The digests of the packages could not be read: ${redactText(message)}`,
    hint: 'Try again with the package index in reach, or write requirements without digests: --unlocked',
  })

const SLOWEST = 15 * 60_000

/** @returns undefined for what is no Python at all */
async function askPip(
  ctx: Context,
  program: string,
  { roots, lock }: LockRequest,
): Promise<Locked | Refused | undefined> {
  const folder = templateFolder('lock')
  if (folder === undefined)
    throw failed({
      code: 'TEMPLATES_MISSING',
      message: 'This installation of mlops is incomplete: templates/lock is not there.',
      hint: 'Install it again: npm install -g mlops',
    })
  const input = JSON.stringify({ roots, constraints: lock.filter(isRequirement) })
  const { signal } = ctx
  const text = await new Promise<string | undefined>((answer) => {
    const child = spawn(program, [join(folder, 'lock_requirements.py')], {
      cwd: ctx.cwd,
      env: { ...ctx.env },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: SLOWEST,
      windowsHide: true,
      ...(signal === undefined ? {} : { signal }),
    })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('error', () => answer(undefined))
    child.on('close', (code) => answer(code === 0 ? Buffer.concat(pieces).toString('utf8') : undefined))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
  signal?.throwIfAborted()
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Locked | Refused
  } catch {
    return undefined
  }
}

/** Pythons that may do: the one that was named, that of the run, those of the path. */
export function interpreters(
  ctx: Context,
  named: string | undefined,
  ofRun: string | undefined,
  python: string,
): string[] {
  if (named !== undefined) return [/[\\/]/.test(named) ? resolve(ctx.cwd, named) : named]
  // A record is somebody's word: only what is called like a Python is started.
  const recorded = ofRun !== undefined && isAbsolute(ofRun) && /^(?:python|pypy)[\d.]*(?:\.exe)?$/.test(basename(ofRun))
  const names = [`python${python}`, 'python3', 'python']
  const virtual = ctx.env.VIRTUAL_ENV
  return [
    ...(recorded && ofRun !== undefined ? [ofRun] : []),
    ...(virtual === undefined ? [] : [join(virtual, process.platform === 'win32' ? 'Scripts' : 'bin', 'python')]),
    ...((ctx.env.PATH ?? '').split(delimiter).length > 0 ? names : []),
  ]
}

function textOf({ platform, python, packages }: Locked): string {
  const minor = python.split('.').slice(0, 2).join('.')
  const lines = packages.map(({ name, version, hashes }) =>
    [`${name}==${version}`, ...hashes.map((hash) => `    --hash=${hash}`)].join(' \\\n'),
  )
  return `# Every package with the digests of its files: what the model was trained with, and what the service needs. Resolved for
# Python ${minor} on ${platform}. Install: pip install --require-hashes -r requirements.txt
# Generated by mlops; to resolve anew: mlops scaffold fastapi --relock
${lines.join('\n')}
`
}

/** Without digests, because a person asked for that. Versions of the run where it recorded any. */
export function unlockedRequirements(roots: readonly string[], lock: readonly string[] | undefined): string {
  const recorded = new Map(lock?.filter(isRequirement).map((line) => [packageName(line), line]))
  const lines = roots.map((root) => recorded.get(packageName(root)) ?? root)
  return `# NOT LOCKED: no digests, and what these packages need themselves is not named. Another day other files are installed.
# To lock: mlops scaffold fastapi --relock
${lines.join('\n')}
`
}
