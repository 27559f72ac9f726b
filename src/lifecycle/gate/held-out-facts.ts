/**
 * What held-out predictions say, as facts of a gate: figures of the challenger and of its groups, and the paired
 * comparison with a champion. Reads rows; the statistics are in `src/evaluation/`, verdicts in `compare.ts` and
 * `slices.ts`. The rows themselves do not leave this file: a plan is kept while a person thinks.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import { knownName } from '../../core/metric-names.ts'
import type { FairnessResult, HeldOut, PairedComparison, SliceResult } from '../../evaluation/types.ts'
import type { Store } from '../../store/store.ts'
import { type Champion, type FromRows, type HeldOutFacts, isReason, type VersionFacts } from './facts.ts'
import { allowanceOf } from './margin.ts'
import { comparedMetrics, type GateRules } from './rules.ts'
import { sameFiles, testSetsOf } from './test-set.ts'

/** The rows of the challenger; undefined where none are recorded, or no rule looks at them. */
export type OpenRows = FromRows<HeldOut> | undefined

export async function openRows(
  ctx: Context,
  store: Store,
  rules: GateRules,
  { manifest, model, version }: VersionFacts,
): Promise<OpenRows> {
  const asked = comparedMetrics(rules).length + rules.slices.length + rules.fairness.length
  if (manifest.testPredictions === undefined || asked === 0) return undefined
  ctx.progress?.(`reading the held-out predictions of ${model}@${version}`)
  const by = [...new Set([...rules.slices, ...rules.fairness].map((rule) => rule.by))]
  return orReason(ctx, async () => {
    const { readHeldOut } = await import('../../evaluation/held-out.ts')
    const rows = await readHeldOut(store, manifest, options(ctx, by))
    // Whoever asked for a column that is not there is told which ones are.
    if (by.every((name) => Object.hasOwn(rows.groups, name))) return rows
    return readHeldOut(store, manifest, ctx.signal === undefined ? {} : { signal: ctx.signal })
  })
}

export async function heldOutFacts(
  ctx: Context,
  rules: GateRules,
  rows: OpenRows,
): Promise<FromRows<HeldOutFacts> | undefined> {
  if (rows === undefined || isReason(rows)) return rows
  const { metricNames, metricOf } = await import('../../evaluation/metrics.ts')
  const names = comparedMetrics(rules).map(({ name }) => name)
  const asked = [...new Set(rules.slices.flatMap(({ min, max }) => [...Object.keys(min), ...Object.keys(max)]))]
  const known = metricNames(rows)
  const metrics = names.flatMap((name): [string, number][] => {
    const value = metricOf(rows, name)
    return value === undefined ? [] : [[name, value]]
  })
  return {
    rows: rows.rows,
    metrics: Object.fromEntries(metrics),
    known: [...known, ...asked.filter((name) => !known.includes(name) && known.includes(knownName(name)))],
    slices: await slicesOf(ctx, rules, rows),
    fairness: await fairnessOf(ctx, rules, rows),
  }
}

async function slicesOf(
  ctx: Context,
  { slices }: GateRules,
  rows: HeldOut,
): Promise<Readonly<Record<string, FromRows<readonly SliceResult[]>>>> {
  if (slices.length === 0) return {}
  const { sliceMetrics } = await import('../../evaluation/slices.ts')
  const { metricNames } = await import('../../evaluation/metrics.ts')
  const found = new Map<string, FromRows<readonly SliceResult[]>>()
  for (const { by } of slices) {
    if (found.has(by)) continue
    const rules = slices.filter((rule) => rule.by === by)
    const asked = [...new Set(rules.flatMap(({ min, max }) => [...Object.keys(min), ...Object.keys(max)]))]
    // One that is not known would take the others with it.
    const metrics = asked.filter((name) => metricNames(rows).includes(knownName(name)))
    ctx.progress?.(`metrics by ${by}`)
    found.set(by, await orReason(ctx, async () => sliceMetrics(rows, by, metrics)))
  }
  return Object.fromEntries(found)
}

