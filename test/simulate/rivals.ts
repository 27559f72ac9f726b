/**
 * What the simulation compares with, on the same draws: "PSI above 0.1" by itself, as tutorials have it, and Evidently's
 * DataDriftPreset with its defaults, in one Python process that is handed the rows (`evidently_worker.py`).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ColumnProfile, NumericColumn } from '../../src/drift/profile.ts'
import type { Drawn, Rows } from './draws.ts'

const THRESHOLD = 0.1
/** Empty bins get this share, as in the common implementations. */
const FLOOR = 1e-4

/** For each column: whether PSI over the baseline's deciles (or categories), nulls left out, is above 0.1. */
export function psiAlone({ baseline, batch, rows }: Drawn): boolean[] {
  return baseline.columns.map((before, i) => {
    const [a, b] = rows === undefined ? fromCounts(before, batch.columns[i] ?? before) : fromRows(rows[i] as Rows)
    return plainPsi(a, b) > THRESHOLD
  })
}

function plainPsi(before: readonly number[], after: readonly number[]): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)
  const [n, m] = [total(before), total(after)]
  if (n === 0 || m === 0) return 0
  return before.reduce((psi, count, i) => {
    const p = Math.max(FLOOR, count / n)
    const q = Math.max(FLOOR, (after[i] ?? 0) / m)
    return psi + (q - p) * Math.log(q / p)
  }, 0)
}

function fromRows({ kind, before, after }: Rows): [number[], number[]] {
  const there = (rows: Float64Array) => rows.filter((value) => (kind === 'numeric' ? !Number.isNaN(value) : value >= 0))
  const [x, y] = [there(before).sort(), there(after)]
  if (kind === 'categorical') {
    const names = [...new Set([...x, ...y])]
    const tally = (rows: Float64Array) => {
      const counts = new Map<number, number>()
      for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1)
      return names.map((name) => counts.get(name) ?? 0)
    }
    return [tally(x), tally(y)]
  }
  const at = (level: number) => {
    const place = level * (x.length - 1)
    const low = x[Math.floor(place)] ?? 0
    return low + (place - Math.floor(place)) * ((x[Math.ceil(place)] ?? low) - low)
  }
  const cuts = [...new Set([1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => at(tenth / 10)))]
  const count = (rows: Float64Array) => {
    const counts = new Array<number>(cuts.length + 1).fill(0)
    for (const row of rows) {
      const bin = cuts.findIndex((cut) => row <= cut)
      const at = bin < 0 ? cuts.length : bin
      counts[at] = (counts[at] ?? 0) + 1
    }
    return counts
  }
  return [count(x), count(y)]
}

/** Where there are counts only: deciles at the nearest of the baseline's 1,000 edges. */
function fromCounts(before: ColumnProfile, after: ColumnProfile): [number[], number[]] {
  if (before.type === 'categorical' && after.type === 'categorical') {
    return [
      [...before.counts, 0],
      [...after.counts, after.new],
    ]
  }
  const [a, b] = [(before as NumericColumn).counts, (after as NumericColumn).counts]
  const n = a.reduce((sum, count) => sum + count, 0)
  const [x, y] = [new Array<number>(10).fill(0), new Array<number>(10).fill(0)]
  let seen = 0
  a.forEach((count, bin) => {
    const decile = Math.min(9, Math.floor((10 * (seen + count / 2)) / n))
    x[decile] = (x[decile] ?? 0) + count
    y[decile] = (y[decile] ?? 0) + (b[bin] ?? 0)
    seen += count
  })
  return [x, y]
}

export interface EvidentlyAnswer {
  /** Names of the columns it calls drifted. */
  readonly drifted: readonly string[]
  /** Its verdict on the data set: at least half of the columns. */
  readonly dataset: boolean
}

/** One Evidently in one Python process; checks are answered one after the other. */
export class Evidently {
  readonly #python: ChildProcess
  readonly #answers: ((line: string) => void)[] = []

  constructor(python: string) {
    this.#python = spawn(python, [fileURLToPath(new URL('evidently_worker.py', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (this.#python.stdout === null) throw new Error('no output of Evidently')
    createInterface({ input: this.#python.stdout }).on('line', (line) => this.#answers.shift()?.(line))
    this.#python.on('exit', (code) => {
      for (const answer of this.#answers) answer(JSON.stringify({ error: `Evidently ended with ${code}` }))
    })
  }

  async check(rows: readonly Rows[]): Promise<EvidentlyAnswer> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve))
    const columns = rows.map(({ kind, before, after }) => ({ kind, n: before.length, m: after.length }))
    this.#python.stdin?.write(`${JSON.stringify({ columns })}\n`)
    for (const { before, after } of rows) {
      for (const side of [before, after])
        this.#python.stdin?.write(Buffer.from(side.buffer, side.byteOffset, side.byteLength))
    }
    const found = JSON.parse(await answer) as EvidentlyAnswer & { error?: string }
    if (found.error !== undefined) throw new Error(found.error)
    return found
  }

  close(): void {
    this.#python.stdin?.end()
  }
}
