/**
 * What held-out predictions say, as facts of a gate: figures of the challenger and of its groups, and the paired
 * comparison with a champion. Reads rows; the statistics are in `src/evaluation/`, verdicts in `compare.ts` and
 * `slices.ts`. The rows themselves do not leave this file: a plan is kept while a person thinks.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import { knownName } from '../../core/metric-names.ts'
import type { FairnessResult, HeldOut, PairedComparison, SliceResult } from '../../evaluation/types.ts'
import type { Manifest } from '../../store/manifest.ts'
import type { Store } from '../../store/store.ts'
import { type Champion, type FromRows, type HeldOutFacts, isReason, type VersionFacts } from './facts.ts'
import { allowanceOf } from './margin.ts'
import { comparedMetrics, type GateRules } from './rules.ts'
import { sameFiles, testSetsOf, whyOtherRows } from './test-set.ts'

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
  return orReason(ctx, () => recordedRows(ctx, store, manifest, by))
}

/** What a version recorded, where it is of its test set. @param by the group columns that are asked for, else all of them */
async function recordedRows(
  ctx: Context,
  store: Store,
  manifest: Manifest,
  by?: readonly string[],
): Promise<FromRows<HeldOut>> {
  const { readHeldOut } = await import('../../evaluation/held-out.ts')
  const signal = ctx.signal === undefined ? {} : { signal: ctx.signal }
  const asked = await readHeldOut(store, manifest, by === undefined ? signal : { by, ...signal })
  const other = whyOtherRows(asked.rows, manifest)
  if (other !== undefined) return { reason: other }
  // Whoever asked for a column that is not there is told which ones are. Without ids two versions are matched by place,
  // and every column that both have says whether that is the right one.
  const isEnough = asked.id !== null && by?.every((name) => Object.hasOwn(asked.groups, name))
  return by === undefined || isEnough ? asked : readHeldOut(store, manifest, signal)
}

export async function heldOutFacts(
  ctx: Context,
  rules: GateRules,
  rows: OpenRows,
): Promise<FromRows<HeldOutFacts> | undefined> {
  if (rows === undefined || isReason(rows)) return rows
  const { metricNames, metricOf, whyNotMeasured } = await import('../../evaluation/metrics.ts')
  const names = comparedMetrics(rules).map(({ name }) => name)
  const asked = [...new Set(rules.slices.flatMap(({ min, max }) => [...Object.keys(min), ...Object.keys(max)]))]
  const known = metricNames(rows)
  const metrics = names.flatMap((name): [string, number][] => {
    const value = metricOf(rows, name)
    return value === undefined ? [] : [[name, value]]
  })
  const unknown = names.flatMap((name): [string, string][] => {
    const why = whyNotMeasured(rows, name)
    return why === undefined ? [] : [[name, why]]
  })
  return {
    rows: rows.rows,
    metrics: Object.fromEntries(metrics),
    ...(unknown.length === 0 ? {} : { unknown: Object.fromEntries(unknown) }),
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

/** What is known of a champion by the rows of the challenger. */
export type OnSameRows = Pick<Champion, 'paired' | 'slices'>

/** Nothing where no rule looks at rows; no `paired` where one of the two has no predictions on the rows of the challenger. */
export async function onSameRows(
  ctx: Context,
  store: Store,
  rules: GateRules,
  { stage, challenger, champion, rows }: Pairing,
): Promise<OnSameRows> {
  const metrics = comparedMetrics(rules)
  if (rows === undefined || isReason(rows) || metrics.length + rules.slices.length === 0) return {}
  if (champion.digest === challenger.digest || sameFiles(champion.manifest, challenger.manifest)) return {}
  const theirs = await championRows(ctx, store, challenger, champion, rows)
  if (theirs === undefined) return withSlices(rules, { reason: 'it has no predictions on these rows' })
  const pair = isReason(theirs) ? theirs : await pairOf(ctx, store, { challenger, champion, rows }, theirs)
  if (isReason(pair)) return { paired: pair, ...withSlices(rules, pair) }
  const { comparePaired, whyNotComparable } = await import('../../evaluation/paired.ts')
  const { metricOf } = await import('../../evaluation/metrics.ts')
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
  // A row is in the same group whoever answered it: the champion needs no columns of its own.
  const theirGroups = { ...pair.champion, groups: { ...pair.champion.groups, ...pair.challenger.groups } }
  return { paired: Object.fromEntries(found), ...withSlices(rules, await slicesOf(ctx, rules, theirGroups)) }
}

const withSlices = ({ slices }: GateRules, found: NonNullable<Champion['slices']>): OnSameRows =>
  slices.length === 0 ? {} : { slices: found }

interface SameRows {
  readonly challenger: HeldOut
  readonly champion: HeldOut
}

/** The rows of both brought together, or why they are not the same. */
async function pairOf(
  ctx: Context,
  store: Store,
  { challenger, champion, rows }: Omit<Pairing, 'stage'> & { readonly rows: HeldOut },
  theirs: HeldOut,
): Promise<FromRows<SameRows>> {
  const { manifest } = challenger
  const rescored = champion.rescore?.kind === 'measured' ? champion.rescore : undefined
  const measured = rescored?.challenger
  if (measured !== undefined && measured.heldOut === undefined) {
    return { reason: 'the evaluate command wrote the answers of the champion and none of this version' }
  }
  const other = rescored === undefined ? undefined : whyOtherRows(theirs.rows, manifest)
  if (other !== undefined) return { reason: `of what the evaluate command wrote ${other}` }
  // What one command wrote is compared with what the same command wrote. Rows that are matched by place need all columns.
  const isByPlace = theirs.id === null && rows.id !== null
  const ours = measured?.heldOut ?? (isByPlace ? await orReason(ctx, () => recordedRows(ctx, store, manifest)) : rows)
  if (isReason(ours)) return ours
  const { pairRows } = await import('../../evaluation/paired.ts')
  const pair = pairRows(ours, theirs)
  return pair.kind === 'unpaired' ? { reason: pair.reason } : pair
}

/** On the rows of the challenger: written while it was scored anew, else recorded with the same test set. */
async function championRows(
  ctx: Context,
  store: Store,
  challenger: VersionFacts,
  { manifest, rescore }: Champion,
  rows: HeldOut,
): Promise<OpenRows> {
  if (rescore?.kind === 'measured') {
    if (rescore.heldOut !== undefined) return rescore.heldOut
    return rescore.unreadable === undefined ? undefined : { reason: rescore.unreadable }
  }
  if (manifest.testPredictions === undefined || testSetsOf(challenger.manifest, manifest) !== 'same') return undefined
  return orReason(ctx, () => recordedRows(ctx, store, manifest, rows.id === null ? undefined : []))
}

/** What the rows do not allow is a finding of the gate, with its reason, and no error of the program. */
async function orReason<T>(ctx: Context, make: () => Promise<FromRows<T>>): Promise<FromRows<T>> {
  try {
    return await make()
  } catch (error) {
    ctx.signal?.throwIfAborted()
    if (!(error instanceof MlopsError)) throw error
    const said = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
    return { reason: said.replace(/\.$/, '') }
  }
}