async function fairnessOf(
  ctx: Context,
  { fairness }: GateRules,
  rows: HeldOut,
): Promise<readonly FromRows<FairnessResult>[]> {
  if (fairness.length === 0) return []
  const evaluation = await import('../../evaluation/fairness.ts')
  const found: FromRows<FairnessResult>[] = []
  for (const { by, measure } of fairness) {
    ctx.progress?.(`${measure} by ${by}`)
    found.push(await orReason(ctx, async () => evaluation.fairnessOf(rows, by, measure)))
  }
  return found
}

interface Pairing {
  readonly stage: string
  readonly challenger: VersionFacts
  readonly champion: Champion
  readonly rows: OpenRows
}

/** Undefined where one of the two has no predictions on the rows of the challenger. */
export async function pairedWith(
  ctx: Context,
  store: Store,
  rules: GateRules,
  { stage, challenger, champion, rows }: Pairing,
): Promise<Champion['paired']> {
  const metrics = comparedMetrics(rules)
  if (rows === undefined || isReason(rows) || metrics.length === 0) return undefined
  if (champion.digest === challenger.digest || sameFiles(champion.manifest, challenger.manifest)) return undefined
  const theirs = await championRows(ctx, store, challenger, champion)
  if (theirs === undefined || isReason(theirs)) return theirs
  const measured = champion.rescore?.kind === 'measured' ? champion.rescore.challenger : undefined
  if (measured !== undefined && measured.heldOut === undefined) {
    return { reason: 'the evaluate command wrote the answers of the champion and none of this version' }
  }
  // What one command wrote is compared with what the same command wrote.
  const ours = measured?.heldOut ?? rows
  const { comparePaired, pairRows, whyNotComparable } = await import('../../evaluation/paired.ts')
  const { metricOf } = await import('../../evaluation/metrics.ts')
  const pair = pairRows(ours, theirs)
  if (pair.kind === 'unpaired') return { reason: pair.reason }
  const found: [string, FromRows<PairedComparison>][] = []
  for (const { name, better } of metrics) {
    ctx.progress?.(`comparing ${name} with ${champion.model}@${champion.version} row by row`)
    const reason = whyNotComparable(pair.challenger, pair.champion, name)
    if (reason !== undefined) {
      found.push([name, { reason }])
      continue
    }
    const value = metricOf(pair.champion, name) ?? 0
    const margin = allowanceOf(rules.margins[stage] ?? [], name, value).value
    found.push([name, comparePaired(pair.challenger, pair.champion, { metric: name, better, margin })])
    ctx.signal?.throwIfAborted()
  }
  return Object.fromEntries(found)
}

/** On the rows of the challenger: written while it was scored anew, else recorded with the same test set. */
async function championRows(
  ctx: Context,
  store: Store,
  challenger: VersionFacts,
  { manifest, rescore }: Champion,
): Promise<OpenRows> {
  if (rescore?.kind === 'measured') {
    if (rescore.heldOut !== undefined) return rescore.heldOut
    return rescore.unreadable === undefined ? undefined : { reason: rescore.unreadable }
  }
  if (manifest.testPredictions === undefined || testSetsOf(challenger.manifest, manifest) !== 'same') return undefined
  return orReason(ctx, async () =>
    (await import('../../evaluation/held-out.ts')).readHeldOut(store, manifest, options(ctx, [])),
  )
}

const options = (ctx: Context, by: readonly string[]) => ({
  by,
  ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
})

/** What the rows do not allow is a finding of the gate, with its reason, and no error of the program. */
async function orReason<T>(ctx: Context, make: () => Promise<T>): Promise<FromRows<T>> {
  try {
    return await make()
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (!(error instanceof MlopsError)) throw error
    const said = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
    return { reason: said.replace(/\.$/, '') }
  }
}
