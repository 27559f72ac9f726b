/**
 * Brings two versions' answers on the same rows together, row by row, or says why they cannot be. Comparing them is in
 * `paired.ts`.
 */
import { positiveClass } from '../core/classes.ts'
import { rowsOf } from './few.ts'
import { levelsOf, orderBy } from './levels.ts'
import { meaningOf } from './naming.ts'
import type { GroupColumn, HeldOut } from './types.ts'

export type Pairing =
  | {
      readonly kind: 'paired'
      /** Both in the same order, with the same classes. */
      readonly challenger: HeldOut
      readonly champion: HeldOut
      readonly by: 'id' | 'place'
    }
  | { readonly kind: 'unpaired'; readonly reason: string }

/**
 * By id when both have ids that name one row each; by place when neither is sure, and rows, truths and every group column
 * that both have agree. With ids the result does not depend on the order of either file.
 */
export function pairRows(challenger: HeldOut, champion: HeldOut): Pairing {
  const isQuantity = challenger.task === 'regression'
  if (isQuantity !== (champion.task === 'regression')) {
    const [one, other] = isQuantity ? ['numbers', 'classes'] : ['classes', 'numbers']
    return unpaired(`the challenger answers with ${one}, the champion with ${other}`)
  }
  const [ours, theirs] = [sortedIds(challenger), sortedIds(champion)]
  const byId = ours !== null && theirs !== null
  if (byId) {
    const foreign = countForeign(ours.ids, theirs.ids)
    if (foreign > 0 || ours.ids.length !== theirs.ids.length) {
      const missing = countForeign(theirs.ids, ours.ids)
      return unpaired(
        `not the same rows: ${some(foreign)} of the challenger's ${challenger.rows} ids are not among the champion's, ${some(missing)} of the champion's ${champion.rows} not among the challenger's`,
      )
    }
  } else if (challenger.rows !== champion.rows) {
    return unpaired(
      `${rowsOf(challenger.rows)} of the challenger against ${champion.rows} of the champion, and ${NO_IDS}`,
    )
  }
  const [a, b] = sameClasses(
    ours === null || !byId ? challenger : inOrder(challenger, ours.order),
    theirs === null || !byId ? champion : inOrder(champion, theirs.order),
  )
  const differ = countDiffering(a, b)
  if (differ > 0) {
    return unpaired(
      byId
        ? `the truth differs in ${differ} of ${a.rows} rows: labels were corrected, or the ids name other rows`
        : `the truth differs in ${differ} of ${a.rows} rows, and ${NO_IDS}`,
    )
  }
  const odd = byId ? undefined : Object.keys(a.groups).find((name) => differs(a.groups[name], b.groups[name]))
  if (odd !== undefined) return unpaired(`the rows are in another order: ${odd} differs, and ${NO_IDS}`)
  return { kind: 'paired', challenger: a, champion: b, by: byId ? 'id' : 'place' }
}

const NO_IDS = 'there is no id column in both with one row for each id to match them by'
const unpaired = (reason: string): Pairing => ({ kind: 'unpaired', reason })
const some = (count: number): string => (count === 0 ? 'none' : String(count))

/** Null without ids that name one row each. */
function sortedIds({ id }: HeldOut): { readonly ids: Float64Array; readonly order: Int32Array } | null {
  if (id === null) return null
  const levels = levelsOf(id)
  if (levels.count < id.length) return null
  const order = orderBy(levels.of, levels.count)
  return { ids: Float64Array.from(order, (row) => id[row] as number), order }
}

/** How many of the first are not in the second; both sorted. */
function countForeign(first: Float64Array, second: Float64Array): number {
  let foreign = 0
  let place = 0
  for (const id of first) {
    while (place < second.length && (second[place] as number) < id) place++
    if (second[place] !== id) foreign++
  }
  return foreign
}

/** The same rows in another order. */
export function inOrder(heldOut: HeldOut, order: Int32Array): HeldOut {
  const pick = (values: Float64Array): Float64Array => Float64Array.from(order, (row) => values[row] as number)
  const { truth, answer, score, id } = heldOut
  const groups = Object.entries(heldOut.groups).map(([name, { values, codes }]) => [
    name,
    { values, codes: codes === null ? null : Int16Array.from(order, (row) => codes[row] as number) },
  ])
  return {
    ...heldOut,
    rows: order.length,
    truth: pick(truth),
    answer: pick(answer),
    score: score === null ? null : pick(score),
    id: id === null ? null : pick(id),
    groups: Object.fromEntries(groups),
  }
}

/** The classes of both, as the challenger spells them: one version may never say a class that the other says. */
function sameClasses(challenger: HeldOut, champion: HeldOut): readonly [HeldOut, HeldOut] {
  if (challenger.task === 'regression') return [challenger, champion]
  const spelled = new Map<string, string>()
  for (const name of [...challenger.classes, ...champion.classes]) {
    if (!spelled.has(meaningOf(name))) spelled.set(meaningOf(name), name)
  }
  const lower = (name: string): string => name.trim().toLowerCase()
  const classes = [...spelled.values()].sort((one, other) => (lower(one) < lower(other) ? -1 : 1))
  const word = classes.length > 2 ? undefined : positiveClass(classes.map(lower))
  const positive = classes.find((name) => lower(name) === word) ?? null
  const places = new Map(classes.map((name, place) => [meaningOf(name), place]))
  const recoded = (heldOut: HeldOut): HeldOut => {
    const place = heldOut.classes.map((name) => places.get(meaningOf(name)) ?? -1)
    const recode = (values: Float64Array) => values.map((label) => place[label] ?? -1)
    const { truth, answer, score } = heldOut
    const task = classes.length > 2 ? 'multiclass' : 'binary'
    // A score speaks of one of two classes.
    const kept = task === 'binary' ? score : null
    return { ...heldOut, task, classes, positive, truth: recode(truth), answer: recode(answer), score: kept }
  }
  return [recoded(challenger), recoded(champion)]
}

/** Numbers may have been written with the precision of a float32. */
function countDiffering({ task, truth }: HeldOut, other: HeldOut): number {
  const isQuantity = task === 'regression'
  let count = 0
  for (let row = 0; row < truth.length; row++) {
    const [one, two] = [truth[row] as number, other.truth[row] as number]
    if (one !== two && !(isQuantity && Math.fround(one) === Math.fround(two))) count++
  }
  return count
}

function differs(one: GroupColumn | undefined, other: GroupColumn | undefined): boolean {
  if (one === undefined || other === undefined || one.codes === null || other.codes === null) return false
  const { codes } = other
  const name = ({ values }: GroupColumn, code: number | undefined) =>
    code === undefined || code < 0 ? null : meaningOf(values[code] ?? '')
  const same = one.values.map((_, code) => name(one, code))
  const theirs = other.values.map((_, code) => name(other, code))
  return one.codes.some((code, row) => (same[code] ?? null) !== (theirs[codes[row] as number] ?? null))
}
