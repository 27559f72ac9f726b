/** A comparison as titled tables and lines, before it is drawn in any form. Plain text; each form escapes it. */

import type { CodeDiff } from '../../../tracking/compare/code-diff.ts'
import type { RunComparison } from '../../../tracking/compare/compare.ts'

export interface ComparisonShown {
  readonly comparison: RunComparison
  /** With `--diff`. */
  readonly diffs: readonly CodeDiff[] | null
}

export type Tone = 'good' | 'bad' | 'warn' | 'soft'

export interface Cell {
  readonly text: string
  readonly tone?: Tone | undefined
}

export interface SectionRow {
  readonly name: string
  /** Of a metric: which way is better. */
  readonly better?: 'higher' | 'lower' | null
  /** One for each run, then one for each of `extra`. */
  readonly cells: readonly Cell[]
}

/** Pieces that stand side by side on a line. */
export type Line = readonly Cell[]

export interface Section {
  readonly title: string
  /** Columns after those of the runs: `Difference`, `Better`. */
  readonly extra: readonly string[]
  readonly rows: readonly SectionRow[]
  readonly lines: readonly Line[]
  /** Rows that were left out because they are too many. */
  readonly more: number
}

export interface SectionOptions {
  /** Equal values too, and every row. */
  readonly all: boolean
}

/** What differs; with `--all` everything. */
export const keep = <R extends { readonly same: boolean }>(rows: readonly R[], { all }: SectionOptions): R[] =>
  rows.filter(({ same }) => all || !same)
