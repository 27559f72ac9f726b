/** What the workflows of one model are made from: where its predictions are, what retrains it, how it was trained. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isMlopsError, usage } from '../../core/errors.ts'
import { loadVersion } from '../../lifecycle/versions/version.ts'
import { modelConfig } from '../../project/load.ts'
import { loadPolicy, type Policy, policyFiles } from '../../project/policy.ts'
import type { Store } from '../../store/store.ts'
import { type GenerateRequest, listOption, textOption, type World } from '../generators.ts'
import { cronOf, SCHEDULES } from './schedule.ts'
import { type Secret, secretsOf } from './secrets.ts'

export interface ModelFacts {
  readonly name: string
  readonly cron: string
  /** What is checked; '': the prediction log, in PostgreSQL. */
  readonly current: string
  readonly secrets: readonly Secret[]
  /** Channels are configured: `1`, else ''. */
  readonly alert: string
  /** Relative to the project; ''. */
  readonly policy: string
  /** The workflow that the policy dispatches. */
  readonly workflow: string | undefined
  readonly stage: string
  readonly inputs: readonly Input[]
  /** `3.12`: what it was trained with, unless another one was asked for. */
  readonly pythonVersion: string
  /** NAME=PATH */
  readonly data: readonly string[]
  /** Paths of it that are not in git: a runner does not have them. */
  readonly elsewhere: readonly string[]
  /** Words. */
  readonly train: readonly string[]
}

export interface Input {
  readonly name: string
  readonly value: string
  /** In the environment of the training. */
  readonly variable: string
}

export async function modelFacts(
  world: World,
  request: GenerateRequest,
  name: string,
  python: string,
): Promise<ModelFacts> {
  const { project } = world
  const config = modelConfig(project, name)
  const policy = await policyOf(world, name)
  const job = policy?.job
  const log = predictionsOf(request, name, config.predictions?.at)
  const schedule = SCHEDULES.find((each) => each === textOption(request, 'schedule')) ?? 'daily'
  const data = await dataOf(world, request, name)
  return {
    name,
    cron: cronOf(name, schedule),
    current: log.current,
    secrets: secretsOf([...config.notify, ...(policy?.notifyOnFail ?? []), ...(policy?.notifyOnPass ?? [])], log),
    alert: config.notify.length > 0 ? '1' : '',
    policy: policy?.file ?? '',
    workflow: job?.type === 'github_actions' ? workflowName(job.workflow, policy?.file ?? '') : undefined,
    stage: policy?.promoteOnPass ?? 'staging',
    inputs: job?.type === 'github_actions' ? inputsOf(job.inputs) : [],
    data,
    elsewhere: await notInGit(
      world,
      data.map((each) => each.slice(each.indexOf('=') + 1)),
    ),
    pythonVersion: textOption(request, 'python') ?? (await pythonOf(world, request, name)) ?? python,
    train: trainWords((job?.type === 'command' ? job.command : undefined) ?? config.train ?? 'python train.py'),
  }
}

/** The policy whose model it is; its file as seen from the project. */
async function policyOf({ project }: World, model: string): Promise<Policy | undefined> {
  for (const file of policyFiles(project.root)) {
    const policy = await loadPolicy(file, { cwd: project.root, stages: project.config.stages })
    if (policy.model === model) return policy
  }
  return undefined
}

/** @throws usage `PREDICTIONS_NOT_REACHED`, `CURRENT_HOLDS_SECRET` */
function predictionsOf(
  request: GenerateRequest,
  model: string,
  at: string | undefined,
): { readonly current: string; readonly isPostgres: boolean; readonly predictions: 'config' | 'secret' } {
  const current = textOption(request, 'current')?.replaceAll('{model}', model)
  if (current !== undefined) {
    if (/^[a-z]+:\/\/[^/@]*:[^/@]*@/i.test(current)) throw holdsSecret()
    return { current, isPostgres: /^postgres(?:ql)?:/i.test(current), predictions: 'config' }
  }
  if (textOption(request, 'predictions') === 'secret') return { current: '', isPostgres: false, predictions: 'secret' }
  if (at !== undefined && /^postgres(?:ql)?:/i.test(at)) return { current: '', isPostgres: true, predictions: 'config' }
  throw usage({
    code: 'PREDICTIONS_NOT_REACHED',
    message: `A runner does not see the prediction log of ${model}: it is ${at === undefined ? 'in the store, which carries no predictions' : `at ${at}`}.`,
    hint: 'Log to PostgreSQL (predictions: postgres://… in mlops.yaml, or --predictions secret), or say where the data is: --current LOCATION',
    details: { model, predictions: at ?? null },
  })
}

