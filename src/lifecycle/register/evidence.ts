/** What a version carries besides its files: baseline, test set, held-out answers, examples, evaluation command. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readNumber } from '../../core/canonical-json.ts'
import type { Context } from '../../core/context.ts'
import { notFound, systemCode, usage } from '../../core/errors.ts'
import { impossible } from '../../core/metric-names.ts'
import type { Overlap } from '../../evaluation/types.ts'
import type { ModelConfig, SchemaConfig } from '../../project/config.ts'
import type { DataFact, Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import { hashDeclaredData } from '../../tracking/capture/declared-data.ts'
import { type Place, safeOrigin } from './artifacts.ts'
import { baselineOf, storeBaseline } from './baseline-evidence.ts'
import { examplesNotes, previousVersion, schemaOf, unaskedNotes } from './columns-evidence.ts'
import { evaluateCommand } from './evaluate-command.ts'
import { heldOutEvidence } from './held-out-evidence.ts'
import { overlapEvidence } from './overlap-evidence.ts'
import { metricsOf } from './plan.ts'
import { dataFact, type LoggedTest, type RunSource } from './run-source.ts'
import type { RegisteredBaseline, RegisteredHeldOut, RegisterRequest } from './types.ts'

export interface Evidence {
  readonly baseline: RegisteredBaseline | null
  readonly data: readonly DataFact[]
  readonly testPredictions: Manifest['testPredictions']
  readonly heldOut: RegisteredHeldOut | null
  readonly overlap: Overlap | undefined
  readonly examples: Manifest['examples']
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
  const { model } = request
  const notes: string[] = []
  const previous = await previousVersion(store, model)
  const schema = schemaOf(ctx, config, request, previous, notes)
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
  const metrics = metricsOf(request, run)
  for (const [metric, value] of Object.entries(metrics)) {
    const why = impossible(metric, readNumber(value) ?? Number.NaN)
    if (why !== undefined) ctx.warn(`${why}; a gate that looks at it refuses it`)
  }
  const data = await dataFacts(ctx, request, run)
  const heldOut = await heldOutEvidence(ctx, store, { model, schema, request, run, data, metrics, notes })
  const baseline = await baselineOf(ctx, request, { schema, by: config.drift.by }, run, notes)
  const registered = baseline === undefined ? null : await storeBaseline(store, baseline, schema, request)
  const { examples } = heldOut
  notes.push(...examplesNotes(examples, previous, run !== undefined))
  notes.push(
    ...(await unaskedNotes(store, { config, examples, profile: baseline?.baseline.profile, schema, previous })),
  )
  return {
    ...heldOut,
    baseline: registered,
    data,
    overlap: await overlapEvidence(ctx, { request, run, schema, notes }),
    evaluate,
    schema,
    notes,
  }
}

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

/**
 * Declared data of the run, and `--test` in the place of what the run called `test`. Where no file says what the test set
 * is, the rows do that the script handed to `log_test`.
 */
async function dataFacts(ctx: Context, { test }: RegisterRequest, run: RunSource | undefined): Promise<DataFact[]> {
  const declared = (run?.data ?? []).map(dataFact)
  if (test === undefined) {
    const isKnown = declared.some(({ name }) => name === 'test')
    return isKnown || run?.test === undefined ? declared : [...declared, ...loggedRows(run.test)]
  }
  ctx.progress?.(`hashing ${test}`)
  const measured = dataFact(await hashDeclaredData({ name: 'test', path: test }, ctx.cwd, ctx.signal))
  return [...declared.filter(({ name }) => name !== 'test'), measured]
}

const loggedRows = ({ rowsDigest, rows, columns }: LoggedTest): DataFact[] =>
  rowsDigest === undefined ? [] : [{ name: 'test', sha256: rowsDigest, rows, columns, of: 'rows' }]
