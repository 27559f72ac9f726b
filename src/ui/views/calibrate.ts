/** Calibration for a terminal: how often it would have fired, column by column, what is proposed and how sure that is. */
import type { CalibratedColumn, Calibration, ConfigChange } from '../../monitor/calibration.ts'
import { count, figure, limitText, plural, share } from '../reports/words.ts'
import type { Ui } from '../ui.ts'

type Shown = Calibration & { readonly change: ConfigChange | null; readonly next: string }

/** Columns with a line of their own. */
const COLUMNS = 30

export function renderCalibration(ui: Ui, shown: Shown): string {
  const head = headLines(ui, shown)
  if (ui.quiet) return head.join('\n')
  const notes = shown.notes.map((note) => ui.style.dim(ui.wrap(`${ui.style.symbols.bullet} ${ui.text(note)}`, 2)))
  return [
    head.join('\n'),
    columnTable(ui, shown),
    proposalLines(ui, shown).join('\n'),
    notes.join('\n'),
    renderChange(ui, shown),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** The lines of mlops.yaml, whether they were written, and what to type next. */
export function renderChange(ui: Ui, { change, next }: Shown): string {
  const { style } = ui
  const parts: string[] = []
  if (change !== null && change.lines.length > 0) {
    const title = change.file === null ? 'Put this into a mlops.yaml:' : `${ui.text(change.file)}:`
    const lines = change.lines.map(({ mark, line, text }) => {
      if (change.file === null) return ui.text(text)
      const shown = `${String(line).padStart(5)} ${mark} ${ui.text(text)}`.trimEnd()
      return mark === '+' ? style.good(shown) : mark === '-' ? style.bad(shown) : style.dim(shown)
    })
    parts.push([title, ...lines].join('\n'))
    if (change.written) parts.push(style.good(`${style.symbols.ok} written to mlops.yaml`))
    else if (next !== '') parts.push(`${style.symbols.dash} nothing was written`)
  }
  if (next !== '') parts.push(`Next: ${style.command(next)}`)
  return parts.join('\n\n')
}

function headLines(ui: Ui, shown: Shown): string[] {
  const { style } = ui
  const { model, version, data, chunks, alarms, proposal, inconclusive } = shown
  const rows = data.kind === 'prediction log' ? `about ${plural(data.rowsEach, 'row')}` : plural(data.rowsEach, 'row')
  const order = data.order === 'shuffled' ? ', shuffled' : ''
  const title = `${style.name(`${model}@${version}`)}  ${plural(chunks.length, 'chunk')} of ${rows}${order}, of ${ui.text(data.source)}`
  const rate = alarms.of === 0 ? 0 : alarms.events / alarms.of
  if (alarms.of === 0) {
    const none = `${style.symbols.unknown} None of the ${plural(chunks.length, 'chunk')} could say anything: they are small`
    return [title, style.dim(ui.wrap(`rows of a chunk: ${ui.text(data.rowsFrom)}`)), style.warn(ui.wrap(none, 2))]
  }
  const ofWhat =
    inconclusive === 0 ? plural(alarms.of, 'check') : `${plural(alarms.of, 'check')} that can say something`
  const said = `${count(alarms.events)} of ${ofWhat} would have fired: ${share(rate)} (between ${share(alarms.low)} and ${share(alarms.high)} with 95 % confidence)`
  const isFine = proposal?.isPossible === true && rate <= proposal.falseAlarms
  const line = isFine ? style.good(`${style.symbols.ok} ${said}`) : style.warn(`${style.symbols.warn} ${said}`)
  const open =
    inconclusive === 0
      ? []
      : [ui.wrap(`${style.symbols.unknown} ${count(inconclusive)} could say nothing: the chunks are small`, 2)]
  const impossible = proposal?.isPossible === false ? [impossibleLine(ui, shown)] : []
  const size = style.dim(ui.wrap(`rows of a chunk: ${ui.text(data.rowsFrom)}`))
  return [title, size, ...impossible, ui.wrap(line, 2), ...open]
}

function impossibleLine(ui: Ui, { proposal, columns }: Shown): string {
  const stuck = columns.filter(({ column }) => proposal?.beyondHelp.includes(column))
  const [first] = stuck
  const more = stuck.length > 1 ? `, and so do ${stuck.length - 1} more` : ''
  const fires =
    first === undefined
      ? ''
      : `: ${first.column} fires in ${count(first.alarms.events)} of ${count(first.alarms.of)} chunks`
  const text = `${ui.style.symbols.bad} no threshold keeps this promise${ui.text(fires)}${more}`
  return ui.style.bad(ui.wrap(text, 2))
}

function columnTable(ui: Ui, { columns, threshold, proposal }: Shown): string {
  const { style } = ui
  // A new default for all is said below the table.
  const isOwn = (proposed: number | null) => proposed !== null && proposed !== proposal?.threshold
  const told = columns.filter(
    ({ alarms, proposed, role, threshold: own }) =>
      alarms.events > 0 || isOwn(proposed) || role === 'prediction' || own !== threshold,
  )
  const list = told.length === 0 ? columns.slice(0, 5) : told
  const hasNew = list.some(({ proposed }) => proposed !== null)
  const fired = ({ alarms: { events, of } }: CalibratedColumn) => `${count(events)} of ${count(of)}`
  const table = ui.table<CalibratedColumn>(
    [
      { title: 'COLUMN', value: ({ column }) => column, shrink: true },
      {
        title: 'FIRED',
        value: fired,
        align: 'right',
        paint: (text, { alarms, always }) => (always ? style.bad(text) : alarms.events > 0 ? style.warn(text) : text),
      },
      { title: 'MEDIAN', value: ({ effect }) => figure(effect?.median), align: 'right' },
      { title: 'MOST', value: ({ effect }) => figure(effect?.most), align: 'right' },
      { title: 'NOISE', value: ({ noise }) => figure(noise), align: 'right' },
      { title: 'LIMIT', value: (column) => limitText(column.threshold), align: 'right' },
      { title: 'DETECTS', value: ({ detects }) => shiftText(detects?.unit, detects?.today), align: 'right' },
      ...(hasNew
        ? [
            {
              title: 'PROPOSED',
              value: ({ proposed }: CalibratedColumn) => (proposed === null ? '' : limitText(proposed)),
              align: 'right' as const,
              paint: (text: string) => style.bold(text),
            },
            {
              title: 'DETECTS',
              value: ({ proposed, detects }: CalibratedColumn) =>
                proposed === null ? '' : shiftText(detects?.unit, detects?.proposed),
              align: 'right' as const,
            },
          ]
        : []),
    ],
    list.slice(0, COLUMNS),
  )
  const hidden = columns.length - Math.min(list.length, COLUMNS)
  return hidden > 0
    ? `${table}\n${style.dim(`${style.symbols.bullet} and ${plural(hidden, 'more column')}, see --json`)}`
    : table
}

/** `0.3 sigma`, `12 % of rows`; a shift beyond three sigma is none that could be waited for. */
function shiftText(unit: 'sigma' | 'share' | undefined, value: number | null | undefined): string {
  if (unit === undefined || value === undefined) return '–'
  if (value === null) return 'nothing'
  return unit === 'sigma' ? `${value.toFixed(2)} sigma` : `${share(value)} of rows`
}

/** Columns that a threshold makes no check of. */
function columnWarnings(ui: Ui, { columns }: Shown): string[] {
  const { style } = ui
  const lines: string[] = []
  const always = columns.filter((column) => column.always && column.role === 'feature')
  const told = columns.filter((column) => column.always && column.role !== 'feature')
  for (const { column, role } of told) {
    lines.push(
      ui.wrap(
        `${style.symbols.warn} The ${role} ${ui.text(column)} differs in half of the chunks or more: see whether it is written as in the baseline (same values, same type), and whether these rows were chosen by it. If its share did change, it is no data to calibrate on: name others with --data.`,
        2,
      ),
    )
  }
  if (always.length > 0) {
    const it = always.length === 1 ? 'One column differs' : `${count(always.length)} columns differ`
    lines.push(
      ui.wrap(
        `${style.symbols.warn} ${it} in half of the chunks or more: ${named(ui, always)}. A season, a trend, or a counter: declare such a column ignore under schema.columns, or compare with --against previous.`,
        2,
      ),
    )
  }
  const blind = columns.filter(
    ({ proposed, detects, role }) => role !== 'target' && proposed !== null && detects?.proposed === null,
  )
  if (blind.length > 0) {
    lines.push(
      ui.wrap(
        `${style.symbols.warn} With what is proposed, ${named(ui, blind)} would be seen to drift by no shift of up to 3 sigma: that is no check any more. Ignoring such columns is the honest way to say so.`,
        2,
      ),
    )
  }
  return lines
}

function proposalLines(ui: Ui, shown: Shown): string[] {
  const { style } = ui
  const { proposal, needed, columns, threshold, metric } = shown
  const lines = columnWarnings(ui, shown)
  if (needed !== null) {
    return [
      ...lines,
      style.warn(ui.wrap(`${style.symbols.unknown} Nothing is proposed: ${neededText(shown, needed)}`, 2)),
    ]
  }
  if (proposal === null) return lines
  const { sure, falseAlarms } = proposal
  if (!proposal.isPossible) {
    lines.push(
      ui.wrap(
        `Nothing is proposed: whatever the thresholds, ${named(
          ui,
          columns.filter(({ column }) => proposal.beyondHelp.includes(column)),
        )} alone would fire more often than ${share(falseAlarms)}. Mend the data first, or name others that are fine.`,
        0,
      ),
    )
    return lines
  }
  if (!proposal.isChanged) {
    lines.push(
      ui.wrap(
        `The thresholds can stay: at most ${share(falseAlarms)} of the checks of data that is fine should fire.`,
        0,
      ),
    )
  } else {
    const own = Object.keys(proposal.columns).length
    const base =
      proposal.threshold === threshold
        ? `${metric} ${limitText(threshold)} stays the default`
        : `${metric} ${limitText(proposal.threshold)} as the default`
    const entries = own === 0 ? '' : `, and ${own === 1 ? 'an entry' : 'entries'} for ${plural(own, 'column')}`
    lines.push(
      ui.wrap(
        `Proposed for at most ${share(falseAlarms)} false alarms: ${base}${entries}. Of new chunks like these at most ${share(sure.mean)} would fire on average, and with 95 % confidence fewer than ${share(sure.upper)}; more chunks make that narrower. Of these very chunks ${proposal.alarms} would.`,
        0,
      ),
    )
  }
  if (proposal.beyondHelp.length > 0) {
    lines.push(
      ui.wrap(
        `${style.symbols.warn} No threshold helps ${ui.text(proposal.beyondHelp.join(', '))}: broken in these data, or measured by PSI because ${metric} is not defined there.`,
        2,
      ),
    )
  }
  return lines
}

function neededText({ chunks, inconclusive }: Shown, needed: NonNullable<Shown['needed']>): string {
  const all = `at least ${needed.chunks} are needed, that is ${plural(needed.rows, 'row')}`
  if (inconclusive === 0) return `${plural(chunks.length, 'chunk')} cannot tell a rate this low; ${all}.`
  const size =
    needed.chunkRows === null
      ? ''
      : ` Chunks of at least ${plural(needed.chunkRows, 'row')} are needed to say something.`
  return `only ${plural(chunks.length - inconclusive, 'chunk')} of ${count(chunks.length)} can say something; ${all}.${size}`
}

const named = (ui: Ui, columns: readonly CalibratedColumn[]): string =>
  ui.text(
    columns
      .slice(0, 8)
      .map(({ column }) => column)
      .join(', '),
  ) + (columns.length > 8 ? ` and ${columns.length - 8} more` : '')
