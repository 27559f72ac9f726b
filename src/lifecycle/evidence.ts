/** What a version carries besides its files: baseline, test set, test predictions, examples, evaluation command. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { isMlopsError, type MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { redactText } from '../core/redact.ts'
import type { ModelConfig, SchemaConfig } from '../project/config.ts'
import type { Pin } from '../store/events.ts'
import type { DataFact } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import { hashDeclaredData } from '../tracking/declared-data.ts'
import { type Place, safeOrigin } from './artifacts.ts'
import { type CountedBaseline, countBaseline } from './count-baseline.ts'
import type { RegisteredBaseline, RegisterRequest } from './register-types.ts'
import { dataFact, type RunSource } from './run-source.ts'

export interface Evidence {
  readonly baseline: RegisteredBaseline | null
  /** The profile's bytes, to be put again should a clean-up have taken them. */
  readonly data: readonly DataFact[]
  readonly testPredictions: Pin | undefined
  readonly examples: Pin | undefined
  readonly evaluate: string | undefined
  readonly schema: SchemaConfig
  readonly notes: readonly string[]
}

/** Everything that can be wrong with a flag is said before a byte is copied. @throws usage, notFound, failed */
export async function collectEvidence(
  ctx: Context,
  place: Place,
  store: Store,
  config: ModelConfig,
  request: RegisterRequest,
  run: RunSource | undefined,
): Promise<Evidence> {
  const schema = schemaOf(config, request)
  const evaluate = evaluateCommand(ctx, request.evaluate, config.evaluate)
  for (const [flag, path] of [
    ['--test', request.test],
    ['--test-predictions', request.testPredictions],
    ['--examples', request.examples],
  ] as const) {
    if (path === undefined) continue
    await assertFile(flag, path, ctx.cwd)
    // These are stored for ever; the test set is only hashed.
    if (flag !== '--test') await safeOrigin(resolve(ctx.cwd, path), path, place)
  }
  const notes: string[] = []
  const baseline = await baselineOf(ctx, request, { schema, by: config.drift.by }, run, notes)
  const registered = baseline === undefined ? null : await storeBaseline(store, baseline, schema, request)
  return {
    baseline: registered,
    data: await dataFacts(ctx, request, run),
    testPredictions: await putEvidence(ctx, store, request.testPredictions),
    examples: await putEvidence(ctx, store, request.examples),
    evaluate,
    schema,
    notes,
  }
}

function schemaOf({ schema }: ModelConfig, { target, prediction }: RegisterRequest): SchemaConfig {
  return {
    ...schema,
    ...(target === undefined ? {} : { target }),
    ...(prediction === undefined ? {} : { prediction }),
  }
}

/**
 * @throws usage `EVALUATE_INVALID`: without `{model}` it would measure something else; `EVALUATE_SECRET`: without its
 *   secret it would not run
 */
function evaluateCommand(ctx: Context, asked: string | undefined, configured: string | undefined): string | undefined {
  const command = asked ?? configured
  if (command === undefined) return undefined
  if (command.includes('{model}') && command.includes('{data}')) {
    if (redactText(command) === command) return command
    if (asked !== undefined) throw evaluateSecret()
    // It is found in mlops.yaml again when a challenger is measured.
    ctx.warn('evaluate: of mlops.yaml holds what looks like a secret, so it is not stored with the version')
    return undefined
  }
  throw usage({
    code: 'EVALUATE_INVALID',
    message: `The evaluation command ${JSON.stringify(command)} lacks ${command.includes('{model}') ? '{data}' : '{model}'}: it could not be pointed at another version.`,
    hint: "Write for example --evaluate 'python evaluate.py {model} {data}'",
  })
}

const evaluateSecret = (): MlopsError =>
  usage({
    code: 'EVALUATE_SECRET',
    message: 'The evaluation command holds what looks like a secret, and it would be stored with the version for ever.',
    hint: 'Let the command read it from an environment variable of its own',
  })

async function assertFile(flag: string, path: string, cwd: string): Promise<void> {
  try {
    const facts = await stat(resolve(cwd, path))
    if (facts.isFile() || (flag === '--test' && facts.isDirectory())) return
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    throw notFound({
      code: 'FILE_NOT_FOUND',
      message:
        code === 'ENOENT'
          ? `${flag} ${path}: there is no such file in ${cwd}.`
          : `${flag} ${path} cannot be read (${code}).`,
      hint: 'Check the path; it is relative to where you stand',
    })
  }
  throw usage({ code: 'NOT_A_FILE', message: `${flag} ${path} is no regular file.`, hint: `Name a file: ${flag} FILE` })
}