const holdsSecret = () =>
  usage({
    code: 'CURRENT_HOLDS_SECRET',
    message: 'The address given with --current holds a password, which would stand in a committed file.',
    hint: 'Leave it out; the workflow gives PGPASSWORD from the secret MLOPS_PGPASSWORD',
  })

/** @throws usage `WORKFLOW_NAME_INVALID`: the name becomes that of a file */
function workflowName(name: string, policy: string): string {
  if (/^[\w-][\w.-]*\.ya?ml$/.test(name)) return name
  throw usage({
    code: 'WORKFLOW_NAME_INVALID',
    message: `${policy} names the workflow ${JSON.stringify(name)}, which is no plain file name that ends with .yml.`,
    hint: 'Write for example  workflow: retrain.yml  under job',
  })
}

/** Names that GitHub takes for inputs; what it would not take its own check of the policy refuses. */
const inputsOf = (inputs: Readonly<Record<string, string>>): Input[] =>
  Object.entries(inputs)
    .filter(([name]) => /^[A-Za-z_][\w-]*$/.test(name) && !['correlation_id', 'model', 'reason'].includes(name))
    .map(([name, value]) => ({
      name,
      // GitHub takes no expression in a default, not even one of text alone; the policy sends the value anyway.
      value: value.includes('${{') ? '' : value,
      variable: `INPUT_${name.toUpperCase().replaceAll('-', '_')}`,
    }))

/**
 * What the newest run of the model declared: for the beginning of a script that is a person's own, so once, and not where
 * the store cannot be opened.
 */
async function dataOf(world: World, request: GenerateRequest, model: string): Promise<readonly string[]> {
  if (listOption({ ...request, options: {} }, 'covered').includes(model)) return []
  try {
    return await declaredData(await world.openStore(), model)
  } catch (error) {
    if (isMlopsError(error)) return []
    throw error
  }
}

/** The minor version that the run of the version in production recorded, else of the newest; else that of last time. */
async function pythonOf(world: World, request: GenerateRequest, model: string): Promise<string | undefined> {
  const before = request.previous?.pythons
  const last = typeof before === 'object' && before !== null ? (before as Record<string, unknown>)[model] : undefined
  try {
    const store = await world.openStore()
    if (!(await store.models.list()).includes(model)) return undefined
    const state = await store.models.state(model)
    const inStage = state.versions.filter(({ version }) => version === state.stages.production?.version)
    for (const each of [...inStage, ...state.versions.toReversed()]) {
      const minor = /^3\.\d{1,2}/.exec((await loadVersion(store, state, each)).python?.version ?? '')?.[0]
      if (minor !== undefined) return minor
    }
    return undefined
  } catch (error) {
    if (isMlopsError(error)) return typeof last === 'string' && /^3\.\d{1,2}$/.test(last) ? last : undefined
    throw error
  }
}

/** Those that no clone of the repository has. */
async function notInGit({ ctx, project }: World, paths: readonly string[]): Promise<readonly string[]> {
  const env = Object.fromEntries(Object.entries(ctx.env).filter(([name]) => !name.startsWith('GIT_')))
  const isThere = async (path: string): Promise<boolean> =>
    await promisify(execFile)('git', ['ls-files', '--error-unmatch', '--', path], { cwd: project.root, env }).then(
      () => true,
      () => false,
    )
  const found: string[] = []
  for (const path of paths) if (!(await isThere(path))) found.push(path)
  return found
}

async function declaredData(store: Store, model: string): Promise<readonly string[]> {
  if (!(await store.models.list()).includes(model)) return []
  const { versions } = await store.models.state(model)
  const run = versions.findLast((each) => each.run !== undefined)?.run?.id
  if (run === undefined) return []
  const folder = await store.runs.read(run).catch(() => undefined)
  return (folder?.start.data ?? []).map(({ name, path }) => `${name}=${path}`)
}

/** Plain words are words; anything that only a shell understands goes to one. */
const trainWords = (line: string): readonly string[] =>
  /^[\w@%+:,./ =-]+$/.test(line) && !/^\S*=/.test(line) ? line.trim().split(/ +/) : ['sh', '-c', line]
