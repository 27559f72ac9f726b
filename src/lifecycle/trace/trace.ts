/**
 * From one logged prediction to the version that answered, its run, code, data and people: the records that the rest of
 * the house keeps, put together. Reads only.
 */
import type { Context } from '../../core/context.ts'
import { isMlopsError, usage } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { findPrediction, type LookedAt, labelOf } from '../../predictions/find.ts'
import type { Project } from '../../project/config.ts'
import { describeDuration } from '../../project/duration.ts'
import { modelConfig } from '../../project/load.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import type { DeclaredData, RunEnd, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { loadVersion, type VersionDetail } from '../versions/version.ts'
import { checksAround } from './checks.ts'
import { heldAt, holdings } from './holdings.ts'
import { assertOneModel, logsToSearch, notLogged } from './logs.ts'
import { nextCommands } from './next.ts'
import { people } from './people.ts'
import { shownLabel, shownPrediction } from './shown.ts'
import type { LoggedPrediction, Trace, TracedCheck, TracedData, TracedVersion } from './types.ts'

export interface TraceRequest {
  /** The whole id. */
  readonly id: string
  /** Only its log. */
  readonly model?: string | undefined
}

/** Milliseconds by which clocks that are set may differ. */
const CLOCKS_DIFFER = 5_000

/** What a log keeps of an id at most (docs/prediction-log.md, section 2). */
const LONGEST_ID = 256

/**
 * @throws notFound `PREDICTION_NOT_FOUND`, `PREDICTION_REJECTED`, `MODEL_NOT_FOUND`; usage `PREDICTION_AMBIGUOUS`,
 *   `PREDICTION_ID_INVALID`; what a database answers
 */
export async function tracePrediction(
  ctx: Context,
  project: Project,
  store: Store,
  { id, model: only }: TraceRequest,
): Promise<Trace> {
  assertId(id)
  const logs = await logsToSearch(ctx, project, store, only)
  const found = await findPrediction(ctx, logs, id)
  const records = found.records
  assertOneModel(found, id)
  const record = records.at(-1)
  const log = logs.find(({ model }) => model === record?.model)
  if (record === undefined || log === undefined) throw notLogged(project, found, id)
  for (const line of unread(found.looked)) ctx.warn(line)
  const { model } = log
  const drop = modelConfig(project, model).predictions?.drop ?? []
  const shown = records.map((each) => shownPrediction(each, drop))
  const prediction = shown.at(-1) as LoggedPrediction
  const label = await labelOf(ctx, log, record)
  const problems: string[] = []
  const ahead = Date.parse(prediction.time) - ctx.now().getTime()
  if (ahead > CLOCKS_DIFFER) {
    problems.push(
      `Its time lies ${describeDuration(ahead)} in the future: the clock of the service, or of this machine, is wrong. What is said of that time may be, too.`,
    )
  }
  const state = await stateOf(store, model, problems)
  const version = state === undefined ? null : await versionBehind(store, state, prediction, problems)
  const checks = version === null ? [] : await checksOf(store, model, version.version, prediction.time, problems)
  const traced = {
    id,
    model,
    home: log.home.name,
    prediction,
    repeats: shown.slice(0, -1),
    rejected: found.rejected.filter((line) => line.model === model).map(({ place, why }) => ({ place, why })),
    label: label === undefined ? null : { value: shownLabel(label.value), time: label.time },
    version,
    checks,
    problems,
  }
  return { ...traced, next: nextCommands(traced) }
}

function assertId(id: string): void {
  if (/^@(?:last|best)\b/i.test(id)) {
    throw usage({
      code: 'PREDICTION_ID_INVALID',
      message: `${id} names a run, and what is traced is a prediction: one line of a log.`,
      hint: `Of a run: mlops run show ${id}. Ids of predictions: mlops predictions query MODEL "SELECT id, time FROM predictions"`,
    })
  }
  if (id.trim() !== '' && id.length <= LONGEST_ID) return
  throw usage({
    code: 'PREDICTION_ID_INVALID',
    message: `An id of a prediction has 1 to ${LONGEST_ID} characters, and this one ${id.trim() === '' ? 'is empty' : `has ${id.length}`}.`,
    hint: 'The service answers with it ("id"); see some: mlops predictions query MODEL "SELECT id, time FROM predictions"',
  })
}

