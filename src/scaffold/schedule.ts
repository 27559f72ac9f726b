/** What the schedulers' generators (cron, Airflow, Prefect) have in common: which models are retrained, and when. */
import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { usage } from '../core/errors.ts'
import { parseModelRef } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import { shellWord } from '../core/shell.ts'
import { type GenerateRequest, listOption, textOption, type World } from './generators.ts'
import { cronOf, SCHEDULES } from './github-actions/schedule.ts'
import type { Answers } from './types.ts'

export interface RetrainSchedule {
  readonly models: readonly { readonly name: string; readonly cron: string }[]
  /** The folder of the scaffold as a word to paste. */
  readonly place: string
  /** From the folder of the scaffold to the folder of mlops.yaml, `/`-separated. */
  readonly project: string
  readonly answers: Answers
  readonly warnings: readonly string[]
}

/** @throws usage `MODEL_MISSING`, `MODEL_UNKNOWN`, `SCHEDULE_INVALID` */
export async function retrainSchedule(world: World, request: GenerateRequest): Promise<RetrainSchedule> {
  const { project } = world
  const said = textOption(request, 'schedule') ?? 'daily'
  const models = await modelsOf(world, request)
  const way = relative(request.folder, project.root).split(sep).join('/')
  return {
    models: models.map((name) => ({ name, cron: timeOf(name, said) })),
    place: placeOf(world, request),
    project: way === '' ? '.' : way,
    answers: { models, schedule: said },
    warnings: existsSync(join(project.root, 'retraining-policy.yaml'))
      ? []
      : [
          'There is no retraining-policy.yaml: without one mlops retrain takes a reason from a person, and a schedule has none (docs/retrain.md).',
        ],
  }
}

function placeOf({ ctx }: World, { folder }: GenerateRequest): string {
  const near = relative(ctx.cwd, folder)
  return shellWord(near.startsWith('..') ? folder : near === '' ? '.' : near)
}

/** Those that are named, those of last time, those of mlops.yaml, those of the store. */
async function modelsOf(world: World, request: GenerateRequest): Promise<string[]> {
  const named = listOption(request, 'models').map((name) => parseModelRef(name).model)
  const configured = Object.keys(world.project.config.models)
  const all = [...new Set([...configured, ...(await (await world.openStore()).models.list())])].sort()
  const unknown = named.find((name) => !all.includes(name))
  if (unknown !== undefined) {
    const close = nearest(unknown, all)
    throw usage({
      code: 'MODEL_UNKNOWN',
      message: `There is no model ${unknown} in mlops.yaml or in the store.`,
      hint: close === undefined ? 'See them: mlops model list' : `Did you mean ${close}?`,
    })
  }
  const models = named.length > 0 ? [...new Set(named)].sort() : configured.length > 0 ? configured.sort() : all
  if (models.length > 0) return models
  throw usage({
    code: 'MODEL_MISSING',
    message: 'There is no model to retrain in mlops.yaml, and none in the store.',
    hint: 'Register one: mlops register MODEL --run @last',
  })
}

const FIELD = '(?:\\*|\\d{1,2}(?:-\\d{1,2})?(?:,\\d{1,2}(?:-\\d{1,2})?)*)(?:/\\d{1,2})?'
const FIVE_FIELDS = new RegExp(`^${FIELD}(?: ${FIELD}){4}$`)

/** A word has a minute of its own for each model; five fields are taken as they are. */
function timeOf(model: string, said: string): string {
  const word = SCHEDULES.find((schedule) => schedule === said)
  if (word !== undefined) return cronOf(model, word)
  if (FIVE_FIELDS.test(said)) return said
  throw usage({
    code: 'SCHEDULE_INVALID',
    message: `--schedule ${JSON.stringify(said)} is neither ${SCHEDULES.join(', ')} nor five fields of cron.`,
    hint: 'Write for example --schedule "17 3 * * 1"',
  })
}
