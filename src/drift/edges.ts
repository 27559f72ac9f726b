/**
 * Choosing the edges of a numeric column from a sorted sample, once, when a baseline is registered.
 * Nothing here reads data or counts; docs/profile-format.md (Edges) states the same rules for a second implementation.
 */
import type { Resolution, Wide } from './profile.ts'

/** At most this many quantile cut points per column; a value is heavy from 1/1,000 of the sample on. */
export const MAX_CUTS = 1_000
const FEWEST_CUTS = 50
/** Cut points of all columns together: a profile of 4,096 columns stays a file that one can copy about. */
const ALL_CUTS = 200_000

/** Cut points for each column of data this wide: 1,000 up to 200 columns, then fewer. */
export const cutsFor = (columns: number): number =>
  Math.max(FEWEST_CUTS, Math.min(MAX_CUTS, Math.floor(ALL_CUTS / Math.max(1, columns))))

export interface Edges {
  readonly resolution: Resolution
  readonly edges: readonly Wide[]
  readonly singles: readonly (readonly [number, Wide])[]
}

interface Run<T> {
  readonly value: T
  readonly count: number
}

/** How to place an edge for one resolution. Each edge e separates x <= e from x > e. */
interface Placer<T> {
  /** An edge near `value`, which is no value of the sample; undefined where none is needed. */
  readonly near: (value: number) => T | undefined
  /** An edge with a <= e < b, or undefined when the resolution cannot tell a and b apart. */
  readonly between: (a: T, b: T) => T | undefined
  /** The bin (lo, hi] that holds `value` alone. */
  readonly around: (value: T) => readonly [T, T]
}

/** @param sorted finite values, ascending; may be empty */
export function chooseEdges(sorted: Float64Array, most = MAX_CUTS): Edges {
  const runs = runsOf(sorted)
  const resolution = resolutionOf(runs)
  const placer = resolution === 'float32' ? FLOAT32 : resolution === 'float64' ? FLOAT64 : INTEGER
  const { edges, singles } = place(runs, sorted.length, most, placer, (a, b) => a < b)
  return { resolution, edges, singles }
}

/** As `chooseEdges`, for whole numbers beyond 2^53. @param sorted ascending */
export function chooseBigEdges(sorted: BigInt64Array, most = MAX_CUTS): Edges {
  const { edges, singles } = place(runsOf(sorted), sorted.length, most, BIGINT, (a, b) => a < b)
  return {
    resolution: 'bigint',
    edges: edges.map(String),
    singles: singles.map(([bin, value]) => [bin, String(value)] as const),
  }
}

function place<T extends number | bigint>(
  runs: readonly Run<T>[],
  total: number,
  most: number,
  placer: Placer<T>,
  less: (a: T, b: T) => boolean,
): { edges: T[]; singles: (readonly [number, T])[] } {
  const isHeavy = (run: Run<T>) => run.count >= Math.max(2, total / most)
  const boxes = boxesAround(runs.filter(isHeavy), placer, less)
  const light = runs.filter((run) => !isHeavy(run))
  const cuts = withTails(quantileCuts(light, total, most, placer), runs, total, placer, less)
  // A cut inside the box of a heavy value would split that value from its own rounding errors.
  const edges: T[] = []
  const push = (edge: T) => {
    const last = edges.at(-1)
    if (last === undefined || less(last, edge)) edges.push(edge)
  }
  const singles: (readonly [number, T])[] = []
  let cut = 0
  const pushCutsUpTo = (limit: T | undefined) => {
    for (; cut < cuts.length; cut++) {
      const edge = cuts[cut] as T
      if (limit !== undefined && !less(edge, limit)) return
      push(edge)
    }
  }
  for (const box of boxes) {
    pushCutsUpTo(box.lo)
    push(box.lo)
    while (cut < cuts.length && !less(box.hi, cuts[cut] as T)) cut++
    singles.push([edges.length, box.value])
    push(box.hi)
  }
  pushCutsUpTo(undefined)
  return { edges, singles }
}

