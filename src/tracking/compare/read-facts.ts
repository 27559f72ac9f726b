/** Reads what is known of a run from the store. A damaged or missing object is told in its place and never thrown. */
import type { Context } from '../../core/context.ts'
import type { EnvironmentRecord, PythonFacts, RunEnd, RunEvidence, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { tagsWith } from '../records/annotations.ts'
import { rowOf } from '../records/run-row.ts'
import type { PackageFacts, RunFacts } from './facts.ts'
import { packagesOfEnvironment, packagesOfLock } from './package-facts.ts'

/** @param id a whole id. @throws notFound `RUN_NOT_FOUND`; failed for a damaged record of the run itself */
export async function readFacts(ctx: Context, store: Store, id: string): Promise<RunFacts> {
  const folder = await store.runs.read(id)
  const { start, end } = folder
  const python = start.python ?? null
  const [row, { environment, packages }, evidence, said] = await Promise.all([
    rowOf(ctx, store, folder),
    readEnvironment(store, python),
    store.runs.evidence(id).catch((): RunEvidence[] => []),
    store.runs.annotations(id),
  ])
  return {
    ...factsOf(start, row, end),
    status: row.status,
    environment,
    packages,
    testRows: evidence.findLast((each) => each.kind === 'test')?.rowsDigest ?? null,
    tags: tagsWith(row.tags, said),
    duration: row.duration,
  }
}

/** What stands in the two records of a run, and in nothing that they name. `values`: of a run without an end, so far. */
export function factsOf(
  start: RunStart,
  values: Pick<RunEnd, 'params' | 'metrics' | 'tags' | 'artifacts'>,
  end: RunEnd | undefined,
): Omit<RunFacts, 'environment' | 'packages'> {
  return {
    run: start.id,
    status: end?.status ?? 'interrupted',
    model: start.model ?? null,
    command: start.command,
    cwd: start.cwd,
    git: start.git ?? null,
    python: start.python ?? null,
    env: start.env,
    host: start.host,
    seed: start.seed ?? null,
    seedFrom: start.seedFrom ?? null,
    data: start.data,
    params: values.params,
    metrics: values.metrics,
    testRows: null,
    tags: values.tags,
    artifacts: values.artifacts,
    started: start.started,
    duration: end?.duration ?? null,
    exit: end?.exit ?? null,
    signal: end?.signal ?? null,
    resources: end?.resources ?? null,
    actor: start.actor.name,
    source: start.source,
    tool: start.tool,
    parent: start.parent ?? null,
  }
}

export async function readEnvironment(
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
