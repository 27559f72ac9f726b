/** Runs as a person reads them: the end of `track`, and everything of one run. The list is `run-list.ts`. */
import type { AppliedIntents } from '../../lifecycle/register/intents.ts'
import type { KeptInAll } from '../../tracking/capture/data-record.ts'
import type { RunRow } from '../../tracking/records/run-row.ts'
import type { Style } from '../style.ts'
import { bytes, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { howItEnded, mark } from './run-status.ts'
import { formatRows, formatValue } from './values.ts'

const SHOWN_LINES = 12
const NO_DATA = 'no data was declared: --data NAME=PATH records what it learnt from'
const NO_METRICS = 'no metric was recognised: print `name: number` on a line, or log with the Python client'

export interface Tracked extends RunRow {
  readonly intents: AppliedIntents | null
  readonly snapshot: KeptInAll | null
  readonly next: string | null
}

/** What `track` says on stderr at the end. @param style of stderr. @param hasData data was declared */
export function renderTracked(ui: Ui, style: Style, run: Tracked, hasData: boolean): string {
  const took = run.duration === null ? '' : ` in ${duration(run.duration)}`
  const head = `${mark(style, run.status)} run ${style.name(run.run)} ${run.status}${took}${howItEnded(run)}`
  const metrics = Object.entries(run.metrics)
  const lines = [head]
  if (metrics.length > 0) lines.push(`  metrics    ${limited(metrics.map(([key, value]) => pair(ui, key, value)))}`)
  if (run.artifacts.length > 0) {
    lines.push(`  artifacts  ${limited(run.artifacts.map(({ path, size }) => `${ui.text(path)} (${bytes(size)})`))}`)
  }
  if (run.snapshot !== null && run.snapshot.files > 0) {
    const { files, bytes: all, addedBytes } = run.snapshot
    lines.push(
      `  snapshot   ${files} ${files === 1 ? 'file' : 'files'}, ${bytes(all)} (${bytes(addedBytes)} new in the store)`,
    )
  }
  if (run.status === 'finished' && metrics.length === 0) lines.push(`  ${style.dim(NO_METRICS)}`)
  if (run.status === 'finished' && run.artifacts.length > 0 && !hasData) lines.push(`  ${style.dim(NO_DATA)}`)
  if (run.intents !== null) lines.push(...renderApplied(ui, style, run.intents))
  if (run.next !== null) lines.push(`  ${style.symbols.arrow} ${style.command(run.next)}`)
  return lines.join('\n')
}

/** What was done of a script's wishes; failures are warned of where they are met. */
export function renderApplied(ui: Ui, style: Style, applied: AppliedIntents): string[] {
  const done = applied.registered.flatMap((each) => {
    const name = style.name(`${ui.text(each.model)}@${each.version}`)
    const { stage } = each
    const move = stage === null ? '' : `, ${ui.text(stage.stage)}: ${stage.outcome}`
    const why = stage?.failing.map((reason) => `    ${style.symbols.bullet} ${ui.text(reason)}`) ?? []
    return [
      `${style.good(style.symbols.ok)} ${name} ${each.created ? 'registered' : 'was registered before'}${move}`,
      ...why,
    ]
  })
  const baselines = applied.baselines.map(
    ({ model, rows }) =>
      `${style.good(style.symbols.ok)} baseline of ${style.name(ui.text(model))} set: ${formatRows(rows)}`,
  )
  const left = applied.left === null ? [] : [`${style.symbols.warn} left pending: ${ui.text(applied.left)}`]
  const all = [...baselines, ...done, ...left]
  return all.length === 0 && applied.failures.length === 0 ? ['Nothing was pending.'] : all
}

const pair = (ui: Ui, key: string, value: number | string): string => `${ui.text(key)} ${formatValue(value)}`

const limited = (parts: readonly string[]): string =>
  parts.length <= SHOWN_LINES
    ? parts.join(', ')
    : `${parts.slice(0, SHOWN_LINES).join(', ')} and ${parts.length - SHOWN_LINES} more`
