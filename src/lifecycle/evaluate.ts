/**
 * Runs the evaluation command of a version on a data file: what it measures, on which rows, is decided elsewhere. With
 * external gate checks the only code of the lifecycle that runs something; it never loads a model file itself.
 *
 * `{model}` becomes the one file of the version, or the folder of its files when there are several; `{data}` becomes
 * the data. What the command prints as `key: value` or JSON lines is measured.
 */
import type { Context } from '../core/context.ts'
import type { Project } from '../project/config.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import type { Rescore } from './gate.ts'

export interface EvaluationRequest {
  readonly manifest: Manifest
  /** With `{model}` and `{data}`. */
  readonly command: string
  /** Absolute path of the rows. */
  readonly data: string
}

/** @throws whatever the store throws for damaged bytes of the version, and an abort of `ctx.signal` */
export async function runEvaluation(
  ctx: Context,
  project: Project,
  store: Store,
  { manifest, command, data }: EvaluationRequest,
): Promise<Rescore> {
  const { mkdtemp, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const folder = await mkdtemp(join(tmpdir(), 'mlops-evaluate-'))
  try {
    const model = await exportFiles(store, manifest, folder)
    const line = command.replaceAll('{model}', shellQuoted(model)).replaceAll('{data}', shellQuoted(data))
    return await measure(ctx, line, project.root, command)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function exportFiles(store: Store, manifest: Manifest, folder: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises')
  const { dirname, join } = await import('node:path')
  let last = folder
  for (const { path, sha256 } of manifest.files) {
    last = join(folder, ...path.split('/'))
    await mkdir(dirname(last), { recursive: true })
    await store.objects.exportTo(sha256, last)
  }
  return manifest.files.length === 1 ? last : folder
}

const ERROR_TAIL = 400

async function measure(ctx: Context, line: string, cwd: string, command: string): Promise<Rescore> {
  const { execa } = await import('execa')
  const { createLineScanner } = await import('../tracking/line-scanner.ts')
  const { readPrintedLine } = await import('../tracking/printed-values.ts')
  const metrics: Record<string, number> = {}
  const scanner = createLineScanner((text) => {
    for (const { key, value } of readPrintedLine(text).metrics) metrics[key] = value
  })
  // A run of the user's own must not take this measurement for a part of itself.
  const { MLOPS_RUN_ID: _, ...env } = ctx.env
  const child = execa(line, {
    cwd,
    env,
    extendEnv: false,
    shell: true,
    stdin: 'ignore',
    buffer: { stdout: false },
    reject: false,
    // A group of its own: what the shell started ends with it.
    detached: process.platform !== 'win32',
  })
  child.stdout.on('data', (chunk: Buffer) => scanner.feed(chunk))
  const { failed, exitCode, signal, stderr, originalMessage } = await endedBy(ctx.signal, child)
  scanner.end()
  if (failed) {
    const said = stderr.trim().split('\n').at(-1)?.slice(-ERROR_TAIL) ?? ''
    const end = exitCode ?? signal ?? originalMessage ?? 'an error'
    const reason = `the evaluate command "${command}" ended with ${end}${said === '' ? '' : `: ${said}`}`
    return { kind: 'impossible', reason }
  }
  if (Object.keys(metrics).length > 0) return { kind: 'measured', metrics }
  return { kind: 'impossible', reason: `the evaluate command "${command}" printed no metric ("auc: 0.91")` }
}

/** Until the child has ended; on an abort, or when this process ends before it, its whole group is killed. */
async function endedBy<T>(signal: AbortSignal | undefined, child: Promise<T> & { readonly pid?: number }): Promise<T> {
  const kill = (): void => killGroup(child.pid)
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      kill()
      // Not only when it has ended: a process that left the group may hold its output open for ever.
      reject(signal?.reason)
    }
  })
  signal?.addEventListener('abort', stop)
  process.once('exit', kill)
  try {
    if (signal?.aborted === true) stop()
    return await Promise.race([child, aborted])
  } finally {
    process.off('exit', kill)
    signal?.removeEventListener('abort', stop)
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const shellQuoted = (path: string): string =>
  process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", `'\\''`)}'`
