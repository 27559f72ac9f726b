/** What the tests of src/evaluation/ share: held-out rows made of plain arrays, seeded numbers, the Python reference. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { namingOf } from '../../../src/evaluation/naming.ts'
import type { GroupColumn, HeldOut } from '../../../src/evaluation/types.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

export interface Columns {
  readonly truth: readonly (string | number)[]
  readonly answer: readonly (string | number)[]
  readonly score?: readonly number[]
  readonly id?: readonly number[]
  readonly groups?: Readonly<Record<string, readonly (string | null)[]>>
}

/** Rows in memory, as the reader would make them. Words are classes; `quantity` makes numbers a regression. */
export function heldOutOf(columns: Columns, quantity = false): HeldOut {
  const { truth, answer, score, id, groups = {} } = columns
  const naming = quantity ? undefined : namingOf([...new Set(truth.map(String))], [...new Set(answer.map(String))])
  const code = (value: string | number): number =>
    naming === undefined ? Number(value) : naming.indexOf(String(value))
  const classes = naming?.classes ?? []
  return {
    rows: truth.length,
    task: naming === undefined ? 'regression' : classes.length > 2 ? 'multiclass' : 'binary',
    classes,
    positive: naming?.positive ?? null,
    truth: Float64Array.from(truth, code),
    answer: Float64Array.from(answer, code),
    score: score === undefined ? null : Float64Array.from(score),
    id: id === undefined ? null : Float64Array.from(id),
    groups: Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, groupOf(values)])),
    notes: [],
  }
}

function groupOf(values: readonly (string | null)[]): GroupColumn {
  const distinct = [...new Set(values.filter((value) => value !== null))].sort()
  return {
    values: distinct,
    codes: Int16Array.from(values, (value) => (value === null ? -1 : distinct.indexOf(value))),
  }
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Standard normal numbers. */
export function normalOf(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export interface TwoVersions {
  readonly truth: number[]
  readonly score: number[]
  readonly other: number[]
}

/** Two models that see the same signal with noise of their own: scores in (0, 1), rounded where there should be ties. */
export function twoVersions(
  rows: number,
  seed: number,
  options: { gap?: number; share?: number; digits?: number } = {},
): TwoVersions {
  const { gap = 0.3, share = 0.3, digits } = options
  const random = randomOf(seed)
  const normal = normalOf(random)
  const squash = (value: number): number => {
    const score = 1 / (1 + Math.exp(-value))
    return digits === undefined ? score : Number(score.toFixed(digits))
  }
  const all = Array.from({ length: rows }, () => {
    const truth = random() < share ? 1 : 0
    const common = normal()
    return {
      truth,
      score: squash(truth * (1 + gap) + common + 0.5 * normal() - 1),
      other: squash(truth + common + 0.5 * normal() - 1),
    }
  })
  return {
    truth: all.map(({ truth }) => truth),
    score: all.map(({ score }) => score),
    other: all.map(({ other }) => other),
  }
}

export const said = (scores: readonly number[]): number[] => scores.map((score) => (score >= 0.5 ? 1 : 0))

/** Challenger and champion of `twoVersions`, with ids. */
export function pairOf({ truth, score, other }: TwoVersions): readonly [HeldOut, HeldOut] {
  const id = truth.map((_, row) => row)
  return [
    heldOutOf({ truth, answer: said(score), score, id }),
    heldOutOf({ truth, answer: said(other), score: other, id }),
  ]
}

/** Asks test/python/evaluation_reference.py, one answer for each request. Skips the test where the environment is not set up. */
// biome-ignore lint/suspicious/noExplicitAny: the answers of the Python reference
export function askPython(context: Mocha.Context, ...requests: readonly Readonly<Record<string, unknown>>[]): any[] {
  needsPython(context)
  const { stdout, stderr, status } = spawnSync(PYTHON, [join(ROOT, 'test/python/evaluation_reference.py')], {
    input: JSON.stringify(requests),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

export interface Folder {
  readonly path: string
  /** @returns the absolute path */
  write(name: string, content: string | Uint8Array): string
  remove(): void
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'mlops-evaluation-'))
  return {
    path,
    write(name, content) {
      writeFileSync(join(path, name), content)
      return join(path, name)
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
