/** `mlops scaffold github-actions`: from the project to workflows and the scripts they run. The texts are in templates/github-actions. */
import { existsSync, realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { sha256 } from '../../core/digest.ts'
import { usage } from '../../core/errors.ts'
import { assertName } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'
import { findGitTop } from '../../project/find.ts'
import { modelNotFound } from '../../store/commit-problems.ts'
import { templateFolder } from '../../tracking/execute/client-path.ts'
import { findScaffolds } from '../find.ts'
import { flagOption, type GenerateRequest, type Generator, listOption, textOption, type World } from '../generators.ts'
import { renderTemplates, renderText } from '../render.ts'
import type { GeneratedFile, Scaffold } from '../types.ts'
import { npmLock } from './lock.ts'
import { type ModelFacts, modelFacts } from './model.ts'
import { nextSteps, warningsOf } from './next.ts'
import { type Settings, settingsOf } from './settings.ts'

const WORKFLOWS = '.github/workflows'
const SCRIPTS = '.github/mlops'
const LOCK = `${SCRIPTS}/package-lock.json`

export const generator: Generator = {
  kind: 'github-actions',
  folder: '.',
  async generate(world, request): Promise<Scaffold> {
    const place = placeOf(world, request)
    const names = await modelsOf(world, request)
    const settings = settingsOf(world, request)
    const models: ModelFacts[] = []
    for (const name of names) models.push(await modelFacts(world, request, name, settings.pythonVersion))
    const requirements = await requirementsOf(world, request)
    const service = await serviceOf(world, request)
    const values = {
      ...settings,
      ...place,
      pythonVersion: await pythonOfTests(request, service, models, settings.pythonVersion),
      requirements: requirements.file,
      service,
      models,
    }
    const files = [...(await sharedFiles(values, settings)), ...(await perModel(values, models))]
    const manifest = files.find(({ path }) => path === `${SCRIPTS}/package.json`)?.content ?? ''
    const lock = await lockOf(world, request, manifest, settings)
    if (lock.file !== undefined) files.push(lock.file)
    assertOnce(files)
    return {
      kind: 'github-actions',
      answers: {
        ...answersOf(request),
        covered: names,
        lock: lock.key,
        // For runs that cannot open the store.
        pythons: Object.fromEntries(models.map(({ name, pythonVersion }) => [name, pythonVersion])),
      },
      files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
      next: nextSteps(settings, models, lock.file !== undefined),
      warnings: [
        ...warningsOf(world, request, models, requirements),
        ...(lock.problem === undefined ? [] : [unlockedProgram(lock.problem)]),
      ],
      unready: [
        ...(lock.problem === undefined ? [] : ['runners cannot install mlops']),
        ...(requirements.file === '' ? ['runners install no Python packages for the training'] : []),
      ],
    }
  },
}

/** Where the project is, seen from the folder that holds `.github`. @throws usage `FOLDER_NOT_TOP` */
function placeOf({ ctx, project }: World, { folder }: GenerateRequest): { readonly project: string } {
  const inside = relative(folder, project.root)
  const top = findGitTop(project.root)
  const isAbove = !inside.startsWith('..') && !isAbsolute(inside)
  if (isAbove && (top === undefined || real(top) === real(folder)))
    return { project: inside === '' ? '.' : inside.split(sep).join('/') }
  throw usage({
    code: 'FOLDER_NOT_TOP',
    message: `GitHub reads workflows at the top of a repository, and ${folder} is not that of ${project.root}.`,
    hint: `mlops scaffold github-actions --dir ${shellWord(relative(ctx.cwd, top ?? project.root) || '.')}`,
  })
}

/** As it is called without links on the way; a folder that is not there yet has no other name. */
const real = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

/** Those that are named, those of last time, those of mlops.yaml, those of the store. */
async function modelsOf(world: World, request: GenerateRequest): Promise<readonly string[]> {
  const named = listOption(request, 'models')
  const configured = Object.keys(world.project.config.models)
  const registered = async (): Promise<readonly string[]> => (await world.openStore()).models.list()
  const names = named.length > 0 ? named : configured.length > 0 ? configured : await registered()
  for (const name of names) {
    assertName('model', name)
    if (configured.includes(name)) continue
    const there = await registered()
    if (!there.includes(name)) throw modelNotFound(name, [...new Set([...there, ...configured])].sort())
  }
  if (names.length > 0) return [...new Set(names)].sort()
  throw usage({
    code: 'MODEL_MISSING',
    message: 'There is no model in mlops.yaml, and none in the store.',
    hint: 'Begin with one: mlops init --name MODEL',
  })
}

async function sharedFiles(
  values: Readonly<Record<string, unknown>>,
  { image }: Settings,
): Promise<readonly GeneratedFile[]> {
  const isWanted = (path: string): boolean => image !== '' || !/(?:mlops-image\.yml|\/image\.sh)$/.test(path)
  return await renderTemplates('github-actions', { values, only: isWanted, folder: join(texts(), 'shared') })
}

async function perModel(
  values: Readonly<Record<string, unknown>>,
  models: readonly ModelFacts[],
): Promise<GeneratedFile[]> {
  const files: GeneratedFile[] = []
  for (const model of models) {
    const { name, workflow } = model
    const of = { ...values, ...model, model: name }
    const add = async (template: string, path: string, more: Partial<GeneratedFile> = {}): Promise<void> => {
      const text = await readFile(join(texts(), 'model', template), 'utf8')
      files.push({ path, content: await renderText(text, path, of), care: 'kept in step', ...more })
    }
    await add('drift.yml.eta', `${WORKFLOWS}/mlops-drift-${name}.yml`)
    await add('retrain.yml.eta', `${WORKFLOWS}/${workflow ?? `mlops-retrain-${name}.yml`}`)
    await add('train.sh.eta', `${SCRIPTS}/train-${name}.sh`, { care: 'yours', executable: true })
  }
  return files
}

const texts = (): string => templateFolder('github-actions') ?? ''

/** Two policies may name one workflow, or one of ours. @throws usage `WORKFLOW_TWICE` */
function assertOnce(files: readonly GeneratedFile[]): void {
  const paths = files.map(({ path }) => path.toLowerCase())
  const twice = files.find(({ path }, at) => paths.indexOf(path.toLowerCase()) !== at)
  if (twice === undefined) return
  throw usage({
    code: 'WORKFLOW_TWICE',
    message: `${twice.path} would be the workflow of two things.`,
    hint: 'Give each policy a workflow of its own: under job, workflow: retrain-MODEL.yml',
  })
}

interface Requirements {
  /** Relative to the project; '': there is none. */
  readonly file: string
  readonly isLocked: boolean
}

interface Lock {
  readonly file?: GeneratedFile
  /** What it was made of; null: there is none. */
  readonly key: string | null
  readonly problem?: string
}

/** Made once, and again when another program is asked for: npm takes seconds and the network. */
async function lockOf(
  { ctx }: World,
  request: GenerateRequest,
  manifest: string,
  { version, spec }: Settings,
): Promise<Lock> {
  const isRelock = request.options.relock === true
  if (request.options.unlocked === true || (flagOption(request, 'unlocked') && !isRelock)) return { key: null }
  const key = sha256(`${version} ${manifest}`)
  const file = (content: string): GeneratedFile => ({ path: LOCK, content, care: 'kept in step' })
  const last = request.base.get(LOCK)
  if (!isRelock && last !== undefined && request.previous?.lock === key) return { file: file(last), key }
  const made = await npmLock(ctx, { manifest, spec, version, at: join(request.folder, SCRIPTS) })
  return 'text' in made ? { file: file(made.text), key } : { key: null, problem: made.problem }
}

/** Those of the project; a file without digests is taken, and said to be no lock. */
async function requirementsOf({ project }: World, request: GenerateRequest): Promise<Requirements> {
  const named = textOption(request, 'requirements')
  const candidates = named === undefined ? ['requirements.lock', 'requirements.txt'] : [named]
  for (const name of candidates) {
    const text = await readFile(join(project.root, name), 'utf8').catch(() => undefined)
    if (text !== undefined) return { file: name, isLocked: text.includes('--hash=sha256:') }
    if (named === undefined) continue
    throw usage({
      code: 'REQUIREMENTS_NOT_FOUND',
      message: `There is no file ${named} in the project.`,
      hint: `Make one: uv pip compile --generate-hashes requirements.in -o ${named} (or pip-compile)`,
    })
  }
  return { file: '', isLocked: false }
}

/** What the tests run with: the Python of the service, of the first model, of the settings. */
async function pythonOfTests(
  request: GenerateRequest,
  service: string,
  models: readonly ModelFacts[],
  otherwise: string,
): Promise<string> {
  if (textOption(request, 'python') !== undefined) return otherwise
  const text =
    service === '' ? '' : await readFile(join(request.folder, service, 'service.json'), 'utf8').catch(() => '')
  return /"python": "(3\.\d{1,2})"/.exec(text)?.[1] ?? models[0]?.pythonVersion ?? otherwise
}

const unlockedProgram = (problem: string): string =>
  `The program of the runners is not locked: ${problem}. Where the registry has no such mlops, put a packed one into ${SCRIPTS} (npm pack) and run again with --mlops file:mlops-VERSION.tgz`

/** The folder of the service, seen from the top of the repository; '' without one. */
async function serviceOf({ project }: World, request: GenerateRequest): Promise<string> {
  const named = textOption(request, 'service')
  if (named !== undefined) return named
  const found = (await findScaffolds(project.root)).find(({ kind }) => kind === 'fastapi')
  return found === undefined ? '' : relative(request.folder, found.folder).split(sep).join('/')
}

const TEXTS = 'current predictions schedule branch runner-store requirements python service image cloud mlops'.split(
  ' ',
)

function answersOf(request: GenerateRequest): Scaffold['answers'] {
  const given = TEXTS.flatMap((name) => {
    const value = textOption(request, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const runner = listOption(request, 'runner')
  // Only those that a person named: otherwise a model that is new in mlops.yaml comes by itself.
  const models = listOption(request, 'models')
  const isUnlocked = flagOption(request, 'unlocked') && request.options.relock !== true
  return {
    ...(models.length === 0 ? {} : { models }),
    ...Object.fromEntries(given),
    ...(runner.length === 0 ? {} : { runner }),
    ...(isUnlocked ? { unlocked: true } : {}),
  }
}
