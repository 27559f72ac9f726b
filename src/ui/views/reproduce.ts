/** A reproduction as a person reads it: the plan, the steps as they are done, the table and the verdict. */
import { shortened } from '../../core/shortened.ts'
import type { ResultRow } from '../../tracking/reproduce/compare-runs.ts'
import type { Reproduction, Step } from '../../tracking/reproduce/result.ts'
import type { PlannedData, ReproducePlan } from '../../tracking/reproduce/types.ts'
import type { Style } from '../style.ts'
import { bytes, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { shortDigest } from './values.ts'

const SHOWN = 8

/** On stderr, after each step. */
export function renderStep(style: Style, { name, detail, seconds, ok }: Step): string {
  return `${ok ? style.good(style.symbols.ok) : style.bad(style.symbols.bad)} ${name.padEnd(11)} ${detail} ${style.dim(duration(seconds))}`
}

/** What one decides about who runs a command that somebody else recorded. */
export function renderForeign(ui: Ui, plan: ReproducePlan): string {
  const { style } = ui
  const why = plan.origin.foreign.map(ui.text).join('; ')
  return [
    ui.wrap(
      `${style.warn(style.symbols.warn)} Run ${style.name(plan.run)} would be repeated here with your rights: ${why}.`,
      2,
    ),
    ...facts(ui, plan).map(([name, text]) => `  ${style.dim(name.padEnd(11))} ${text}`),
  ].join('\n')
}

export function renderPlan(ui: Ui, plan: ReproducePlan): string {
  const { style } = ui
  const whose = plan.version === null ? '' : ` behind ${style.name(ui.text(plan.version))}`
  const lines = [
    `Plan: repeat run ${style.name(plan.run)}${whose}. ${style.dim('Dry run: nothing was changed.')}`,
    ...facts(ui, plan).map(([name, text]) => `  ${style.dim(name.padEnd(11))} ${text}`),
  ]
  for (const { what, why, mend } of plan.missing) {
    lines.push(ui.wrap(`${style.bad(style.symbols.bad)} ${ui.text(what)} is missing: ${ui.text(why)}`, 2))
    lines.push(`  ${style.symbols.arrow} ${style.command(ui.text(mend))}`)
  }
  for (const risk of plan.risks) lines.push(ui.wrap(`${style.warn(style.symbols.warn)} ${ui.text(risk)}`, 2))
  if (plan.missing.length === 0) {
    lines.push(
      `${style.good(style.symbols.ok)} Everything is here. Do it: ${style.command(`mlops run reproduce ${plan.version ?? plan.run}`)}`,
    )
  }
  return lines.join('\n')
}

function facts(ui: Ui, { code, data, environment, command, cwd, seed, origin }: ReproducePlan): [string, string][] {
  const patch =
    code.patch === null ? '' : ` with ${listed(ui, code.patch.files)} as changed (${bytes(code.patch.size)})`
  const submodules = code.submodules.map(({ path, commit }) => `${ui.text(path)} at ${commit?.slice(0, 12) ?? 'none'}`)
  const { python } = environment
  const packages = `${environment.packages} ${environment.packages === 1 ? 'package' : 'packages'}`
  return [
    ['command', ui.text(command.join(' '))],
    ['folder', ui.text(shortened(cwd))],
    ['of', `${ui.text(origin.actor)} on ${ui.text(origin.host)}`],
    ['code', `commit ${code.commit?.slice(0, 12) ?? 'none'}${patch}`],
    ...(submodules.length === 0 ? [] : [['submodules', submodules.join(', ')] as [string, string]]),
    ...data.map((each): [string, string] => ['data', describeData(ui, each)]),
    [
      'environment',
      environment.kind === 'none' || python === null
        ? 'not recorded: the programs of this machine'
        : environment.kind === 'current'
          ? `the present one: ${ui.text(python.executable ?? 'no Python')}`
          : `fresh: Python ${python.found ?? `${python.recorded} (not found)`}, ${packages} with ${environment.installer ?? 'nothing'}${environment.hashed === 0 ? '' : `, ${environment.hashed} by hash`}`,
    ],
    ...environment.sources.map((each): [string, string] => ['source', ui.text(shortened(each, 300))]),
    ['seed', seed === null ? 'none recorded' : String(seed)],
  ]
}

const ORIGINS: Readonly<Record<NonNullable<PlannedData['from']>, string>> = {
  git: 'from the commit',
  present: 'copied from where it lies',
  snapshot: 'from the store',
  mixed: 'from the store and from where it lies',
  dvc: 'by dvc pull',
  given: 'as given by --data',
  'in place': 'read where it is',
}

function describeData(ui: Ui, { name, path, size, sha256, from }: PlannedData): string {
  const what = `${ui.text(name)}: ${ui.text(shortened(path, 200))}${size === null ? '' : ` (${bytes(size)}, ${shortDigest(sha256)})`}`
  return `${what} ${from === null ? ui.style.bad('nowhere') : ORIGINS[from]}`
}

export function renderReproduction(ui: Ui, plan: ReproducePlan, outcome: Omit<Reproduction, 'plan'>): string {
  const { style } = ui
  // What is equal anyway, or follows from the plan, needs no line.
  const shown = outcome.rows.filter(
    ({ kind, verdict }) => !(kind === 'exit' || kind === 'param') || verdict !== 'equal',
  )
  const table = ui.table<ResultRow>(
    [
      { title: 'WHAT', value: ({ kind }) => kind },
      { title: 'NAME', value: ({ name }) => name, shrink: true },
      { title: 'ORIGINAL', value: (row) => cellOf(row, row.original), align: 'right' },
      { title: 'REPRODUCED', value: (row) => cellOf(row, row.reproduced), align: 'right' },
      {
        title: 'VERDICT',
        value: ({ verdict }) => verdict,
        paint: (text, { verdict }) => painted(style, verdict, text),
      },
      { title: '', value: ({ note }) => note ?? '', paint: style.dim, shrink: true },
    ],
    shown,
  )
  return [table, verdictLines(ui, plan, outcome).join('\n')].filter((part) => part !== '').join('\n\n')
}

function verdictLines(ui: Ui, plan: ReproducePlan, outcome: Omit<Reproduction, 'plan'>): string[] {
  const { style } = ui
  const { reproduction, verdict, causes, kept, failure, steady } = outcome
  const name = style.name(plan.version === null ? plan.run : `${ui.text(plan.version)} (run ${plan.run})`)
  const by = `, by run ${style.name(reproduction.run)}`
  const lines: string[] = []
  if (verdict === 'equal')
    lines.push(`${style.good(style.symbols.ok)} ${name} was reproduced: ${style.good('equal')}${by}`)
  if (verdict === 'within tolerance') {
    lines.push(`${style.good(style.symbols.ok)} ${name} was reproduced ${style.good('within tolerance')}${by}`)
  }
  if (verdict === 'different')
    lines.push(`${style.bad(style.symbols.bad)} ${name} came out ${style.bad('different')}${by}`)
  if (verdict === 'nothing to compare') {
    lines.push(`${style.warn(style.symbols.unknown)} ${name} was repeated${by}, but there is nothing to compare`)
    const why =
      plan.status === 'interrupted'
        ? 'The original was stopped before its end: what it had recorded by then is no result. Compare the repetition with a run that ended well.'
        : 'It recorded no metric and no artifact that counts: --artifact PATH, or metrics, when it is tracked.'
    lines.push(ui.wrap(`  ${why}`, 2))
  }
  if (verdict === 'failed') {
    const how = reproduction.exit === null ? `ended by ${reproduction.signal}` : `exit ${reproduction.exit}`
    const then = plan.status === 'interrupted' ? '; the original was stopped before its end' : ', and did not then'
    lines.push(`${style.bad(style.symbols.bad)} The command of ${name} failed here (${how})${then}${by}`)
    for (const line of failure?.tail.slice(-SHOWN) ?? []) lines.push(`  ${style.dim(ui.text(line))}`)
    if (failure?.cause != null) lines.push(ui.wrap(`  Likely cause: ${ui.text(failure.cause.text)}`, 2))
    if (failure?.cause?.hint != null)
      lines.push(`  ${style.symbols.arrow} ${style.command(ui.text(failure.cause.hint))}`)
  }
  for (const [at, { state, text }] of causes.entries()) {
    if (at > 0 && (state === 'left over' || at >= SHOWN)) continue
    lines.push(
      ui.wrap(`  ${at === 0 ? 'First cause' : 'Also'}${state === 'certain' ? '' : ' (possible)'}: ${ui.text(text)}`, 2),
    )
  }
  if (steady !== null)
    lines.push(`  Run twice here, it came out ${steady ? 'equal to itself' : style.bad('different from itself')}.`)
  if (kept !== null)
    lines.push(
      `  Kept: ${ui.text(kept.worktree)}`,
      `  ${style.dim('Take it away:')} ${style.command(ui.text(kept.remove))}`,
    )
  return lines
}

function cellOf({ kind }: ResultRow, value: ResultRow['original']): string {
  if (value === null) return ''
  return kind === 'artifact' ? shortDigest(String(value)) : String(value)
}

function painted(style: Style, verdict: ResultRow['verdict'], text: string): string {
  if (verdict === 'equal' || verdict === 'within tolerance') return style.good(text)
  return verdict === 'different' || verdict === 'missing' ? style.bad(text) : style.dim(text)
}

function listed(ui: Ui, files: readonly string[]): string {
  const shown = files.slice(0, 4).map(ui.text).join(', ')
  return files.length > 4 ? `${shown} and ${files.length - 4} more` : shown
}
