/**
 * What is said of the columns of a version to be, beside what the versions before it said: its target and prediction, which
 * a later version often forgets, the examples that it lacks, and the columns that its examples do not name.
 */
import type { Context } from '../../core/context.ts'
import { versionName } from '../../core/names.ts'
import { takenColumns } from '../../drift/columns.ts'
import { recordedExamples } from '../../drift/examples.ts'
import type { Profile } from '../../drift/profile.ts'
import type { ModelConfig, SchemaConfig } from '../../project/config.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import { PRODUCTION } from '../gate/rules.ts'
import type { RegisterRequest } from './types.ts'

export interface Previous {
  /** `churn-model@3`: the version in production, else the newest. */
  readonly name: string
  readonly manifest: Manifest
}

/** @returns undefined before the first version */
export async function previousVersion(store: Store, model: string): Promise<Previous | undefined> {
  const state = await store.models.stateOrEmpty(model)
  const champion = state.stages[PRODUCTION]?.version
  const version = champion === undefined ? state.versions.at(-1) : state.versions[champion - 1]
  if (version === undefined) return undefined
  return { name: versionName(model, version.version), manifest: await store.models.manifest(version.manifest) }
}

/**
 * Flags over mlops.yaml over what `carryOver` takes from the version before. What that one said and nobody says now is
 * warned of: without a target nothing is judged by its labels any more.
 */
export function schemaOf(
  ctx: Pick<Context, 'warn'>,
  { schema }: Pick<ModelConfig, 'schema'>,
  request: Pick<RegisterRequest, 'model' | 'target' | 'prediction' | 'carryOver'>,
  previous: Previous | undefined,
  notes: string[],
): SchemaConfig {
  let known = schema
  for (const key of ['target', 'prediction'] as const) {
    const said = request[key]
    if (said !== undefined) {
      known = { ...known, [key]: said }
      if (schema[key] === undefined)
        notes.push(`the next version will not know the ${key}: ${writeIt(request.model, key, said)}`)
      continue
    }
    const before = previous?.manifest[key]
    if (known[key] !== undefined || previous === undefined || before === undefined) continue
    if (request.carryOver === true) {
      known = { ...known, [key]: before }
      notes.push(
        `the ${key}, ${before}, is that of ${previous.name}, as nothing else says it: ${writeIt(request.model, key, before)}`,
      )
    } else {
      ctx.warn(
        `This version has no ${key}; that of ${previous.name} was ${before}. Pass --${key} with its name (or --carry-over), or ${writeIt(request.model, key, before)}`,
      )
    }
  }
  return known
}

const writeIt = (model: string, key: string, column: string): string =>
  `write  schema: {${key}: ${JSON.stringify(column)}}  under models: ${model} in mlops.yaml`

/** Golden predictions are of one model: another one answers otherwise, so that they are recorded anew or are none. */
export function examplesNotes(
  examples: Manifest['examples'],
  previous: Previous | undefined,
  isFromRun: boolean,
): string[] {
  if (examples !== undefined || previous?.manifest.examples === undefined) return []
  const who = isFromRun ? 'the run logged none' : 'none were given'
  return [
    `no golden predictions: ${who}, and those of ${previous.name} are the answers of another model; record them with run.log_examples(X, y_pred) in the script, or --examples FILE, so that a service can prove that it answers as the training did`,
  ]
}

/** Columns that stand in the training data and in no example. */
export async function unaskedNotes(
  store: Store,
  {
    config,
    examples,
    profile,
    schema,
    previous,
  }: {
    readonly config: Pick<ModelConfig, 'predictions'>
    readonly examples: Manifest['examples']
    readonly profile: Profile | undefined
    readonly schema: SchemaConfig
    readonly previous: Previous | undefined
  },
): Promise<string[]> {
  if (profile === undefined || examples === undefined) return []
  const { unasked } = takenColumns({
    profile,
    examples: await recordedExamples(store, { examples }),
    // Of a target that was forgotten another note tells.
    answers: [schema.target, schema.prediction, previous?.manifest.target, previous?.manifest.prediction],
    drop: config.predictions?.drop ?? [],
  })
  if (unasked.length === 0) return []
  const shown =
    unasked.slice(0, MOST_NAMED).join(', ') +
    (unasked.length > MOST_NAMED ? ` and ${unasked.length - MOST_NAMED} more` : '')
  const what = unasked.length === 1 ? '1 column of the baseline is' : `${unasked.length} columns of the baseline are`
  return [
    `${what} not in the examples: ${shown}; the service will not ask for ${unasked.length === 1 ? 'it' : 'them'}, and the prediction log will not have ${unasked.length === 1 ? 'it' : 'them'}`,
  ]
}

const MOST_NAMED = 12