interface Box<T> {
  readonly value: T
  lo: T
  hi: T
}

function boxesAround<T extends number | bigint>(
  heavy: readonly Run<T>[],
  placer: Placer<T>,
  less: (a: T, b: T) => boolean,
): Box<T>[] {
  const boxes: Box<T>[] = []
  for (const { value } of heavy) {
    const [lo, hi] = placer.around(value)
    const last = boxes.at(-1)
    if (last === undefined || !less(lo, last.hi)) {
      boxes.push({ value, lo, hi })
      continue
    }
    // Neighbours closer than their boxes are wide share one edge; what cannot be told apart shares one box.
    const edge = placer.between(last.value, value)
    if (edge === undefined) continue
    last.hi = edge
    boxes.push({ value, lo: edge, hi })
  }
  return boxes
}

/** Cut points at equal shares of the values that are not heavy; all midpoints when there are few values. */
function quantileCuts<T>(light: readonly Run<T>[], total: number, most: number, placer: Placer<T>): T[] {
  const mass = light.reduce((sum, run) => sum + run.count, 0)
  const parts = Math.min(light.length, Math.ceil((most * mass) / Math.max(1, total)))
  const cuts: T[] = []
  let seen = 0
  let next = 1
  for (let i = 0; i + 1 < light.length; i++) {
    const here = light[i] as Run<T>
    seen += here.count
    if (seen * parts < next * mass) continue
    const edge = placer.between(here.value, (light[i + 1] as Run<T>).value)
    if (edge === undefined) continue
    cuts.push(edge)
    next = Math.floor((seen * parts) / mass) + 1
  }
  return cuts
}

/** Tail edges lie at these multiples of a robust standard deviation beyond the outermost cut: 1/4, 1/2, 1 … 4,096. */
export const TAIL_EDGES = 15
const TAIL = Array.from({ length: TAIL_EDGES }, (_, k) => 2 ** (k - 2))

/**
 * Edges beyond the outermost cuts, ever wider apart: without them one outlier, or a batch that moves out of the
 * baseline's range, would lie in a bin of which only the end is known.
 */
function withTails<T extends number | bigint>(
  cuts: readonly T[],
  runs: readonly Run<T>[],
  total: number,
  placer: Placer<T>,
  less: (a: T, b: T) => boolean,
): T[] {
  const at = (level: number): number => {
    let seen = 0
    for (const { value, count } of runs) {
      seen += count
      if (seen >= level * total) return Number(value)
    }
    return 0
  }
  const ranges = [(at(0.75) - at(0.25)) / 1.349, (at(0.95) - at(0.05)) / 3.29, at(1) - at(0), Math.abs(at(0))]
  const scale = ranges.find((range) => range > 0) ?? 1
  const first: T | undefined = cuts[0] ?? runs[0]?.value
  const last: T | undefined = cuts.at(-1) ?? runs.at(-1)?.value
  if (first === undefined || last === undefined) return [...cuts]
  const below = TAIL.toReversed().flatMap((factor) => placer.near(Number(first) - factor * scale) ?? [])
  const above = TAIL.flatMap((factor) => placer.near(Number(last) + factor * scale) ?? [])
  return [...below.filter((edge) => less(edge, first)), ...cuts, ...above.filter((edge) => less(last, edge))]
}

function runsOf<T extends number | bigint>(sorted: ArrayLike<T>): Run<T>[] {
  const runs: { value: T; count: number }[] = []
  for (let i = 0; i < sorted.length; i++) {
    const value = sorted[i] as T
    const last = runs.at(-1)
    if (last !== undefined && last.value === value) last.count++
    else runs.push({ value, count: 1 })
  }
  return runs
}

/** From here on float32 no longer holds every whole number. */
const FLOAT32_INTEGERS = 2 ** 24

