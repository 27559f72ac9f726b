/**
 * One simulated check: draws it from its seed, asks everybody, and says who alarmed. The same cell, seed and number is the
 * same draw for all, in whatever process it runs.
 */
import { compareProfiles } from '../../src/drift/compare.ts'
import { judgeSegments, verdictWithSegments } from '../../src/drift/segments.ts'
import { type Drawn, drawCounts, drawRows, type Side } from './draws.ts'
import { type Evidently, psiAlone } from './rivals.ts'
import { drawSegments } from './segments.ts'
import { normal, SHAPES, stream } from './shapes.ts'

export interface Cell {
  /** `none`: mixed columns, nothing shifts. `one`: the first of mixed columns shifts. `all`: normal columns, all shift. */
  readonly kind: 'none' | 'one' | 'all' | 'segments'
  readonly n: number
  readonly m: number
  readonly columns: number
  /** In standard deviations. */
  readonly shift: number
  readonly checks: number
  /** How many of them Evidently is asked about, too. */
  readonly evidently: number
  /** Of `segments`. */
  readonly segments?: number
}

/** Above this many rows a side, counts are drawn at once. */
const BY_ROWS = 50_000

/** How many checks alarmed; `named`: those in which the shifted column itself was called drifted. */
export interface Tally {
  checks: number
  ours: number
  oursNamed: number
  /** The shifted column was at least called different, though too small to matter. */
  oursSeen: number
  inconclusive: number
  psi: number
  psiNamed: number
  evidentlyChecks: number
  evidentlyAny: number
  evidentlyNamed: number
  evidentlyDataset: number
}

export const emptyTally = (): Tally => ({
  checks: 0,
  ours: 0,
  oursNamed: 0,
  oursSeen: 0,
  inconclusive: 0,
  psi: 0,
  psiNamed: 0,
  evidentlyChecks: 0,
  evidentlyAny: 0,
  evidentlyNamed: 0,
  evidentlyDataset: 0,
})

export function addTally(sum: Tally, more: Tally): Tally {
  const added = emptyTally()
  for (const key of Object.keys(added) as (keyof Tally)[]) added[key] = sum[key] + more[key]
  return added
}

/** @param round number of the check within its cell */
export function drawCheck(cell: Cell, seed: number, round: number): Drawn {
  const { n, m, columns, shift } = cell
  const kinds = { none: 0, one: 1, all: 2, segments: 3 }
  const uniform = stream(seed, kinds[cell.kind], n, m, columns, 1_000 * shift, round)
  const sides = Array.from({ length: columns }, (_, i): Side => {
    if (cell.kind === 'all' || (cell.kind === 'one' && i === 0)) return { shape: normal(), later: normal(shift) }
    return { shape: SHAPES[(round + i) % SHAPES.length] ?? normal() }
  })
  return Math.max(n, m) <= BY_ROWS ? drawRows(sides, n, m, uniform) : drawCounts(sides, n, m, uniform)
}

export async function runChecks(
  cell: Cell,
  seed: number,
  from: number,
  to: number,
  evidently: (() => Evidently) | undefined,
): Promise<Tally> {
  const tally = emptyTally()
  for (let round = from; round < to; round++) {
    tally.checks++
    if (cell.kind === 'segments') {
      segmentCheck(cell, seed, round, tally)
      continue
    }
    const drawn = drawCheck(cell, seed, round)
    const { verdict, columns } = compareProfiles(drawn.baseline, drawn.batch, { metric: 'psi' })
    const isOurs = verdict === 'drift'
    const first = columns.find(({ column }) => column === 'c0')?.verdict ?? 'stable'
    tally.ours += Number(isOurs)
    tally.inconclusive += Number(verdict === 'inconclusive')
    tally.oursNamed += Number(first === 'drift' || first === 'broken')
    tally.oursSeen += Number(['drift', 'broken', 'negligible'].includes(first))
    const psi = psiAlone(drawn)
    tally.psi += Number(psi.some(Boolean))
    tally.psiNamed += Number(psi[0])
    if (round >= cell.evidently || evidently === undefined || drawn.rows === undefined) continue
    const { drifted, dataset } = await evidently().check(drawn.rows)
    tally.evidentlyChecks++
    tally.evidentlyAny += Number(drifted.length > 0)
    tally.evidentlyNamed += Number(drifted.includes('c0'))
    tally.evidentlyDataset += Number(dataset)
  }
  return tally
}

/** `ours`: the check with its segments alarms; `oursNamed`: a segment alarms, and in `shift` it is the shifted one. */
function segmentCheck(cell: Cell, seed: number, round: number, tally: Tally): void {
  const drawn = drawSegments(cell, stream(seed, 3, cell.n, cell.m, cell.columns, 1_000 * cell.shift, round))
  const whole = compareProfiles(drawn.baseline, drawn.batch, { metric: 'psi' })
  const segments = judgeSegments(drawn.reference, drawn.segments, { metric: 'psi' })
  tally.ours += Number(verdictWithSegments(whole.verdict, segments) === 'drift')
  tally.inconclusive += Number(whole.verdict === 'inconclusive')
  const alarmed = segments.filter(({ verdict }) => verdict === 'drift')
  tally.oursNamed += Number(cell.shift === 0 ? alarmed.length > 0 : alarmed.some(({ value }) => value === 's0'))
  tally.oursSeen += Number(whole.verdict === 'drift')
}
