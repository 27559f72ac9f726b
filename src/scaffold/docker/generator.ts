/** `mlops scaffold docker`: from the service in a folder and one version to an image. The texts are in templates/docker. */
import { relative } from 'node:path'
import { usage } from '../../core/errors.ts'
import { parseModelRef, versionName } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'
import { loadVersion, type VersionDetail } from '../../lifecycle/versions/version.ts'
import { resolveVersion } from '../../store/resolve.ts'
import { type GenerateRequest, type Generator, listOption, textOption, type World } from '../generators.ts'
import { renderTemplates } from '../render.ts'
import type { Scaffold } from '../types.ts'
import { baseImageOf, imageName, labelsOf } from './names.ts'
import { readService, type StandingService } from './service.ts'

export const generator: Generator = {
  kind: 'docker',
  folder: 'service',
  beside: 'fastapi',
  async generate(world, request): Promise<Scaffold> {
    const asked = textOption(request, 'model')
    const service = await readService(request.folder, asked)
    const given = textOption(request, 'base-image')
    const baseImage = baseImageOf(given, service)
    const labels = labelsOf(listOption(request, 'label'))
    const written = asked ?? service.model
    const version = await versionOf(world, request, written, service)
    const { warnings, ...facts } = factsOf(version)
    const values = { ...service, ...facts, baseImage, labels, image: imageName(service.model) }
    return {
      kind: 'docker',
      answers: {
        model: written,
        version: version.version,
        manifest: version.manifest,
        ...(given === undefined ? {} : { 'base-image': given }),
        ...(labels.length === 0 ? {} : { label: listOption(request, 'label') }),
      },
      files: await renderTemplates('docker', { values }),
      next: nextSteps(world, request, service, version.version),
      warnings: [...warnings, ...(service.isLocked ? [] : [NOT_LOCKED])],
    }
  },
}

const NOT_LOCKED =
  'requirements.txt has no digests, so two builds may differ, and whoever controls the package index decides what is in them: mlops scaffold fastapi --relock'

/** @throws usage `SCAFFOLD_OTHER_MODEL`: the folder has the service of another model */
async function versionOf(
  world: World,
  request: GenerateRequest,
  written: string,
  service: StandingService,
): Promise<VersionDetail> {
  const ref = parseModelRef(written)
  if (ref.model !== service.model) {
    throw usage({
      code: 'SCAFFOLD_OTHER_MODEL',
      message: `${request.folder} has the service of ${service.model}, not of ${ref.model}.`,
      hint: `Write the service of ${ref.model} first: mlops scaffold fastapi ${ref.model} --dir ${ref.model}`,
    })
  }
  const store = await world.openStore()
  const state = await store.models.state(ref.model)
  return await loadVersion(store, state, resolveVersion(state, ref, 'production'))
}

/** What the labels say of a version. `docker/model.py` finds the same in an archive, and refuses what differs. */
function factsOf(detail: VersionDetail) {
  const trained = detail.data.find(({ name }) => name === 'train') ?? detail.baseline?.data
  const { code } = detail
  const commit = code?.commit ?? undefined
  const warnings = [...detail.problems]
  if (commit === undefined)
    warnings.push(`${versionName(detail.model, detail.version)} was trained outside of git: its commit is "none".`)
  if (detail.examples === null)
    warnings.push(
      `${versionName(detail.model, detail.version)} has no golden predictions, so the build proves that it loads and no more; record them with run.log_examples(X, y_pred).`,
    )
  return {
    version: detail.version,
    manifest: detail.manifest,
    commit: commit === undefined ? 'none' : `${commit}${code?.dirty === true ? '-dirty' : ''}`,
    data: trained?.sha256 ?? 'none',
    warnings,
  }
}

function nextSteps(
  { ctx }: World,
  { folder }: GenerateRequest,
  { model }: StandingService,
  version: number,
): readonly string[] {
  const near = relative(ctx.cwd, folder)
  const place = shellWord(near.startsWith('..') ? folder : near === '' ? '.' : near)
  const tag = `${imageName(model)}:v${version}`
  return [
    `cd ${place} && mlops model export ${model}@${version} --output docker/model.tar`,
    `docker build --tag ${tag} .`,
    `docker run --rm --read-only --tmpfs /tmp --publish 127.0.0.1:8080:8080 ${tag}`,
  ]
}