function resolutionOf(runs: readonly Run<number>[]): Resolution {
  const isWhole = runs.every(({ value }) => Number.isSafeInteger(value))
  const largest = runs.reduce((max, { value }) => Math.max(max, Math.abs(value)), 0)
  if (isWhole && largest >= FLOAT32_INTEGERS) return 'integer'
  let distinct = 0
  let last = Number.NaN
  for (const { value } of runs) {
    const rounded = Math.fround(value)
    if (rounded !== last) distinct++
    last = rounded
  }
  // Values that float32 cannot tell apart (seconds since 1970, 1e-50, 1e300) keep their full precision.
  return distinct >= 0.9 * runs.length ? 'float32' : 'float64'
}

const FLOAT32: Placer<number> = {
  near: (value) => {
    const rounded = Math.fround(value)
    return Number.isFinite(rounded) ? middle(rounded, next32(rounded)) : undefined
  },
  between: (a, b) => {
    const [low, high] = [Math.fround(a), Math.fround(b)]
    if (low === high) return undefined
    if (!Number.isFinite(low) || !Number.isFinite(high)) return middle(a, b)
    const near = Math.fround(middle(a, b))
    // The doubles halfway between neighbouring float32 are where rounding to float32 changes its mind.
    const above = middle(near, next32(near))
    return near < high ? above : middle(next32(near, -1), near)
  },
  around: (value) => {
    const rounded = Math.fround(value)
    if (!Number.isFinite(rounded)) return FLOAT64.around(value)
    const [below, above] = [next32(rounded, -1), next32(rounded)]
    return [middle(next32(below, -1), below), middle(above, next32(above))]
  },
}

const FLOAT64: Placer<number> = {
  near: (value) => (Number.isFinite(value) ? value + 0 : undefined),
  between: (a, b) => {
    const edge = middle(a, b)
    return edge < b ? edge : a
  },
  around: (value) => [next64(next64(value, -1), -1), next64(value)],
}

const INTEGER: Placer<number> = {
  near: (value) => whole(value),
  between: (a, b) => whole(middle(a, b)),
  around: (value) => [whole(value - 1), whole(value)],
}
/** The edge above the whole number `value`: halfway to the next one where a double can say so. */
const whole = (value: number): number => (Math.abs(value) < 2 ** 51 ? Math.floor(value) + 0.5 : Math.floor(value))

const BIGINT: Placer<bigint> = {
  near: () => undefined,
  // Shifted, not divided: a sum of negatives must round down, too.
  between: (a, b) => (a + b) >> 1n,
  around: (value) => [value > -(2n ** 63n) ? value - 1n : value, value],
}

/** Halves first: the sum of two large doubles may overflow. Adding 0 turns -0 into 0. */
const middle = (a: number, b: number): number =>
  (Math.abs(a) > 1e307 || Math.abs(b) > 1e307 ? a / 2 + b / 2 : (a + b) / 2) + 0

const f32 = new Float32Array(1)
const i32 = new Int32Array(f32.buffer)
/** The next float32 above (or, with -1, below) `value`, which is one itself. Saturates at the largest one. */
function next32(value: number, direction: 1 | -1 = 1): number {
  f32[0] = value === 0 ? 0 : value
  const bits = i32[0] as number
  if (value === 0) return direction * 2 ** -149
  i32[0] = bits + (value > 0 === direction > 0 ? 1 : -1)
  const next = f32[0] as number
  return Number.isFinite(next) ? next : value
}

const f64 = new Float64Array(1)
const i64 = new BigInt64Array(f64.buffer)
/** The next double above (or, with -1, below) `value`. Saturates at the largest one. */
function next64(value: number, direction: 1 | -1 = 1): number {
  if (value === 0) return direction * Number.MIN_VALUE
  f64[0] = value
  i64[0] = (i64[0] as bigint) + (value > 0 === direction > 0 ? 1n : -1n)
  const next = f64[0] as number
  return Number.isFinite(next) ? next : value
}
