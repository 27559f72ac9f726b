/**
 * The evaluation of an old version, run again on the labelled rows of today: which rows, which command, what the
 * version in the stage now achieves on them. What the figures mean is judged in `fit-rule.ts`.
 */
import type { Context } from '../../core/context.ts'
import type { Profile } from '../../drift/profile.ts'
import type { RealisedNow } from '../../monitor/latest.ts'
import type { LabelledFile, LabelledRequest, PredictionLog, TimeWindow } from '../../predictions/types.ts'
import type { ModelConfig, Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { RunEnd, RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { gateRules } from '../gate/rules.ts'
import { metricsAsNumbers } from '../versions/metrics.ts'
import { type EvaluationVerdict, FEWEST_ROWS, judgeEvaluation } from './fit-rule.ts'

export interface FitEvaluation extends EvaluationVerdict {
  /** Labelled rows that it was made on. */
  readonly rows: number
  /** Labelled rows of the window; more than `rows` where some were chosen. */
  readonly labelled: number
  /** Everything that the command printed. */
  readonly now: Readonly<Record<string, number>>
  /** As they were recorded: `7 days`. */
  readonly window: string
  readonly stage: string
}

export interface LabelledFit {
  /** Or why there is none; null where there was nothing to do it on. */
  readonly evaluation: FitEvaluation | { readonly reason: string } | null
  /** Undefined without a labelled answer. */
  readonly production: RealisedNow | undefined
}

export interface EvaluationOfToday {
  readonly model: string
  readonly stage: string
  readonly version: number
  /** The version that would be left. */
  readonly from: number
}

/** Evaluating more takes longer and says hardly more: the error of an AUC of 20,000 rows is 0.003. */
const MOST_ROWS = 20_000

/** @throws what reading the log throws */
export async function evaluateToday(
  ctx: Context,
  project: Project,
  store: Store,
  asked: EvaluationOfToday,
): Promise<LabelledFit> {
  const [{ logOf, requestedWindow }, { realisedNow }] = await Promise.all([
    import('../../monitor/sources.ts'),
    import('../../monitor/latest.ts'),
  ])
  const { model } = asked
  const log = await logOf(ctx, project, store, model)
  if (log === null) return { evaluation: null, production: undefined }
  const window = requestedWindow(project, model, { window: {} }, ctx.now())
  const state = await store.models.state(model)
  // Side by side: the time is short, and one of them waits for a process of its own.
  const [evaluation, production] = await Promise.all([
    evaluateVersion(ctx, project, store, { ...asked, log, window, state }),
    realisedNow(ctx, project, store, { model, version: asked.from }).catch(() => undefined),
  ])
  return { evaluation, production: production?.labelled === 0 ? undefined : production }
}

interface Evaluating extends EvaluationOfToday {
  readonly log: PredictionLog
  readonly window: TimeWindow
  readonly state: ModelState
}

async function evaluateVersion(
  ctx: Context,
  project: Project,
  store: Store,
  asked: Evaluating,
): Promise<LabelledFit['evaluation']> {
  const { model, version, stage, state, log, window } = asked
  const config = modelConfig(project, model)
  const held = state.versions[version - 1]
  if (held === undefined) return null
  const manifest = await store.models.manifest(held.manifest)
  const [{ makeSpool }, { dirname, join }] = await Promise.all([import('../../data/spool.ts'), import('node:path')])
  // Rows of people: in a folder that nobody else may open, and gone afterwards, also when a signal ends us.
  const spool = await makeSpool('the labelled rows')
  const folder = dirname(spool.path)
  try {
    const request = await labelledRequest(store, config, state, manifest)
    if (request === null) return null
    const reasons: string[] = []
    for (const format of await formats(store, held)) {
      const path = join(folder, `today.${format}`)
      const written = await log.writeLabelled(window, { ...request, format, path })
      const why = unwritten(written, request.target, manifest, config)
      if (why !== undefined) return why
      const measured = await measure(ctx, project, store, { manifest, config, data: path })
      if (!('reason' in measured)) {
        const { metrics: now } = measured
        const facts = factsOf(config, stage, manifest, written, now)
        const { describeLength } = await import('../../monitor/window.ts')
        const { rows, labelled } = written
        return { ...judgeEvaluation(facts), rows, labelled, now, window: describeLength(window), stage }
      }
      reasons.push(measured.reason)
    }
    return { reason: reasons[0] ?? 'it could not be run' }
  } finally {
    spool.remove()
  }
}

/** Null without a target: then no row has a truth. */
async function labelledRequest(
  store: Store,
  { schema }: ModelConfig,
  state: ModelState,
  manifest: Manifest,
): Promise<Omit<LabelledRequest, 'format' | 'path'> | null> {
  // The command is of the time when the version was registered, and so are the names that it expects.
  const target = manifest.target ?? schema.target
  if (target === undefined) return null
  const prediction = manifest.prediction ?? schema.prediction
  const digest = manifest.baseline?.profile ?? state.baseline?.profile.sha256
  const { classesOf } = await import('../../monitor/row-shape.ts')
  const baseline = digest === undefined ? undefined : (await store.objects.readJson<Profile>(digest)).columns
  const features = baseline?.filter(({ name }) => name !== target && name !== prediction)
  return {
    target,
    ...classesOf(baseline?.find(({ name }) => name === target)),
    ...(prediction === undefined ? {} : { prediction }),
    ...(features === undefined ? {} : { columns: features.map(({ name }) => name) }),
    // No service logs these, and no model learns from them.
    optional: (features ?? []).flatMap(({ name, type }) => (type === 'id' || type === 'ignore' ? [name] : [])),
    fewest: FEWEST_ROWS,
    most: MOST_ROWS,
  }
}

/** Why there is nothing to evaluate on; undefined when there is. */
function unwritten(
  { labelled, rows, missing }: LabelledFile,
  target: string,
  manifest: Manifest,
  config: ModelConfig,
): LabelledFit['evaluation'] | undefined {
  if (labelled === 0) return null
  if (labelled < FEWEST_ROWS) return { reason: `there are ${labelled} labelled rows, and ${FEWEST_ROWS} are needed` }
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
    return { reason: `no logged row has ${missing.slice(0, 3).join(', ')}${more}` }
  }
  if (rows === 0) return { reason: `the labels are no classes of ${target} in the training data` }
  if (manifest.evaluate === undefined && config.evaluate === undefined)
    return { reason: 'no evaluation command is recorded (register --evaluate)' }
  return undefined
}

async function measure(
  ctx: Context,
  project: Project,
  store: Store,
  { manifest, config, data }: { readonly manifest: Manifest; readonly config: ModelConfig; readonly data: string },
): Promise<{ readonly metrics: Record<string, number> } | { readonly reason: string }> {
  const command = manifest.evaluate ?? config.evaluate
  if (command === undefined || manifest.files.length === 0) return { reason: 'it has no files' }
  const { runEvaluation } = await import('../evaluate.ts')
  const found = await runEvaluation(ctx, project, store, { manifest, command, data })
  return found.kind === 'measured' ? { metrics: metricsAsNumbers(found.metrics) } : { reason: found.reason }
}

function factsOf(
  config: ModelConfig,
  stage: string,
  manifest: Manifest,
  { rows, classes }: LabelledFile,
  now: Record<string, number>,
) {
  const { min, max } = gateRules(config, stage)
  const counts = Object.values(classes)
  const registered = metricsAsNumbers(manifest.metrics)
  const rowsRegistered = manifest.data.find(({ name }) => name === 'test')?.rows ?? null
  return {
    rows,
    positives: counts.length === 2 ? Math.min(...counts) : null,
    now,
    registered,
    rowsRegistered,
    min,
    max,
  }
}

/** The form of the test set first: a command may read no other. */
async function formats(store: Store, { run }: VersionState): Promise<readonly ('csv' | 'parquet')[]> {
  const declared = run === undefined ? [] : await declaredData(store, run)
  const known = declared.find(({ name }) => name === 'test') ?? declared.find(({ name }) => name === 'train')
  return known !== undefined && /\.(?:parquet|pq)$/i.test(known.path) ? ['parquet', 'csv'] : ['csv', 'parquet']
}

async function declaredData(store: Store, run: NonNullable<VersionState['run']>): Promise<RunStart['data']> {
  try {
    const end = run.end === undefined ? undefined : await store.objects.readJson<RunEnd>(run.end.sha256)
    return end?.late?.data ?? (await store.objects.readJson<RunStart>(run.run.sha256)).data
  } catch {
    // A lost run record is warned about already; the form of a file can be tried.
    return []
  }
}
