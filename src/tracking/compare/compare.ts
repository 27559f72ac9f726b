/**
 * Several runs side by side, every subject in a file of its own beside this one. Pure: facts in, comparison out; what
 * a view shows of it (only what differs) is the view's choice. Nothing here says why: `differences.ts` does.
 */
import type { RunNote } from '../records/annotations.ts'
import type { MetricSeries } from '../records/series.ts'
import { type CodeComparison, compareCode } from './code.ts'
import { type CommandComparison, compareCommands } from './command-line.ts'
import { type DataRow, dataRows, type Folders } from './data.ts'
import { type Difference, differencesOf } from './differences.ts'
import type { RunFacts } from './facts.ts'
import { type Directions, type MetricRow, metricRows } from './metrics.ts'
import { comparePackages, type PackagesComparison } from './packages.ts'
import { remarks } from './remarks.ts'
import { labelOf, namesOf, type Row, rowOfCells, type ValueRow, valueRows } from './rows.ts'
import { type SeriesRow, seriesRows } from './series.ts'
import { sameWords, unknownWords } from './summary.ts'
import { type OutcomeRow, outcomeRows, type SurroundingRow, surroundingRows } from './surroundings.ts'

export interface ComparedRun {
  /** `A`, `B`, … in the order in which they were named. */
  readonly label: string
  readonly run: string
  /** `churn-model@3`, where it was named as the run behind a version. */
  readonly version: string | null
  readonly model: string | null
  readonly status: RunFacts['status']
  readonly started: string
  /** Seconds. */
  readonly duration: number | null
  readonly by: string
  readonly command: readonly string[]
  /** What people said of it, oldest first. */
  readonly notes: readonly RunNote[]
}

export interface ArtifactCell {
  readonly sha256: string
  readonly size: number
}

export interface RunComparison {
  readonly runs: readonly ComparedRun[]
  /** What a reader must know to trust the rest; sentences. */
  readonly remarks: readonly string[]
  /** What is equal, in words: `data`, `packages`, `12 parameters`. */
  readonly same: readonly string[]
  /** What cannot be compared, and why; sentences. */
  readonly unknown: readonly string[]
  readonly metrics: readonly MetricRow[]
  readonly series: readonly SeriesRow[]
  readonly params: readonly ValueRow[]
  readonly command: CommandComparison
  readonly data: readonly DataRow[]
  readonly code: CodeComparison
  readonly packages: PackagesComparison
  readonly surroundings: readonly SurroundingRow[]
  readonly outcome: readonly OutcomeRow[]
  readonly tags: readonly ValueRow[]
  readonly artifacts: readonly Row<ArtifactCell>[]
  /** For each run after the first: what may explain a difference from the first, the likeliest first. */
  readonly differences: readonly (readonly Difference[])[]
}

export interface CompareInput {
  readonly facts: RunFacts
  readonly version: string | null
  readonly series: readonly MetricSeries[]
  readonly notes: readonly RunNote[]
}

export interface CompareOptions {
  /** Which way metrics count where a gate of the model says so. */
  readonly directions?: Directions
  readonly folders?: Folders
}

/** @param runs two or more; differences are from the first */
export function compareRuns(runs: readonly CompareInput[], options: CompareOptions = {}): RunComparison {
  const facts = runs.map((run) => run.facts)
  const data = dataRows(
    facts.map((run) => run.data),
    options.folders,
  )
  const [first, ...others] = facts
  const subjects = {
    metrics: metricRows(
      facts.map((run) => run.metrics),
      options.directions,
    ),
    series: seriesRows(runs.map((run) => run.series)),
    params: valueRows(facts.map((run) => run.params)),
    command: compareCommands(facts.map((run) => run.command)),
    data,
    code: compareCode(facts),
    packages: comparePackages(facts.map((run) => run.packages)),
    surroundings: surroundingRows(facts),
    outcome: outcomeRows(facts),
    tags: valueRows(facts.map(({ tags }) => Object.fromEntries(tags.map((tag) => [tag, true])))),
    artifacts: artifactRows(facts),
  }
  return {
    runs: runs.map(comparedRun),
    remarks: remarks(facts, data),
    same: sameWords(subjects),
    unknown: unknownWords(subjects),
    ...subjects,
    differences: others.map((other) => (first === undefined ? [] : differencesOf(first, other))),
  }
}

const comparedRun = ({ facts, version, notes }: CompareInput, at: number): ComparedRun => ({
  label: labelOf(at),
  run: facts.run,
  version,
  model: facts.model,
  status: facts.status,
  started: facts.started,
  duration: facts.duration,
  by: facts.actor,
  command: facts.command,
  notes,
})

function artifactRows(runs: readonly RunFacts[]): Row<ArtifactCell>[] {
  const sides = runs.map(({ artifacts }) => new Map(artifacts.map(({ path, ...file }) => [path, file])))
  return namesOf(sides.map((side) => side.keys())).map((path) =>
    rowOfCells(
      path,
      sides.map((side) => side.get(path) ?? null),
      ({ sha256 }) => sha256,
    ),
  )
}
