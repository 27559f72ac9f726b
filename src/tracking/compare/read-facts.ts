/** Reads what is known of a run from the store. A damaged or missing object is told in its place and never thrown. */
import type { Context } from '../../core/context.ts'
import type { EnvironmentRecord, PythonFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { showRun } from '../records/run-summary.ts'
import type { PackageFacts, RunFacts } from './facts.ts'
import { packagesOfEnvironment, packagesOfLock } from './package-facts.ts'

/** @param id a whole id. Throws as `showRun` does. */
export async function readFacts(ctx: Context, store: Store, id: string): Promise<RunFacts> {
  const [run, { start }] = await Promise.all([showRun(ctx, store, id), store.runs.read(id)])
  const python = run.python ?? null
  const { environment, packages } = await readEnvironment(store, python)
  const test = run.evidence.findLast((each) => each.kind === 'test')
  return {
    run: run.run,
    status: run.status,
    model: run.model,
    command: run.command,
    cwd: run.cwd,
    git: run.git ?? null,
    python,
    environment,
    packages,
    env: run.env,
    host: run.host,
    seed: run.seed,
    seedFrom: start.seedFrom ?? null,
    data: run.data,
    params: run.params,
    metrics: run.metrics,
    testRows: test?.rowsDigest ?? null,
    tags: run.tags,
    artifacts: run.artifacts,
    started: run.started,
    duration: run.duration,
    exit: run.exit,
    signal: run.signal,
    resources: run.resources ?? null,
    actor: run.actor.name,
    source: run.source,
    tool: run.tool,
    parent: run.parent,
  }
}

async function readEnvironment(
  store: Store,
  python: PythonFacts | null,
): Promise<{ readonly environment: EnvironmentRecord | null; readonly packages: PackageFacts }> {
  const nothing = (why: string) => ({ environment: null, packages: { known: false, why } as const })
  if (python === null) return nothing('no Python was recorded')
  const problems: string[] = []
  const attempt = <T>(reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error: unknown) => {
      problems.push(error instanceof Error ? error.message : String(error))
      return undefined
    })
  if (python.environment !== undefined) {
    const environment = await attempt(store.objects.readJson<EnvironmentRecord>(python.environment.sha256))
    if (environment !== undefined) return { environment, packages: packagesOfEnvironment(environment) }
  }
  if (python.lock !== undefined) {
    const lock = await attempt(store.objects.read(python.lock.sha256))
    if (lock !== undefined) return { environment: null, packages: packagesOfLock(lock.toString('utf8')) }
  }
  return nothing(problems[0] ?? 'no package lock was recorded')
}
