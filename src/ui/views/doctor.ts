/** `mlops doctor` as text: what is wrong first, then the four gaps of every model, then the next step. */
import type { DoctorReport, Finding } from '../../doctor/types.ts'
import type { Gap } from '../../lifecycle/status/gaps.ts'
import type { Ui } from '../ui.ts'

export function renderDoctor(ui: Ui, { findings, models, next }: DoctorReport): string {
  const { style } = ui
  const lines = findings.map((finding) => findingLines(ui, finding))
  const bad = findings.filter(({ severity }) => severity === 'bad').length
  const head =
    bad === 0 ? style.good('Nothing is broken.') : style.bad(`${bad} thing${bad === 1 ? ' is' : 's are'} broken.`)
  const step =
    next === null
      ? style.good('Nothing to do.')
      : `Next: ${style.command(next.command)}\n${ui.wrap(`      ${style.dim(ui.text(next.why))}`, 6)}`
  return [head, lines.join('\n'), gapTable(ui, models), missing(ui, models), step]
    .filter((part) => part !== '')
    .join('\n\n')
}

function findingLines(ui: Ui, { severity, summary, next }: Finding): string {
  const { style } = ui
  const { symbols } = style
  const mark = {
    bad: style.bad(symbols.bad),
    warn: style.warn(symbols.warn),
    unknown: style.warn(symbols.unknown),
    good: style.good(symbols.ok),
  }
  const said = ui.wrap(`${mark[severity]} ${ui.text(summary)}`, 2)
  return severity === 'bad' && next !== null ? `${said}\n  ${style.command(next)}` : said
}

type Models = DoctorReport['models']

function gapTable(ui: Ui, models: Models): string {
  const [first] = models
  if (first === undefined) return ''
  const { style } = ui
  const { symbols } = style
  const paint = { closed: style.good, partly: style.warn, open: style.bad, unknown: style.warn }
  const mark = { closed: symbols.ok, partly: symbols.warn, open: symbols.bad, unknown: symbols.unknown }
  const of = (gaps: readonly Gap[], name: string) => gaps.find((gap) => gap.name === name)
  return ui.table<Models[number]>(
    [
      { title: 'MODEL', value: ({ model, version }) => (version === null ? model : `${model}@${version}`) },
      ...first.gaps.map(({ name }) => ({
        title: name.toUpperCase(),
        value: ({ gaps }: Models[number]) => {
          const gap = of(gaps, name)
          return gap === undefined ? '' : `${mark[gap.rating]} ${gap.rating}`
        },
        paint: (text: string, { gaps }: Models[number]) => {
          const gap = of(gaps, name)
          return gap === undefined ? text : paint[gap.rating](text)
        },
      })),
    ],
    models,
  )
}

/** What each open gap lacks. */
function missing(ui: Ui, models: Models): string {
  const { style } = ui
  return models
    .flatMap(({ model, gaps }) =>
      gaps.flatMap(({ name, evidence }) => {
        const lacks = evidence.filter(({ holds }) => holds === false).map(({ says }) => ui.text(says))
        return lacks.length === 0 ? [] : [ui.wrap(`${style.symbols.bullet} ${model}, ${name}: ${lacks.join('; ')}`, 2)]
      }),
    )
    .join('\n')
}
