/**
 * Measures the champion anew on the challenger's test set, by the evaluation command that was recorded at register or
 * stands in mlops.yaml. The only code of the lifecycle that runs something; it never loads a model file itself.
 *
 * `{model}` becomes the one file of the version, or the folder of its files when there are several; `{data}` becomes
 * the test set, whose hash must be the recorded one. What the command prints as `key: value` or JSON lines is measured.
 */
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { MlopsError } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import type { Manifest } from '../store/manifest.ts'
import type { DeclaredData, RunEnd, RunStart } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import { testHash } from './compare.ts'
import type { Champion, Rescore, VersionFacts } from './gate.ts'
import { metricOf } from './metrics.ts'

export interface RescoreRequest {
  readonly champion: Champion
  readonly challenger: VersionFacts
  /** `evaluate:` of mlops.yaml; the commands recorded with the versions come first. */
  readonly evaluate: string | undefined
  /** `--test DATA`, relative to the user's folder. */
  readonly test: string | undefined
}

/** Is there a question that recorded metrics cannot answer? */
export function needsRescore(champion: VersionFacts, challenger: VersionFacts, metrics: readonly string[]): boolean {
  if (champion.digest === challenger.digest || metrics.length === 0) return false
  const ours = testHash(challenger.manifest)
  if (ours === undefined) return false
  const unmeasured = metrics.some((name) => !Number.isFinite(metricOf(champion.manifest.metrics, name)))
  return unmeasured || ours !== testHash(champion.manifest)
}

/**
 * @returns undefined when no evaluation command is known, so that the gate can say how to give one
 * @throws whatever the store throws for damaged bytes of the champion
 */
export async function rescore(
  ctx: Context,
  project: Project,
  store: Store,
  request: RescoreRequest,
): Promise<Rescore | undefined> {
  const { champion, challenger } = request
  const command = challenger.manifest.evaluate ?? champion.manifest.evaluate ?? request.evaluate
  const wanted = testHash(challenger.manifest)
  if (command === undefined || wanted === undefined) return undefined
  if (champion.manifest.files.length === 0) return { kind: 'impossible', reason: 'the champion has no files to score' }
  const data = await findTestData(ctx, project, store, challenger, wanted, request.test)
  if ('reason' in data) return { kind: 'impossible', reason: data.reason }

  const { mkdtemp, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const folder = await mkdtemp(join(tmpdir(), 'mlops-evaluate-'))
  try {
    const model = await exportFiles(store, champion.manifest, folder)
    ctx.progress?.(`scoring ${champion.model}@${champion.version} on the test set of @${challenger.version}`)
    const line = command.replaceAll('{model}', shellQuoted(model)).replaceAll('{data}', shellQuoted(data.path))
    return await measure(ctx, line, project.root, command)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The file whose hash the challenger recorded: named by the user, else where the run declared it. */
async function findTestData(
  ctx: Context,
  project: Project,
  store: Store,
  challenger: VersionFacts,
  wanted: Digest,
  named: string | undefined,
): Promise<{ readonly path: string } | { readonly reason: string }> {
  const { resolve } = await import('node:path')
  const declared = named === undefined ? await declaredPaths(store, challenger, wanted) : []
  const paths = named === undefined ? declared.map((path) => resolve(project.root, path)) : [resolve(ctx.cwd, named)]
  if (paths.length === 0) return { reason: 'pass the test set of this version: --test DATA' }
  const { hashDeclaredData } = await import('../tracking/declared-data.ts')
  const reasons: string[] = []
  for (const path of paths) {
    ctx.progress?.(`hashing ${path}`)
    try {
      const found = await hashDeclaredData({ name: 'test', path }, ctx.cwd, ctx.signal)
      if (found.sha256 === wanted) return { path }
      reasons.push(`${path} is not the test set of this version any more (its hash differs)`)
    } catch (error) {
      ctx.signal?.throwIfAborted()
      // Gone or unreadable: the next place may have it.
      reasons.push(error instanceof MlopsError ? error.message : `${path} cannot be read`)
    }
  }
  return { reason: `${reasons.join('; ')}; pass the test set of this version: --test DATA` }
}

/** Paths under which the run declared data of this hash, relative to the project. */
async function declaredPaths(store: Store, { run }: VersionFacts, wanted: Digest): Promise<string[]> {
  if (run === undefined) return []
  const { join } = await import('node:path')
  const start = await store.objects.readJson<RunStart>(run.run.sha256)
  const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
  const declared: readonly DeclaredData[] = end?.late?.data ?? start.data
  return declared.filter(({ sha256 }) => sha256 === wanted).map(({ path }) => join(start.cwd, path))
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
    ...(ctx.signal === undefined ? {} : { cancelSignal: ctx.signal }),
  })
  child.stdout.on('data', (chunk: Buffer) => scanner.feed(chunk))
  const { failed, exitCode, signal, stderr, originalMessage } = await child
  ctx.signal?.throwIfAborted()
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

const shellQuoted = (path: string): string =>
  process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", `'\\''`)}'`
