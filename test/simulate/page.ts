/** docs/drift-simulation.md: the figures of the simulation as tables, with how they came about. */
import type { Cell, Tally } from './checks.ts'
import { SHAPES } from './shapes.ts'

export interface PageFacts {
  readonly seed: number
  readonly scale: number
}

export function simulationPage(cells: readonly Cell[], tallies: readonly Tally[], { seed, scale }: PageFacts): string {
  const rows = cells.map((cell, i) => ({ cell, tally: tallies[i] as Tally }))
  const of = (...kinds: Cell['kind'][]) => rows.filter(({ cell }) => kinds.includes(cell.kind))
  const given = [...(seed === 1 ? [] : [`--seed ${seed}`]), ...(scale === 1 ? [] : [`--scale ${scale}`])]
  const command = ['npm run simulate:drift', ...(given.length === 0 ? [] : ['--', ...given])].join(' ')
  return `# How often a drift check is wrong

Written by \`${command}\` (seed ${seed}; \`test/simulate/\`); the figures do not depend on the machine or on the number of
processes. Evidently's columns need its environment: \`python3 -m venv .cache/evidently-venv\`, then
\`.cache/evidently-venv/bin/pip install -r test/bench/evidently/requirements.txt\` (pinned).

All checks use default settings: PSI 0.10, evidence, no schema. A figure is the share of checks in percent, ± 1.96
binomial standard errors; where none of k checks alarmed, the 95 % bound stands in brackets. "PSI alone" is PSI over the
baseline's deciles or categories above 0.1 in any column, empty bins counted as 0.0001. Evidently is
\`Report([DataDriftPreset()])\` of the pinned version on the same draws, the first ones of each row of a table, as many
as its column "of" says: "any" means at least one column is called drifted, "data set" that it calls the data set
drifted (at least half of the columns). Columns without values, on which it raises, are left out for it.

Up to 50,000 rows every row is drawn. Above, the edges still come from 50,000 drawn rows, as in the program, and the
counts of the other rows are drawn at once from the distribution function (binomials one after the other, by rejection:
exact), which has the same law for everything that decides; Evidently needs rows and is not asked there.

## Without drift: false alarms

The columns take these shapes in turn: ${SHAPES.map(({ name }) => name).join('; ')}.

${table(
  [
    'baseline',
    'batch',
    'columns',
    'checks',
    '**mlops**',
    '(inconclusive)',
    'PSI alone',
    'Evidently, any',
    'data set',
    'of',
  ],
  of('none').map(({ cell, tally }) => [
    ...sizes(cell),
    String(tally.checks),
    `**${share(tally.ours, tally.checks)}**`,
    plainShare(tally.inconclusive, tally.checks),
    share(tally.psi, tally.checks),
    share(tally.evidentlyAny, tally.evidentlyChecks),
    share(tally.evidentlyDataset, tally.evidentlyChecks),
    tally.evidentlyChecks === 0 ? '' : String(tally.evidentlyChecks),
  ]),
)}

${worstSentence(of('none'))} PSI alone alarms on noise where rows are few, and with
many categories (1,000 or 5,000) up to tens of thousands of rows, as its empty bins count much.

## With drift: detection

A normal column moves by a part of its standard deviation; PSI of 0.1, 0.2 and 0.5 standard deviations is 0.01, 0.04 and
0.25, so the first two lie below the default threshold *by design*: "seen" counts the checks that called the column
\`drift\` or \`negligible\` (different, but too small to matter). Lower the threshold where such a shift does matter.

One of 20 mixed columns moves; the share of checks in which *that column* is called drifted:

${table(
  ['rows each', 'shift', 'checks', '**mlops**', 'mlops, seen', 'PSI alone', 'Evidently', 'of'],
  of('one').map(({ cell, tally }) => [
    count(cell.n),
    `${cell.shift} σ`,
    String(tally.checks),
    `**${share(tally.oursNamed, tally.checks)}**`,
    share(tally.oursSeen, tally.checks),
    share(tally.psiNamed, tally.checks),
    share(tally.evidentlyNamed, tally.evidentlyChecks),
    tally.evidentlyChecks === 0 ? '' : String(tally.evidentlyChecks),
  ]),
)}

All of 20 normal columns move; the share of checks that alarm:

${table(
  [
    'rows each',
    'shift',
    'checks',
    '**mlops**',
    'mlops, first column seen',
    'PSI alone',
    'Evidently, any',
    'data set',
    'of',
  ],
  of('all').map(({ cell, tally }) => [
    count(cell.n),
    `${cell.shift} σ`,
    String(tally.checks),
    `**${share(tally.ours, tally.checks)}**`,
    share(tally.oursSeen, tally.checks),
    share(tally.psi, tally.checks),
    share(tally.evidentlyAny, tally.evidentlyChecks),
    share(tally.evidentlyDataset, tally.evidentlyChecks),
    tally.evidentlyChecks === 0 ? '' : String(tally.evidentlyChecks),
  ]),
)}

## Segments

Ten segments whose sizes fall as 1, 1/2, 1/3 …, each with a distribution of its own (means half a standard deviation
apart), five columns. Without drift, the share of checks that alarm, by the whole batch or by a segment; with the largest
segment moved by one standard deviation, the share of checks in which that segment is named.

${table(
  ['rows each', 'shift of one segment', 'checks', 'check or a segment alarms', 'segments alarm / the right one does'],
  of('segments').map(({ cell, tally }) => [
    count(cell.n),
    cell.shift === 0 ? 'none' : `${cell.shift} σ`,
    String(tally.checks),
    share(tally.ours, tally.checks),
    share(tally.oursNamed, tally.checks),
  ]),
)}
`
}

