/** What is simulated: sizes, widths, shifts, and how many checks of each. Costs decide the counts: hours help nobody. */
import type { Cell } from './checks.ts'

/** Rows of the baseline and of the batch. */
const SIZES: readonly (readonly [number, number])[] = [
  [50, 50],
  [100, 100],
  [200, 200],
  [500, 500],
  [1_000, 1_000],
  [5_000, 5_000],
  [50_000, 50_000],
  [1_000_000, 1_000_000],
  [1_000, 50],
  [50, 1_000],
  [20_000, 500],
  [1_000_000, 200],
]
const WIDTHS = [1, 20, 200]

/** @param scale of the number of checks */
export function gridOf(scale: number): Cell[] {
  const cell = (one: Omit<Cell, 'checks' | 'evidently'>, cost: number, evidently = 0): Cell => {
    // Where the smaller side has few rows, noise alone can reach the threshold: there the rate must be known well.
    const budget = one.kind === 'none' && Math.min(one.n, one.m) <= 200 ? 120_000 : 15_000
    const checks = Math.max(20, Math.min(4_000, Math.round(budget / cost)))
    const scaled = (count: number) => Math.max(count === 0 ? 0 : 2, Math.round(scale * count))
    // 60 checks without an alarm are the fewest that show a rate below 5 %; a tiny run is for trying the script only.
    const fewest = one.kind === 'none' && scale >= 0.1 ? 60 : 0
    const asked = Math.min(scaled(checks), scaled(evidently))
    return { ...one, checks: Math.max(fewest, scaled(checks)), evidently: asked }
  }
  const none = SIZES.flatMap(([n, m]) =>
    WIDTHS.map((columns) => cell({ kind: 'none', n, m, columns, shift: 0 }, costOf(n, m, columns), asked(n, columns))),
  )
  const shifted = ([200, 1_000, 5_000, 50_000, 1_000_000] as const).flatMap((n) =>
    (['one', 'all'] as const).flatMap((kind) =>
      [0.1, 0.2, 0.5].map((shift) =>
        cell({ kind, n, m: n, columns: 20, shift }, 2 * costOf(n, n, 20), n <= 5_000 ? 15 : 0),
      ),
    ),
  )
  const segmented = ([1_000, 5_000, 20_000] as const).flatMap((n) =>
    [0, 1].map((shift) => cell({ kind: 'segments', n, m: n, columns: 5, shift, segments: 10 }, n / 100)),
  )
  return [...none, ...shifted, ...segmented]
}

/** About the milliseconds of one check. */
function costOf(n: number, m: number, columns: number): number {
  const rows = Math.min(n, 50_000) + Math.min(m, 5_000)
  return 2 + columns * (0.2 + rows / 3_500)
}

/** Evidently takes seconds for a check of 20 columns. */
function asked(n: number, columns: number): number {
  if (columns !== 20) return columns === 1 && n <= 1_000 ? 60 : 0
  return n <= 1_000 ? 50 : n <= 5_000 ? 25 : n <= 50_000 ? 10 : 0
}