const unread = (looked: readonly LookedAt[]): string[] => looked.flatMap((log) => log.unread)

/** What the log says stands, also where the store cannot say more. */
async function stateOf(store: Store, model: string, problems: string[]): Promise<ModelState | undefined> {
  try {
    const state = await store.models.stateOrEmpty(model)
    if (state.versions.length > 0) return state
    problems.push(
      `This store knows no version of ${model}: its log may be that of another project, or its name mistyped.`,
    )
  } catch (error) {
    if (!isMlopsError(error)) throw error
    problems.push(error.message)
  }
  return undefined
}

async function versionBehind(
  store: Store,
  state: ModelState,
  { version: number, time }: LoggedPrediction,
  problems: string[],
): Promise<TracedVersion | null> {
  if (number === 0) {
    problems.push('The service did not say which version answered (version 0).')
    return null
  }
  const version = state.versions[number - 1]
  if (version === undefined) {
    const known = state.versions.length === 1 ? 'only @1' : `@1 to @${state.versions.length}`
    problems.push(
      `${versionName(state.model, number)} is not in this store, which has ${known}: another store, or one that is behind, served it.`,
    )
    return null
  }
  if (version.registered.time > time) {
    problems.push(
      `${versionName(state.model, number)} was registered here after this prediction was answered: another store served it, or a clock is wrong.`,
    )
  }
  try {
    const detail = await loadVersion(store, state, version)
    problems.push(...detail.problems)
    return await tracedVersion(store, state, version, detail, time)
  } catch (error) {
    if (!isMlopsError(error)) throw error
    problems.push(error.message)
    return null
  }
}

async function tracedVersion(
  store: Store,
  state: ModelState,
  version: VersionState,
  detail: VersionDetail,
  time: string,
): Promise<TracedVersion> {
  return {
    version: version.version,
    manifest: detail.manifest,
    registered: { time: detail.registered.time, by: detail.registered.by },
    tags: detail.tags,
    stages: detail.stages,
    holdings: holdings(state, version.version, time),
    heldThen: heldAt(state, time),
    files: detail.files.map(({ path, sha256, size }) => ({ path, sha256, size })),
    metrics: detail.metrics,
    params: detail.params,
    run: detail.run,
    code: detail.code,
    python: detail.python,
    data: await dataBehind(store, version, detail),
    people: people(state, version.version, detail.run, time),
  }
}

/** What the manifest says of the data, with what the run knew of it besides. */
async function dataBehind(store: Store, version: VersionState, detail: VersionDetail): Promise<TracedData[]> {
  const declared = await declaredData(store, version)
  const facts = detail.baseline === null ? detail.data : [...detail.data, { ...detail.baseline.data, name: 'baseline' }]
  return facts.map((fact) => {
    const source = declared.find(({ sha256 }) => sha256 === fact.sha256)
    return {
      name: fact.name,
      sha256: fact.sha256,
      rows: fact.rows ?? source?.rows ?? null,
      columns: fact.columns ?? source?.columns ?? null,
      path: source?.path ?? null,
      files: source?.files ?? null,
      snapshot: source?.snapshot === true,
      dvc: source?.dvc ?? null,
    }
  })
}

/** From the pinned records; a lost one is said by `loadVersion`. */
async function declaredData(store: Store, { run }: VersionState): Promise<readonly DeclaredData[]> {
  try {
    const end = run?.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
    if (end?.late?.data !== undefined) return end.late.data
    return run === undefined ? [] : ((await store.objects.readJson<RunStart>(run.run.sha256)).data ?? [])
  } catch (error) {
    if (!isMlopsError(error)) throw error
    return []
  }
}

async function checksOf(
  store: Store,
  model: string,
  version: number,
  time: string,
  problems: string[],
): Promise<TracedCheck[]> {
  try {
    return await checksAround(store, model, version, time)
  } catch (error) {
    if (!isMlopsError(error)) throw error
    problems.push(error.message)
    return []
  }
}
