/** What `mlops store verify` found, as a person reads it: the verdict first, then each damaged file and whom it hurts. */
import type { PullReport } from '../../store/git-pull.ts'
import type { VerifyReport } from '../../store/verify.ts'
import { bytes } from '../time.ts'
import type { Ui } from '../ui.ts'

/** Of those affected by one file. */
const SHOWN = 5

export function renderVerify(ui: Ui, report: VerifyReport): string {
  const { style } = ui
  const parts = [
    count(report.files, 'file'),
    bytes(report.bytes),
    count(report.objects, 'object'),
    count(report.models, 'model'),
    count(report.events, 'event'),
    count(report.runs, 'run'),
  ]
  const read = ui.wrap(style.dim(`Read ${parts.join(', ')} of ${ui.text(report.root)}.`), 2)
  const lines = report.ok
    ? [ui.wrap(`${style.good(style.symbols.ok)} The store is whole${anchored(report)}.`, 2), read]
    : [
        `${style.bad(style.symbols.bad)} ${count(report.damages.length, 'file')} damaged.`,
        read,
        '',
        damages(ui, report),
      ]
  if (report.warnings.length > 0) lines.push('', warnings(ui, report))
  if (!report.ok)
    lines.push(
      '',
      ui.wrap(
        'Restore these files from a copy of the store; storing the same file again also replaces a damaged object.',
      ),
    )
  return lines.join('\n')
}

/** What `mlops store pull` brought. */
export function renderPull(ui: Ui, { remote, branch, commit, changed }: PullReport): string {
  const { style } = ui
  const what = changed ? 'The folder is up to' : 'Nothing new in'
  return `${style.good(style.symbols.ok)} ${what} ${ui.text(branch)} of ${ui.text(remote)} ${style.dim(commit.slice(0, 12))}`
}

const anchored = ({ against }: VerifyReport): string =>
  against === undefined
    ? ''
    : `, and so is its history up to ${against.time}: ${count(against.events, 'event')} as exported then`

/** Blocks and not a table: the name of an object alone is as wide as a terminal. */
function damages(ui: Ui, report: VerifyReport): string {
  const { style } = ui
  return report.damages
    .map(({ file, problem, why, affects }) =>
      [
        style.name(ui.text(file)),
        ui.wrap(`  ${style.bad(problem)}: ${ui.text(why)}`, 4),
        ...(affects.length === 0 ? [] : [ui.wrap(`  affects ${affected(ui, affects)}`, 4)]),
      ].join('\n'),
    )
    .join('\n')
}

/** What is in a stage comes first: that is what hurts. */
function affected(ui: Ui, affects: readonly string[]): string {
  const inStage = (one: string): number => (/@\d+ \(/.test(one) ? 0 : 1)
  const sorted = [...affects].sort((a, b) => inStage(a) - inStage(b))
  const more = sorted.length > SHOWN ? ` and ${sorted.length - SHOWN} more (all of them: --json)` : ''
  return `${sorted.slice(0, SHOWN).map(ui.text).join('; ')}${more}`
}

function warnings(ui: Ui, { warnings }: VerifyReport): string {
  const { style } = ui
  return warnings
    .map(({ file, why }) => ui.wrap(`${style.warn(style.symbols.warn)} ${ui.text(file)}: ${ui.text(why)}`, 2))
    .join('\n')
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
