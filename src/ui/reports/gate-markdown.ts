/** The answer of `mlops gate check` as GitHub-flavoured Markdown, for `$GITHUB_STEP_SUMMARY` or a pull request. */
import type { GateReport } from '../../lifecycle/gate/check.ts'
import type { GateCheck } from '../../store/events.ts'
import { isWaiting, noteLabel } from '../views/gate.ts'
import { code, prose, table } from './markdown-escape.ts'
import { plain } from './words.ts'

const MARKS: Readonly<Record<GateCheck['verdict'], string>> = {
  pass: '✅',
  fail: '❌',
  inconclusive: '⚠️',
  waived: '➖',
}

/** Of a note: it must neither push the table out of sight nor fill the summary. */
const LONGEST_NOTE = 1500

export function renderGateMarkdown(report: GateReport): string {
  const { model, version, stage, from, gate } = report
  const held = from === null ? 'nothing is there now' : `now ${code(`${model}@${from}`)}`
  const rows = gate.checks.map((check) => [
    `${isWaiting(check) ? '⏳' : MARKS[check.verdict]} ${code(plain(check.name))}`,
    prose(plain(check.required)),
    prose(plain(check.actual)),
    isWaiting(check) ? 'waiting' : check.verdict,
  ])
  const notes = gate.checks.flatMap((check) =>
    check.note === undefined
      ? []
      : [`- ${code(plain(noteLabel(gate, check)))}: ${prose(plain(check.note, LONGEST_NOTE))}`],
  )
  return [
    `## ${headline(report)}: ${code(`${model}@${version}`)} → ${code(stage)}`,
    `${said(report)} (${held})`,
    gate.checks.length === 0 ? 'This gate has no checks.' : table(['check', 'required', 'actual', 'verdict'], rows),
    [...new Set(notes)].join('\n'),
    lapsed(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Whose word does not count any more, and why. */
const lapsed = ({ uncounted }: GateReport): string =>
  uncounted
    .map(({ name, time, why }) => {
      const when = time === null ? '' : `, given at ${time},`
      return `- ⚠️ The approval of ${code(plain(name))}${when} does not count: ${prose(plain(why))}.`
    })
    .join('\n')

function headline({ verdict, awaitsApproval }: GateReport): string {
  if (awaitsApproval) return '⏳ Waits for approval'
  return { pass: '✅ The gate lets it in', fail: '❌ The gate refuses it', inconclusive: '⚠️ Inconclusive' }[verdict]
}

function said({ counts, withoutApproval, approvalsMissing }: GateReport): string {
  // What waits for a person has not failed.
  const shown = { ...counts, fail: counts.fail - counts.waiting }
  const parts = (['fail', 'inconclusive', 'waiting', 'waived', 'pass'] as const)
    .filter((verdict) => shown[verdict] > 0)
    .map((verdict) => `${shown[verdict]} ${verdict}`)
  const people = withoutApproval && approvalsMissing > 0 ? '; approvals were left out' : ''
  return `${parts.length === 0 ? 'no checks' : parts.join(', ')}${people}`
}
