/** `mlops trace` as text: a story from the answer back to the people. What stands in it is decided in `lifecycle/trace/`. */
import type { LoggedPrediction, Trace, Value } from '../../lifecycle/trace/types.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { checkLines, codeLines, dataLines, peopleLines, runLines, versionLines } from './trace-parts.ts'
import { formatValue } from './values.ts'

/** A line of a section: its name, and what is said. */
export type Line = readonly [string, string]

export function renderTrace(ui: Ui, trace: Trace): string {
  const { style } = ui
  const { prediction, version } = trace
  const sections: [string, readonly Line[]][] = [
    ['Asked and answered', predictionLines(ui, trace)],
    ...(version === null
      ? []
      : ([
          ['By the version', versionLines(ui, trace, version)],
          ['Trained by the run', runLines(ui, version)],
          ['From the code', codeLines(ui, version)],
          ['On the data', dataLines(ui, version)],
          ['By these people', peopleLines(ui, version)],
          ['Checked', checkLines(ui, trace)],
        ] as [string, readonly Line[]][])),
  ]
  const answered = prediction.version === 0 ? 'an unknown version' : `${trace.model}@${prediction.version}`
  const parts = [
    ui.wrap(`${style.name(answered)} answered ${style.bold(ui.text(trace.id))}`, 2),
    ...trace.problems.map((problem) => ui.wrap(style.warn(`${style.symbols.warn} ${ui.text(problem)}`), 2)),
    ...sections.map(([title, lines]) => section(ui, title, lines)),
    nextPart(ui, trace),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function section(ui: Ui, title: string, lines: readonly Line[]): string {
  if (lines.length === 0) return ''
  const width = Math.max(...lines.map(([name]) => name.length))
  const shown = lines.map(([name, value]) => ui.wrap(`  ${ui.style.dim(name.padEnd(width))}  ${value}`, width + 4))
  return [ui.style.heading(title), ...shown].join('\n')
}

function predictionLines(ui: Ui, trace: Trace): Line[] {
  const { prediction, label, repeats, rejected } = trace
  const when = `${second(prediction.time)} (${ui.ago(prediction.time)})`
  const took = prediction.latency === null ? '' : `, in ${formatValue(prediction.latency)} ms`
  const variant = prediction.variant === null ? '' : `, variant ${ui.text(prediction.variant)}`
  return [
    ['when', `${when}${took}${variant}`],
    ...(prediction.features === null ? [] : [['features', members(ui, prediction.features)] as Line]),
    ['answer', answerOf(ui, prediction)],
    ['label', labelLine(ui, label)],
    ...about(ui, prediction),
    ['logged in', ui.text(prediction.place)],
    ...repeats.map((each): Line => {
      const same = each.version === prediction.version ? '' : ` by @${each.version}`
      return ['logged too', `${second(each.time)}${same}: ${answerOf(ui, each)} ${ui.style.dim(ui.text(each.place))}`]
    }),
    ...rejected.map(({ place, why }): Line => ['no record', `${ui.text(why)} ${ui.style.dim(ui.text(place))}`]),
  ]
}

function answerOf(ui: Ui, { output, status, error }: LoggedPrediction): string {
  if (status !== 'ok') return ui.style.bad(`${ui.text(status)}${error === null ? '' : `: ${ui.text(error)}`}`)
  if (typeof output === 'object' && output !== null) return members(ui, output as Readonly<Record<string, Value>>)
  return ui.style.bold(exact(output as Value))
}

function labelLine(ui: Ui, label: Trace['label']): string {
  if (label === null) return ui.style.dim('none has arrived')
  return `${formatValue(label.value)}${label.time === null ? '' : `, recorded ${day(label.time)}`}`
}

/** Members of the record that are not always there. */
function about(ui: Ui, prediction: LoggedPrediction): Line[] {
  const { user, segment, tokens, cost, tags, sampleRate, hidden } = prediction
  const given = (name: string, value: Value): Line[] => (value === null ? [] : [[name, formatValue(value)]])
  return [
    ...given('user', user),
    ...given('segment', segment),
    ...given('tokens', tokens),
    ...given('cost', cost),
    ...(tags === null ? [] : [['tags', members(ui, tags)] as Line]),
    ...(sampleRate === null || sampleRate === 1
      ? []
      : [['sampled', `${formatValue(100 * sampleRate)} % of such requests are logged`] as Line]),
    ...(hidden.length === 0 ? [] : [['hidden', ui.style.dim(ui.text(hidden.join(', ')))] as Line]),
  ]
}

/** One answer, not a figure: its last digit may be what is looked for. */
const exact = (value: Value): string => (typeof value === 'number' ? String(value) : formatValue(value))

const members = (ui: Ui, object: Readonly<Record<string, Value>>): string =>
  Object.entries(object)
    .map(([name, value]) => `${ui.style.dim(ui.text(name))} ${exact(value)}`)
    .join(', ') || ui.style.dim('none')

function nextPart(ui: Ui, { next }: Trace): string {
  // Commands are for copying: each whole on a line of its own.
  const lines = next.map(({ command, why }) => `  ${ui.style.command(command)}\n      ${ui.style.dim(ui.text(why))}`)
  return [ui.style.heading('Next'), ...lines].join('\n')
}

/** To the second: it is compared with the line of another log. */
export const second = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`
