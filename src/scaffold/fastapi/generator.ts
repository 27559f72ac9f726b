/** `mlops scaffold fastapi`: from a version to the files of a service. The texts are in templates/fastapi. */
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { failed, usage } from '../../core/errors.ts'
import { type ModelRef, parseModelRef, versionName } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'
import { assertStage } from '../../lifecycle/operation.ts'
import type { ModelConfig, Project } from '../../project/config.ts'
import type { Store } from '../../store/store.ts'
import { templateFolder } from '../../tracking/execute/client-path.ts'
import { type GenerateRequest, type Generator, listOption, textOption, type World } from '../generators.ts'
import { clientFiles, renderTemplates } from '../render.ts'
import type { GeneratedFile, Scaffold } from '../types.ts'
import { contractDigest, openApi, schemaValues, serviceJson } from './documents.ts'
import { exampleOf } from './example.ts'
import { FLAVOURS, type Flavour, type OutputKind, type ServiceFacts } from './facts.ts'
import { recognise } from './flavour.ts'
import { keptFacts } from './kept.ts'
import { type Needs, needsOf } from './packages.ts'
import { REQUIREMENTS, requirementsOf, TEST_REQUIREMENTS } from './requirements.ts'
import { signatureOf } from './signature.ts'
import { readVersion, type ServedVersion } from './version.ts'

/** Written once, then a person's own. */
const YOURS = ['app/hooks.py', '.gitignore']

export const generator: Generator = {
  kind: 'fastapi',
  folder: 'service',
  async generate(world, request): Promise<Scaffold> {
    const store = await world.openStore()
    const ref = await modelOf(store, request)
    const stage = stageOf(world.project, ref, request)
    const version = await readVersion(store, ref.given)
    assertSameModel(ref, request)
    const warnings: string[] = [...version.detail.problems]
    const { facts: found, needs } = factsOf(world, request, version, stage, warnings)
    // MODEL@VERSION, said now, is taken at its word; otherwise files change when there is something to say.
    const isNamed = request.options.model !== undefined && 'version' in (ref.given.selector ?? {})
    const facts = isNamed ? found : keptFacts(found, request.base.get('service.json'))
    const requirements = await requirementsOf(world, request, version, needs, facts.python)
    const files: GeneratedFile[] = [
      ...(await renderTemplates('fastapi', {
        values: { ...schemaValues(facts), facts },
        yours: YOURS,
        only: (path) => path !== 'openapi.json',
      })),
      ...(await clientFiles()),
      { path: 'service.json', content: serviceJson(facts), care: 'kept in step' },
      { path: 'openapi.json', content: openApi(await skeleton(), facts), care: 'kept in step' },
      { path: REQUIREMENTS, content: requirements.text, care: 'kept in step' },
      { path: TEST_REQUIREMENTS, content: requirements.tests, care: 'kept in step' },
    ]
    return {
      kind: 'fastapi',
      answers: answersOf(request, ref.written, facts, requirements.key),
      files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
      next: nextSteps(world, request, facts, requirements.key !== null),
      warnings,
    }
  },
}

/** What is given now, else what was answered before, else the only model there is. */
async function modelOf(store: Store, request: GenerateRequest): Promise<{ written: string; given: ModelRef }> {
  const written = textOption(request, 'model')
  if (written !== undefined) return { written, given: parseModelRef(written) }
  const models = await store.models.list()
  const [only, second] = models
  if (only !== undefined && second === undefined) return { written: only, given: parseModelRef(only) }
  throw usage({
    code: 'MODEL_MISSING',
    message:
      only === undefined ? 'There is no model in this store yet.' : `Which model? There are ${models.join(', ')}.`,
    hint:
      only === undefined
        ? 'Register one: mlops register MODEL --artifact FILE --baseline DATA'
        : `Name it: mlops scaffold fastapi ${only}`,
  })
}

/** The stage the service follows: what was said, what MODEL@STAGE says, what it was before, else production. */
function stageOf(project: Project, { given }: { given: ModelRef }, request: GenerateRequest): string {
  const { selector } = given
  const ofModel = selector !== undefined && 'stage' in selector ? selector.stage : undefined
  const before = typeof request.previous?.stage === 'string' ? request.previous.stage : undefined
  const said = typeof request.options.stage === 'string' ? request.options.stage : undefined
  const stage = said ?? (request.options.model === undefined ? before : ofModel) ?? before ?? ofModel ?? 'production'
  assertStage(project, stage)
  return stage
}

