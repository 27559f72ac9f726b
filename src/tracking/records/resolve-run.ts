/**
 * The words by which a person names a run, on every command that takes one: its id or the beginning of it in any case,
 * `@last`, `@last~2`, `@best:auc`. Reads only.
 */
import type { Context } from '../../core/context.ts'
import { type MlopsError, notFound, usage } from '../../core/errors.ts'
import { betterOf, directionOf } from '../../core/metric-names.ts'
import { nearest } from '../../core/nearest.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import { orInTrash } from './in-trash.ts'

export interface ResolveOptions {
  /** `@last` and `@best` look among the runs of this model alone. */
  readonly model?: string | undefined
  /** Runs that name no model count as well. */
  readonly orNone?: boolean
}

/**
 * `@last` is the newest run, however it stands, `@last~1` the one before it. `@best:METRIC` is the finished run with the
 * best value, by the metric's name or as `:min` and `:max` say; of equals one that repeats no other run, then the newest.
 * @returns the whole id
 * @throws notFound `RUN_NOT_FOUND`; usage `RUN_AMBIGUOUS`, `RUN_REFERENCE_INVALID`, `EMPTY_VALUE`
 */
export async function resolveRun(
  ctx: Context,
  store: Store,
  reference: string,
  options: ResolveOptions = {},
): Promise<string> {
  if (reference.trim() === '') throw unnamed()
  if (!reference.includes('@')) {
    return store.runs.resolve(reference).catch(async (error: unknown) => {
      throw await orInTrash(store, reference, error)
    })
  }
  const last = /^@last(?:~(\d{1,9})?)?$/i.exec(reference)
  if (last !== null) return nthNewest(ctx, store, reference.includes('~') ? Number(last[1] ?? 1) : 0, options)
  const best = /^@best:(.+)$/i.exec(reference)?.[1]
  if (best !== undefined) return bestRun(ctx, store, best, options)
  throw usage({ code: 'RUN_REFERENCE_INVALID', ...misread(reference) })
}

/** As for flags: acting as if it were left out would be acting on something else. */
export const unnamed = (): MlopsError =>
  usage({
    code: 'EMPTY_VALUE',
    message: 'A run was given an empty name (is a variable unset?).',
    hint: 'Write an id, the beginning of one, @last or @best:METRIC',
  })

function misread(reference: string): { message: string; hint: string } {
  const named = JSON.stringify(reference)
  if (/^@best/i.test(reference)) {
    return { message: `${named} does not say by which metric.`, hint: 'Write for example @best:auc, or @best:loss:min' }
  }
  if (/^[^@]+@/.test(reference)) {
    const hint = `The run behind a version stands in: mlops model show ${reference}`
    return { message: `${named} names a version, and a run is asked for.`, hint }
  }
  return {
    message: `${named} names no run.`,
    hint: 'Write an id, the beginning of one, @last, @last~2 or @best:METRIC',
  }
}

async function nthNewest(ctx: Context, store: Store, back: number, options: ResolveOptions): Promise<string> {
  const { model } = options
  const ids = await store.runs.list()
  if (model === undefined) {
    const id = ids[back]
    if (id !== undefined) return id
    throw tooFewRuns(ids.length, back, model)
  }
  let found = 0
  for (const id of ids) {
    const folder = await readable(ctx, store, id)
    if (folder === undefined || !isOf(folder.start, options)) continue
    if (found === back) return id
    found += 1
  }
  throw tooFewRuns(found, back, model)
}

function tooFewRuns(count: number, back: number, model: string | undefined): MlopsError {
  const of = model === undefined ? 'in this store' : `of ${model}`
  if (count === 0) return runNotFound(`There are no runs ${of} yet.`, 'Make one: mlops track -- python train.py')
  const there = count === 1 ? `is only 1 run` : `are only ${count} runs`
  return runNotFound(`@last~${back} names no run: there ${there} ${of}.`, 'See the runs: mlops run list --limit 0')
}

/** Runs that are read at once. */
const BATCH = 500

interface Candidate {
  readonly id: string
  readonly value: number
  readonly isRepeat: boolean
}

/** A metric may be called `a:min`: as a whole it comes first. */
function readBest(words: string): readonly { readonly metric: string; readonly isLower: boolean }[] {
  const whole = { metric: words, isLower: (directionOf(words) ?? betterOf(words)) === 'lower' }
  const [, metric, way] = /^(.+):(min|max)$/i.exec(words) ?? []
  return metric === undefined ? [whole] : [whole, { metric, isLower: way?.toLowerCase() === 'min' }]
}

async function bestRun(ctx: Context, store: Store, words: string, options: ResolveOptions): Promise<string> {
  const wishes = readBest(words)
  const names = new Set<string>()
  const best: (Candidate | undefined)[] = wishes.map(() => undefined)
  let finished = 0
  for await (const { start, end } of endedRuns(ctx, store)) {
    if (end?.status !== 'finished' || !isOf(start, options)) continue
    finished += 1
    for (const name in end.metrics) names.add(name)
    for (const [at, { metric, isLower }] of wishes.entries()) {
      const value = end.metrics[metric]
      if (typeof value !== 'number') continue
      const candidate = { id: start.id, value, isRepeat: start.reproduces !== undefined }
      const before = best[at]
      if (before === undefined || isBetter(candidate, before, isLower)) best[at] = candidate
    }
  }
  const found = best.find((each) => each !== undefined)
  if (found !== undefined) return found.id
  throw nothingBest(wishes.at(-1)?.metric ?? words, [...names].sort(), finished, options.model)
}

const isOf = (start: RunFolder['start'], { model, orNone = false }: ResolveOptions): boolean =>
  model === undefined || start.model === model || (orNone && start.model === undefined)

/** Newer ones come first, so that an equal one replaces a repetition only. */
function isBetter(a: Candidate, b: Candidate, isLower: boolean): boolean {
  if (a.value !== b.value) return isLower ? a.value < b.value : a.value > b.value
  return b.isRepeat && !a.isRepeat
}

function nothingBest(
  metric: string,
  names: readonly string[],
  finished: number,
  model: string | undefined,
): MlopsError {
  const of = model === undefined ? '' : ` of ${model}`
  if (finished === 0) return runNotFound(`No run${of} has finished yet.`, 'See the runs: mlops run list')
  const meant = nearest(metric, names)
  const some = names.slice(0, 8).join(', ')
  const hint =
    meant !== undefined
      ? `Did you mean @best:${meant}?`
      : names.length === 0
        ? 'Log one: mlops.log_metric in Python, or print "auc: 0.9"'
        : `They have: ${some}${names.length > 8 ? ', …' : ''}`
  return runNotFound(`No finished run${of} has a number as its metric ${metric}.`, hint)
}

/** Newest first, read in batches. */
async function* endedRuns(ctx: Context, store: Store): AsyncGenerator<RunFolder> {
  const ids = await store.runs.list()
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH)
    const folders = await store.runs.readEnded(batch)
    for (const [at, id] of batch.entries()) {
      const folder = folders[at] ?? (await readable(ctx, store, id))
      if (folder?.end !== undefined) yield folder
    }
  }
}

/** A damaged run is warned of and passed over. */
async function readable(ctx: Context, store: Store, id: string): Promise<RunFolder | undefined> {
  return store.runs.read(id).catch((error: unknown) => {
    ctx.warn(error instanceof Error ? error.message : String(error))
    return undefined
  })
}

const runNotFound = (message: string, hint: string): MlopsError => notFound({ code: 'RUN_NOT_FOUND', message, hint })
