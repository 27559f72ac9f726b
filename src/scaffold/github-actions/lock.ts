/**
 * The npm lock of the runners: mlops and everything it needs, with digests. npm itself resolves it, once; it is made
 * again when another mlops is asked for.
 */
import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { redactText } from '../../core/redact.ts'

const SLOWEST = 120_000
const WORDS = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

export type NpmLock = { readonly text: string } | { readonly problem: string }

export interface LockRequest {
  /** The text of package.json. */
  readonly manifest: string
  /** What it asks for. */
  readonly spec: string
  /** Absolute: the folder that a `file:` of it is relative to. */
  readonly at: string
  /** What must come out: a package of the same name may be somebody else's. */
  readonly version: string
}

export async function npmLock(ctx: Context, { manifest, spec, at, version }: LockRequest): Promise<NpmLock> {
  const folder = await mkdtemp(join(tmpdir(), 'mlops-lock-'))
  try {
    await writeFile(join(folder, 'package.json'), manifest)
    if (spec.startsWith('file:')) {
      const name = /^file:(?:\.\/)?([\w.-]+\.tgz)$/.exec(spec)?.[1]
      if (name === undefined) return { problem: `${spec} is no packed program beside it (file:NAME.tgz)` }
      const copied = await copyFile(join(at, name), join(folder, name)).catch((error: unknown) => ({ error }))
      if (copied !== undefined) return { problem: `there is no ${join(at, name)}` }
    }
    // Which registry it came from is a setting of whoever installs it; the digests decide.
    const said = await npm(ctx, folder, [...WORDS, '--omit-lockfile-registry-resolved'])
    if (said !== undefined) return { problem: said }
    const text = await readFile(join(folder, 'package-lock.json'), 'utf8')
    const problem = otherProgram(text, version)
    return problem === undefined ? { text } : { problem }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Pure: why what was locked is not this program. */
export function otherProgram(lock: string, version: string): string | undefined {
  const { packages = {} } = JSON.parse(lock) as {
    packages?: Record<string, { version?: string; bin?: Record<string, string> }>
  }
  const found = packages['node_modules/mlops']
  if (found === undefined) return 'npm found no package for it'
  if (found.version === version && found.bin?.mlops === 'bin/run.js') return undefined
  return `the registry's mlops ${found.version ?? ''} is another program than this one`
}

/** @returns what went wrong */
async function npm(ctx: Context, cwd: string, words: readonly string[]): Promise<string | undefined> {
  const { signal } = ctx
  const problem = await new Promise<string | undefined>((answer) => {
    const child = spawn('npm', [...words], {
      cwd,
      env: { ...ctx.env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: SLOWEST,
      shell: process.platform === 'win32',
      ...(signal === undefined ? {} : { signal }),
    })
    const pieces: Buffer[] = []
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('error', () => answer('npm could not be run'))
    child.on('close', (code) => answer(code === 0 ? undefined : reasonOf(Buffer.concat(pieces).toString('utf8'), code)))
  })
  signal?.throwIfAborted()
  return problem
}

/** Pure: the one line of npm that says why. Addresses may hold passwords. */
export function reasonOf(output: string, code: number | null): string {
  const lines = output.split('\n').flatMap((line) => /^npm (?:error|ERR!) (.*\S)/.exec(line)?.[1] ?? [])
  const line = lines.find((each) => !/^(?:code|errno|syscall|A complete|command|path) /.test(each)) ?? lines[0]
  const words = redactText((line ?? '').replace(/\w+:\/\/\S+/g, '<address>')).slice(0, 200)
  return words === '' ? `npm ended with ${code ?? 'a signal'}` : `npm says: ${words}`
}
