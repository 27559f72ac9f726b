/**
 * A check as JUnit XML, for the test report of any CI system: a case per column, per figure of health and quality, per
 * segment. Drift is a failure; what cannot be said is skipped, never passed.
 *
 * The structure is what both common schemas accept: Jenkins' junit plugin and the one of Ant's JUnit task.
 */
import type { ColumnResult } from '../../drift/types.ts'
import { asList, type Reported, type ReportedCheck } from './types.ts'
import {
  arrows,
  checkName,
  currentName,
  figure,
  isDrifted,
  limitText,
  metricName,
  plain,
  whatChanged,
} from './words.ts'

interface Case {
  readonly group: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What kind of failure: `drift`, `broken`, `breach`. */
  readonly type: string
  readonly message: string
  readonly text?: string
}

export function renderJunitReport(reported: Reported): string {
  const suites = asList(reported).map((check, id) => suite(check, id))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`
}

function suite(check: ReportedCheck, id: number): string {
  const cases = casesOf(check)
  const of = (outcome: Case['outcome']): number => cases.filter((each) => each.outcome === outcome).length
  // Ant's schema wants a local time without fraction and zone, a host, and both streams.
  const head = attributes({
    name: checkName(check),
    package: 'mlops.drift',
    id,
    timestamp: plain(check.time).slice(0, 19),
    hostname: 'localhost',
    tests: cases.length,
    failures: of('failed'),
    errors: 0,
    skipped: of('skipped'),
    time: 0,
  })
  const properties = [
    ['verdict', check.verdict],
    ['current', currentName(check)],
    ['current.sha256', check.current.sha256],
    ['current.rows', check.current.rows],
    ['reference', plain(check.reference.name)],
    ['reference.profile', check.reference.profile],
    ['reference.rows', check.reference.rows],
    ['metric', check.metric],
    ['configuration', check.configuration],
  ] as const
  return [
    `  <testsuite${head}>`,
    '    <properties>',
    ...properties.map(([name, value]) => `      <property${attributes({ name, value })}/>`),
    '    </properties>',
    ...cases.map((each) => testCase(each, checkName(check))),
    `    <system-out>${text([plain(check.summary, 2000), ...(check.next === undefined ? [] : [`Next: ${plain(check.next, 2000)}`]), ...check.notes.map((note) => plain(note))].join('\n'))}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
  ].join('\n')
}

function casesOf(check: ReportedCheck): Case[] {
  const { health, quality, segments } = check
  return [
    {
      group: 'check',
      name: 'verdict',
      outcome: outcomeOf(check.verdict),
      type: check.verdict,
      message: arrows(plain(check.summary, 1000)),
      ...(check.next === undefined ? {} : { text: `Next: ${plain(check.next, 2000)}` }),
    },
    ...check.columns.map(columnCase),
    ...(health?.findings ?? []).map(({ what, verdict, summary }) => ({
      group: 'health',
      name: what,
      outcome: outcomeOf(verdict),
      type: verdict,
      message: arrows(plain(summary)),
    })),
    ...(quality?.metrics ?? []).map(({ metric, value, reference, verdict }) => ({
      group: 'quality',
      name: plain(metric),
      outcome: outcomeOf(verdict),
      type: verdict,
      message: `${plain(metric)} is ${figure(value)}${reference === null ? '' : `, ${figure(reference)} when registered`}`,
    })),
    ...(segments?.results ?? []).map(({ value, kind, verdict, summary }) => ({
      group: `segments of ${plain(segments?.column ?? '')}`,
      name: kind === 'value' ? plain(value) : `(${kind})`,
      outcome: outcomeOf(verdict),
      type: verdict,
      message: arrows(plain(summary)),
    })),
  ]
}

function columnCase(column: ColumnResult): Case {
  const measured = `${metricName(column.metric)} ${figure(column.effect)}, limit ${limitText(column.threshold)}, noise up to ${figure(column.noise)}`
  return {
    group: 'columns',
    name: plain(column.column),
    outcome: isDrifted(column) ? 'failed' : outcomeOf(column.verdict),
    type: column.verdict,
    message: whatChanged(column).join('; '),
    text: [
      arrows(plain(column.summary)),
      ...column.causes.map((cause) => arrows(plain(cause))),
      ...(column.effect === null ? [] : [measured]),
    ].join('\n'),
  }
}

function outcomeOf(verdict: string): Case['outcome'] {
  if (verdict === 'drift' || verdict === 'broken' || verdict === 'breach') return 'failed'
  return verdict === 'stable' || verdict === 'negligible' || verdict === 'ok' ? 'passed' : 'skipped'
}

function testCase({ group, name, outcome, type, message, text: body }: Case, owner: string): string {
  // A dot in a class name begins a level in most viewers; that of a version's name must not.
  const head = `    <testcase${attributes({ name, classname: `${owner.replaceAll('.', '_')}.${group.replaceAll('.', '_')}`, time: 0 })}`
  if (outcome === 'passed') return `${head}/>`
  if (outcome === 'skipped') return `${head}><skipped${attributes({ message: `${type}: ${message}` })}/></testcase>`
  return `${head}><failure${attributes({ message, type })}>${text(body ?? message)}</failure></testcase>`
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(
      ([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"`,
    )
    .join('')

const text = (value: string): string => escapeXml(value)

/** Characters that XML 1.0 has no way to write become U+FFFD. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get through
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu

const escapeXml = (value: string): string =>
  value.replace(ILLEGAL, '\ufffd').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