/** The edits in a folder belong to the service of one model. @throws usage `SCAFFOLD_OTHER_MODEL` */
function assertSameModel({ given }: { given: ModelRef }, { previous, folder }: GenerateRequest): void {
  const before = typeof previous?.model === 'string' ? parseModelRef(previous.model).model : given.model
  if (before === given.model) return
  throw usage({
    code: 'SCAFFOLD_OTHER_MODEL',
    message: `${folder} has the service of ${before}, not of ${given.model}.`,
    hint: `Give ${given.model} a folder of its own: mlops scaffold fastapi ${given.model} --dir ${given.model}`,
  })
}

function factsOf(
  { ctx, project }: World,
  request: GenerateRequest,
  version: ServedVersion,
  stage: string,
  warnings: string[],
): { readonly facts: ServiceFacts; readonly needs: Needs } {
  const { detail, profile, examples, lock } = version
  const config: ModelConfig | undefined = Object.hasOwn(project.config.models, detail.model)
    ? project.config.models[detail.model]
    : undefined
  const name = versionName(detail.model, detail.version)
  const found = recognise(name, version.files, {
    artifact: textOption(request, 'artifact'),
    flavour: flavourSaid(request),
  })
  const drop = config?.predictions?.drop ?? []
  const signature = signatureOf({
    model: name,
    profile,
    examples,
    schema: config?.schema ?? { columns: {} },
    target: detail.target ?? undefined,
    prediction: detail.prediction ?? undefined,
    drop,
    refuse: listOption(request, 'refuse'),
    kind: textOption(request, 'output') as OutputKind | undefined,
  })
  warnings.push(...signature.notes.map((note) => `${name}: ${note}.`))
  if (examples.length === 0) {
    warnings.push(
      `${name} has no golden predictions, so nothing proves that the service answers as the training did; record them with run.log_examples(X, y_pred), or give a file of them: mlops register … --examples FILE.jsonl.gz.`,
    )
  }
  const needs = needsOf(found.flavour, found.modules, lock, listOption(request, 'with'))
  if (needs.unknown.length > 0) {
    warnings.push(
      `${found.path} imports ${needs.unknown.join(', ')}, which no recorded package is called: put that code beside app/, or name its package with --with.`,
    )
  }
  const { python } = detail
  const facts: ServiceFacts = {
    format: 1,
    model: detail.model,
    stage,
    scaffolded: { version: detail.version, manifest: detail.manifest, tool: ctx.tool },
    flavour: found.flavour,
    artifact: found.path,
    python: python === null ? null : python.version.split('.').slice(0, 2).join('.'),
    features: signature.features,
    output: signature.output,
    example: exampleOf(signature, examples, profile, drop),
    drop,
    personal: [],
    contract: contractDigest(signature),
  }
  return { facts, needs }
}

function flavourSaid(request: GenerateRequest): Flavour | undefined {
  const said = textOption(request, 'flavour')
  return FLAVOURS.find((flavour) => flavour === said)
}

/** What a later run needs to know. Nothing of this machine. */
function answersOf(
  request: GenerateRequest,
  written: string,
  { scaffolded, stage }: ServiceFacts,
  key: string | null,
): Scaffold['answers'] {
  const texts = ['artifact', 'flavour', 'output'].flatMap((name) => {
    const value = textOption(request, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const lists = ['refuse', 'with'].flatMap((name) => {
    const value = listOption(request, name)
    return value.length === 0 ? [] : [[name, value] as const]
  })
  return {
    model: written,
    version: scaffolded.version,
    manifest: scaffolded.manifest,
    stage,
    ...Object.fromEntries([...texts, ...lists]),
    ...(key === null ? { unlocked: true } : { requirements: key }),
  }
}

async function skeleton(): Promise<string> {
  const folder = templateFolder('fastapi')
  if (folder === undefined) {
    throw failed({
      code: 'TEMPLATES_MISSING',
      message: 'This installation of mlops is incomplete: templates/fastapi is not there.',
      hint: 'Install it again: npm install -g mlops',
    })
  }
  return await readFile(join(folder, 'openapi.json'), 'utf8')
}

function nextSteps(
  { ctx, project }: World,
  { folder }: GenerateRequest,
  { stage, python }: ServiceFacts,
  isLocked: boolean,
): string[] {
  const near = relative(ctx.cwd, folder)
  const place = shellWord(near.startsWith('..') ? folder : near === '' ? '.' : near)
  const locked = isLocked ? '--require-hashes ' : ''
  return [
    `cd ${place} && python${python ?? ''} -m venv .venv && .venv/bin/pip install ${locked}-r requirements.txt`,
    `MLOPS_STORE=${shellWord(project.storeRoot)} .venv/bin/uvicorn app.main:app    # follows ${stage}`,
    `.venv/bin/pip install ${locked}-r ${TEST_REQUIREMENTS} && .venv/bin/python -m pytest tests`,
  ]
}