const count = (rows: number): string => rows.toLocaleString('en-US')
const sizes = ({ n, m, columns }: Cell): string[] => [count(n), count(m), String(columns)]

const percent = (value: number): string => (value >= 99.95 ? '100' : value.toFixed(1))

/** Percent with its Monte-Carlo error. */
export function share(found: number, of: number): string {
  if (of === 0) return ''
  // The exact 95 % bound when every one of them says the same: 0.05 to the power 1/k.
  const bound = 100 * (1 - 0.05 ** (1 / of))
  if (found === 0) return `0 (< ${percent(bound)})`
  if (found === of) return `100 (> ${percent(100 - bound)})`
  const p = found / of
  return `${percent(100 * p)} ± ${percent(196 * Math.sqrt((p * (1 - p)) / of))}`
}
const plainShare = (found: number, of: number): string => (of === 0 ? '' : `${Math.round((100 * found) / of)}`)

/** The worst cells, and whether any rate is above 5 % by more than its Monte-Carlo error. */
function worstSentence(rows: readonly { cell: Cell; tally: Tally }[]): string {
  const rate = ({ tally }: { tally: Tally }) => tally.ours / Math.max(1, tally.checks)
  const error = ({ tally }: { tally: Tally }) => (1.96 * Math.sqrt(0.05 * 0.95)) / Math.sqrt(Math.max(1, tally.checks))
  const known = rows.filter(({ tally }) => tally.checks >= 200)
  const [worst] = known.toSorted((a, b) => rate(b) - rate(a))
  const above = rows.filter((row) => rate(row) > 0.05 + error(row))
  const name = ({ cell }: { cell: Cell }) =>
    `${count(cell.m)} rows against ${count(cell.n)}, ${cell.columns} ${cell.columns === 1 ? 'column' : 'columns'}`
  const highest =
    worst === undefined
      ? ''
      : `The highest rate of \`mlops\` in at least 200 checks is ${share(worst.tally.ours, worst.tally.checks)} % (${name(worst)}). `
  const beyond =
    above.length === 0
      ? 'In no row is it above 5 % by more than what 5 % explain (1.96 standard errors).'
      : `It is above 5 % by more than 5 % explain (1.96 standard errors) in: ${above.map(name).join('; ')}.`
  return `${highest}${beyond}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---:')), ...rows.map(line)].join('\n')
}
