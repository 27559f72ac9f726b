/**
 * Drawing a check with segments: every segment has its own distribution, before as after, so that comparing a segment
 * with all rows would find differences that were always there.
 */
import { Binner } from '../../src/drift/binning.ts'
import { mergeProfiles, type NumericColumn, type Profile, toNumber } from '../../src/drift/profile.ts'
import type { SegmentCounts } from '../../src/drift/segments.ts'
import type { Cell } from './checks.ts'
import { numericPair, profilesOf } from './draws.ts'
import { normalOf, type Uniform } from './shapes.ts'

export interface DrawnSegments {
  readonly baseline: Profile
  readonly batch: Profile
  readonly reference: SegmentCounts
  readonly segments: SegmentCounts
}

/** Segment s has about 1/(s+1) of the rows of the first; its columns are normal around s/2; `shift` moves the first one. */
export function drawSegments({ n, m, columns, shift, segments: count = 10 }: Cell, uniform: Uniform): DrawnSegments {
  const weights = Array.from({ length: count }, (_, s) => 1 / (s + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const draw = (rows: number, moved: number): Float64Array[][] =>
    weights.map((weight, s) => {
      const own = Math.round((rows * weight) / total)
      return Array.from({ length: columns }, () =>
        Float64Array.from({ length: own }, () => normalOf(uniform) + s / 2 + (s === 0 ? moved : 0)),
      )
    })
  const [before, after] = [draw(n, 0), draw(m, shift)]
  const definitions = Array.from({ length: columns }, (_, c) => {
    const values = Float64Array.from(before.flatMap((segment) => Array.from(segment[c] ?? [])))
    // The sample of the program is scattered over the file; ours stands in segment order.
    return numericPair(`c${c}`, values, values)[0]
  })
  const profiles = (sides: readonly Float64Array[][]) =>
    sides.map((segment) => {
      const counted = definitions.map((definition, c) => recount(definition, segment[c] ?? new Float64Array(0)))
      return profilesOf(definitions, counted, segment[0]?.length ?? 0)
    })
  const [reference, segments] = [profiles(before), profiles(after)]
  const counts = (list: readonly Profile[]): SegmentCounts => ({
    ...{ format: 1, kind: 'segments', by: 'segment', others: null },
    rows: list.reduce((sum, { rows }) => sum + rows, 0),
    segments: list.map((profile, s) => ({ value: `s${s}`, profile })),
  })
  return {
    baseline: reference.reduce(mergeProfiles),
    batch: segments.reduce(mergeProfiles),
    reference: counts(reference),
    segments: counts(segments),
  }
}

function recount(definition: NumericColumn, rows: Float64Array): NumericColumn {
  const counts = new Float64Array(definition.edges.length + 1)
  const found = new Binner(Float64Array.from(definition.edges, toNumber)).tally(rows, rows.length, undefined, counts)
  const isEmpty = rows.length === 0
  return { ...definition, counts: [...counts], min: isEmpty ? null : found.min, max: isEmpty ? null : found.max }
}
