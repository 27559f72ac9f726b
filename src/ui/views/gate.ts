/** A gate's table, wherever one is shown, and the answer of `mlops gate check`. */
import type { GateReport } from '../../lifecycle/gate/check.ts'
import type { GateCheck, GateResult } from '../../store/events.ts'
import { displayWidth } from '../clean.ts'
import type { Ui } from '../ui.ts'
import { renderApprovals } from './approvals.ts'

/** Every check with what was required and found, and below it what the table has no room for; '' without checks. */
export function renderGate(ui: Ui, gate: GateResult): string {
  const { style } = ui
  const marks = { pass: style.symbols.ok, fail: style.symbols.bad, inconclusive: style.symbols.unknown, waived: '~' }
  const paint = (text: string, check: GateCheck): string => {
    if (isWaiting(check) || isDoubtful(check)) return style.warn(text)
    return check.verdict === 'fail' ? style.bad(text) : style.good(text)
  }
  const table = ui.table<GateCheck>(
    [
      {
        title: 'CHECK',
        value: (check) => `${isWaiting(check) ? style.symbols.unknown : marks[check.verdict]} ${check.name}`,
        paint,
      },
      { title: 'REQUIRED', value: ({ required }) => required },
      { title: 'ACTUAL', value: ({ actual }) => actual },
      { title: 'VERDICT', value: (check) => (isWaiting(check) ? 'waiting' : check.verdict), paint },
    ],
    gate.checks,
  )
  const notes = gate.checks.flatMap((check) =>
    check.note === undefined
      ? []
      : [ui.wrap(`${style.symbols.bullet} ${ui.text(noteLabel(gate, check))}: ${ui.text(check.note)}`, 2)],
  )
  const shown = table.split('\n').some((line) => displayWidth(line) > ui.width) ? narrow(ui, gate, marks, paint) : table
  return [shown, ...new Set(notes)].filter((part) => part !== '').join('\n')
}

/** Where the table does not fit: a line for each check, broken between words. Nothing of what decides is cut. */
function narrow(
  ui: Ui,
  { checks }: GateResult,
  marks: Readonly<Record<GateCheck['verdict'], string>>,
  paint: (text: string, check: GateCheck) => string,
): string {
  const lines = checks.map((check) => {
    const mark = isWaiting(check) ? ui.style.symbols.unknown : marks[check.verdict]
    const verdict = isWaiting(check) ? 'waiting' : check.verdict
    const wanted = ['optional', 'not bounded'].includes(check.required) ? '' : `; required: ${ui.text(check.required)}`
    const figures = `${ui.text(check.actual)}${wanted}`
    return ui.wrap(`${paint(`${mark} ${ui.text(check.name)} ${verdict}`, check)}: ${figures}`, 4)
  })
  return lines.join('\n')
}

/** What only a person's yes is missing from has not failed. */
export const isWaiting = ({ name, verdict }: GateCheck): boolean => name === 'approval' && verdict === 'fail'

/** A passing check with a note wants to be read, unless the note only says how the rows were compared. */
const isDoubtful = ({ verdict, note, evidence }: GateCheck): boolean =>
  verdict === 'inconclusive' ||
  verdict === 'waived' ||
  (verdict === 'pass' && note !== undefined && evidence === undefined)

/** The metric too, where several checks have one name. */
export function noteLabel({ checks }: GateResult, { name, metric }: GateCheck): string {
  const isOne = checks.filter((check) => check.name === name).length === 1
  return isOne || metric === undefined ? name : `${name} ${metric}`
}

export function renderGateReport(ui: Ui, report: GateReport): string {
  const { style } = ui
  const { model, version, stage, from, gate } = report
  const held = from === null ? 'nothing is there now' : `now ${model}@${from}`
  const head = `${style.name(`${model}@${version}`)} ${style.symbols.arrow} ${style.bold(stage)} (${held})`
  const table = gate.checks.length === 0 ? 'This gate has no checks.' : renderGate(ui, gate)
  // Who has approved stands in the table; whose word does not count any more stands nowhere else.
  const lapsed = renderApprovals(ui, { approvals: [], approvalsMissing: 0, uncounted: report.uncounted })
  return [head, table, lapsed, verdictOf(ui, report)].filter((part) => part !== '').join('\n\n')
}

function verdictOf(ui: Ui, report: GateReport): string {
  const { style } = ui
  const { verdict, counts, awaitsApproval } = report
  const waived = counts.waived === 0 ? '' : ` ${checks(counts.waived)} waived.`
  const done = style.dim('Nothing was changed.')
  if (awaitsApproval) {
    const text = `${style.symbols.unknown} Every other check passes; it waits for a person.${waived}`
    const why = 'Exit code 3, because without one nothing would move; to leave people out: --without-approval.'
    return ui.wrap(`${style.warn(text)} ${why} ${done}`)
  }
  if (verdict === 'pass') {
    const people = report.withoutApproval && report.approvalsMissing > 0 ? ' A person still has to approve it.' : ''
    const there = report.alreadyThere ? ' It is there already.' : ''
    return ui.wrap(`${style.good(`${style.symbols.ok} The gate lets it in.`)}${waived}${people}${there} ${done}`)
  }
  const open = counts.inconclusive === 0 ? '' : `${checks(counts.inconclusive)} inconclusive`
  if (verdict === 'inconclusive') {
    const text = `${style.symbols.unknown} Nothing fails, but ${open}: it would be refused.${waived}`
    return ui.wrap(`${style.warn(text)} ${done}`)
  }
  const failed = counts.fail - counts.waiting
  const said = [
    failed === 0 ? '' : `${failed} check${failed === 1 ? ' fails' : 's fail'}`,
    open,
    counts.waiting === 0 ? '' : `${counts.waiting} waits for a person`,
  ].filter((part) => part !== '')
  const text = `${style.symbols.bad} The gate refuses it: ${said.join(', ')}.${waived}`
  return ui.wrap(`${style.bad(text)} ${done}`)
}

/** `1 check is`, `3 checks are` */
const checks = (count: number): string => (count === 1 ? '1 check is' : `${count} checks are`)