/** A run's folder is all its files, a table's the data files alone: with a README between them the digests differ. */
const CHANGED_FOLDER = 'is not the folder that the run read any more, or holds more than data files'

/**
 * The table to profile: `--baseline`, else the run's data declared as `train`, when it is still the file the run read.
 * What was named must be readable; what was only declared for the run may be missing, and the version says so.
 */
async function baselineOf(
  ctx: Context,
  request: RegisterRequest,
  columns: { readonly schema: SchemaConfig; readonly by: string | undefined },
  run: RunSource | undefined,
  notes: string[],
): Promise<CountedBaseline | undefined> {
  const profile = (source: string, cwd: string) => countBaseline(ctx, source, { cwd, ...columns })
  if (request.baseline === false) return undefined
  if (request.baseline !== undefined) return profile(request.baseline, ctx.cwd)
  const train = run?.data.find(({ name }) => name === 'train')
  if (run === undefined || train === undefined) {
    const advice = request.baselineAdvice ?? 'name it with --baseline DATA'
    notes.push(`no baseline: the data it was trained on is not known; ${advice}, and its drift can be checked`)
    return undefined
  }
  const without = (why: string): undefined => {
    const advice = request.baselineAdvice ?? 'name a table with --baseline DATA'
    notes.push(`no baseline: ${train.path}, which the run declared as train, ${why}; ${advice}`)
    return undefined
  }
  try {
    const counted = await profile(train.path, run.cwd)
    if (counted.baseline.data.sha256 === train.sha256) return counted
    const isFile = train.kind === 'file'
    return without(isFile ? 'is not the file that the run read any more' : CHANGED_FOLDER)
  } catch (error) {
    if (!isMlopsError(error) || error.exit === 'interrupted') throw error
    return without(`cannot be profiled (${error.message.replace(/\.$/, '')})`)
  }
}

async function storeBaseline(
  store: Store,
  { baseline: { profile, bytes, data, notes }, segments }: CountedBaseline,
  schema: SchemaConfig,
  request: RegisterRequest,
): Promise<RegisteredBaseline> {
  const columns = profile.columns.map(({ name }) => name)
  // A column of mlops.yaml may belong to another form of the data; one that was typed now is meant for this one.
  for (const [flag, column] of [
    ['--target', request.target],
    ['--prediction', request.prediction],
  ] as const) {
    if (column !== undefined && !columns.includes(column)) throw noSuchColumn(flag, column, columns, data.source)
  }
  const { sha256 } = await store.objects.put(bytes)
  const kept = segments === undefined ? undefined : await store.objects.put(segments.bytes)
  const fact = { name: 'baseline', sha256: data.sha256, rows: data.rows, columns: data.columns }
  const absent = [schema.target, schema.prediction].filter((name) => name !== undefined && !columns.includes(name))
  const missing = absent.map((name) => `${name} of mlops.yaml is not a column of ${data.source}`)
  return {
    source: data.source,
    profile: sha256,
    data: fact,
    ...(kept === undefined || segments === undefined
      ? {}
      : { segments: { by: segments.by, sha256: kept.sha256, size: kept.size, values: segments.values } }),
    notes: [...notes, ...missing.filter((note) => !notes.includes(note))],
  }
}

function noSuchColumn(flag: string, column: string, columns: readonly string[], source: string): MlopsError {
  const close = nearest(column, columns)
  return usage({
    code: 'COLUMN_NOT_FOUND',
    message: `${flag} ${JSON.stringify(column)} is not a column of ${source}.`,
    hint:
      close === undefined
        ? `It has ${columns.slice(0, 12).join(', ')}${columns.length > 12 ? ' …' : ''}`
        : `Did you mean ${close}?`,
    details: { column, columns: columns.slice(0, 100) },
  })
}

/** Declared data of the run, and `--test` in the place of what the run called `test`. */
async function dataFacts(ctx: Context, { test }: RegisterRequest, run: RunSource | undefined): Promise<DataFact[]> {
  const declared = (run?.data ?? []).map(dataFact)
  if (test === undefined) return declared
  ctx.progress?.(`hashing ${test}`)
  const measured = dataFact(await hashDeclaredData({ name: 'test', path: test }, ctx.cwd, ctx.signal))
  return [...declared.filter(({ name }) => name !== 'test'), measured]
}

async function putEvidence(ctx: Context, store: Store, path: string | undefined): Promise<Pin | undefined> {
  return path === undefined ? undefined : store.objects.putFile(resolve(ctx.cwd, path))
}
