/** The run behind a version: found, checked, and read into what a manifest takes from it. */

import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed, isMlopsError, type MlopsError, notFound } from '../../core/errors.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { DataFact } from '../../store/manifest.ts'
import type { DeclaredData, Intent, ParamValue, RunEnd, RunEvidence, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { resolveRun } from '../../tracking/records/resolve-run.ts'
import { firstTrack } from '../status/first-run.ts'
import { artifactsOfRun, type Candidate } from './artifacts.ts'

export type RegisterIntent = Extract<Intent, { kind: 'register' }>
export type LoggedTest = Extract<RunEvidence, { kind: 'test' }>
export type LoggedExamples = Extract<RunEvidence, { kind: 'examples' }>

export interface RunSource {
  readonly id: string
  /** Absolute folder the command ran in. */
  readonly cwd: string
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly data: readonly DeclaredData[]
  readonly files: readonly Candidate[]
  /** What the script asked for with `run.register(…)`, for this model. */
  readonly intent: RegisterIntent | undefined
  /** The last that the script logged with `run.log_test(…)` and `run.log_examples(…)`. */
  readonly test: LoggedTest | undefined
  readonly examples: LoggedExamples | undefined
  readonly notes: readonly string[]
}

export interface RunChoice {
  readonly model: string
  readonly run: string
  readonly artifacts: readonly string[] | undefined
  readonly force: boolean
  readonly useIntent: boolean
}

/**
 * @throws notFound `RUN_NOT_FOUND`, `ARTIFACT_NOT_FOUND`; failed `RUN_NOT_FINISHED`, `RUN_STILL_RUNNING` unless forced
 */
export async function readRun(ctx: Context, project: Project, store: Store, choice: RunChoice): Promise<RunSource> {
  const id = await runOf(ctx, project, store, choice)
  const { start, end } = await store.runs.read(id)
  const notes: string[] = []
  if (end === undefined || end.status !== 'finished') {
    if (!choice.force) throw notWellEnded(choice.model, id, end)
    ctx.warn(`run ${id} ${endedHow(end)}; registered because of --force`)
  }
  const trackedFor = end?.model ?? start.model
  if (trackedFor !== undefined && trackedFor !== choice.model) {
    ctx.warn(`run ${id} was tracked for ${trackedFor}, and is registered for ${choice.model}`)
  }
  const cwd = resolve(project.root, start.cwd)
  const files = await filesOf(project, store, { id, start, end, cwd, choice, notes })
  const intents = choice.useIntent ? await store.runs.intents(id) : []
  const evidence = await store.runs.evidence(id)
  const isOurs = (intent: Intent): intent is RegisterIntent =>
    intent.kind === 'register' && intent.model === choice.model
  return {
    id,
    cwd,
    metrics: end?.metrics ?? {},
    params: end?.params ?? start.params,
    data: start.data,
    files,
    intent: intents.filter(isOurs).at(-1),
    test: evidence.filter((each): each is LoggedTest => each.kind === 'test').at(-1),
    examples: evidence.filter((each): each is LoggedExamples => each.kind === 'examples').at(-1),
    notes,
  }
}

/** In an empty store the command to make a run is that of the project, where it says so. */
async function runOf(ctx: Context, project: Project, store: Store, { run, model }: RunChoice): Promise<string> {
  try {
    // The best run of another model is never what is meant; the newest is, and what it was tracked for is said.
    return await resolveRun(ctx, store, run, run.startsWith('@best') ? { model, orNone: true } : {})
  } catch (error) {
    if (!isMlopsError(error) || error.code !== 'RUN_NOT_FOUND' || run !== '@last') throw error
    const { message, code } = error
    throw notFound({ code, message, hint: `Make one: ${firstTrack(project, model)}` })
  }
}

export const dataFact = ({ name, sha256, rows, columns }: DeclaredData): DataFact => ({
  name,
  sha256,
  ...(rows === undefined ? {} : { rows }),
  ...(columns === undefined ? {} : { columns }),
})

interface FilesRequest {
  readonly id: string
  readonly start: RunStart
  readonly end: RunEnd | undefined
  readonly cwd: string
  readonly choice: RunChoice
  readonly notes: string[]
}

async function filesOf(project: Project, store: Store, request: FilesRequest): Promise<readonly Candidate[]> {
  const { id, end, cwd, choice, notes } = request
  // A run that never ended has no folded list; its lines are all there is.
  const recorded = end?.artifacts ?? (await store.runs.stream(id, 'artifacts'))
  if (choice.artifacts !== undefined && choice.artifacts.length > 0) {
    const named = artifactsOfRun(recorded, choice.artifacts)
    if (named.length === 0) throw noSuchArtifact(choice, id, recorded)
    return named
  }
  const pattern = modelConfig(project, choice.model).artifact
  const files = artifactsOfRun(recorded, pattern === undefined ? undefined : patternsIn(project, cwd, pattern))
  if (files.length > 0) return files
  const others = recorded.map(({ path }) => path)
  notes.push(
    pattern === undefined || others.length === 0
      ? 'no artifact: the run recorded no file, so this version cannot enter production'
      : `no artifact: the run recorded ${listed(others)}, and none matches artifact: ${pattern} of mlops.yaml, so this version cannot enter production`,
  )
  return []
}

/** The configured pattern is relative to the project; recorded paths are relative to the run's folder. */
function patternsIn(project: Project, cwd: string, pattern: string): string[] {
  const there = relative(cwd, resolve(project.root, pattern)).split(sep).join('/')
  return [isAbsolute(there) ? there.slice(1) : there.replace(/^(?:\.\.\/)+/, '')]
}

function noSuchArtifact(choice: RunChoice, id: string, recorded: readonly { path: string }[]): MlopsError {
  const names = recorded.map(({ path }) => path)
  return notFound({
    code: 'ARTIFACT_NOT_FOUND',
    message:
      names.length === 0
        ? `Run ${id} recorded no artifact, so ${listed(choice.artifacts ?? [])} is none of them.`
        : `Run ${id} recorded ${listed(names)}; ${listed(choice.artifacts ?? [])} is none of them.`,
    hint: `To register a file that lies on disk, leave --run out: mlops register ${choice.model} --artifact PATH`,
    details: { run: id, artifacts: names.slice(0, 50) },
  })
}

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

function notWellEnded(model: string, id: string, end: RunEnd | undefined): MlopsError {
  const anyway = `register it anyway: mlops register ${model} --run ${id} --force`
  return failed({
    code: end === undefined ? 'RUN_STILL_RUNNING' : 'RUN_NOT_FINISHED',
    message: `Run ${id} ${endedHow(end)}, so its files may be half done; nothing was registered.`,
    hint:
      end === undefined
        ? `Wait for its end, or ${anyway}`
        : `See what happened: mlops run show ${id}. If its files are good, ${anyway}`,
    details: { run: id, status: end?.status ?? 'running', exit: end?.exit ?? null, signal: end?.signal ?? null },
  })
}

function endedHow(end: RunEnd | undefined): string {
  if (end === undefined) return 'has not ended: it is still running, or was killed'
  if (end.status === 'interrupted') return 'was interrupted'
  if (end.signal !== null) return `failed (${end.signal})`
  return end.exit === null ? 'failed' : `failed (exit ${end.exit})`
}
