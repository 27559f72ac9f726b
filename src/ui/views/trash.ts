/** Runs that are deleted, in the trash, restored, purged, as a person reads it. */
import type { DeleteResult } from '../../tracking/trash/delete-runs.ts'
import type { RestoreResult } from '../../tracking/trash/deleted-runs.ts'
import type { PurgeResult } from '../../tracking/trash/purge-runs.ts'
import { bytes, duration } from '../time.ts'
import type { Ui } from '../ui.ts'

/** Of those of one kind. */
const SHOWN = 20

export function renderDelete(ui: Ui, { runs, kept, deleted }: DeleteResult): string {
  const { style } = ui
  if (runs.length === 0) return ['No run to delete.', ...keptLines(ui, kept)].join('\n')
  const head = deleted
    ? `${style.good(style.symbols.ok)} ${count(runs.length)} put into the trash.`
    : `${count(runs.length)} would go into the trash:`
  const rows = runs.slice(0, SHOWN).map(({ run, model, status, started, children }) => {
    const began = started === '' ? '' : `, ${ui.ago(started)}`
    const left = children.length === 0 ? '' : `; the ${count(children.length)} that it started stay`
    return `  ${style.name(run)} ${model === null ? '' : `${ui.text(model)}, `}${status}${began}${left}`
  })
  const [first] = runs
  const next = deleted
    ? [
        '',
        `Take it back: ${style.command(`mlops run restore ${runs.length === 1 ? first?.run : 'RUN'}`)}`,
        `For good, in 30 days: ${style.command('mlops run purge')}`,
        `For good, at once: ${style.command(`mlops run purge ${runs.length === 1 ? first?.run : 'RUN'} --older-than 0s`)}`,
      ]
    : []
  return [head, ...rows, ...more(runs.length), ...keptLines(ui, kept), ...next].join('\n')
}

export function renderRestore(ui: Ui, { restored }: RestoreResult): string {
  const { style } = ui
  if (restored.length === 0) return 'Nothing was restored.'
  return restored.map((run) => `${style.good(style.symbols.ok)} Run ${style.name(run)} is back.`).join('\n')
}

export function renderPurge(ui: Ui, { runs, kept, olderThan, bytes: size, purged }: PurgeResult): string {
  const { style } = ui
  if (runs.length === 0) {
    const days = olderThan / 86_400
    const age = days >= 1 ? `${Math.round(days)} day${Math.round(days) === 1 ? '' : 's'}` : duration(olderThan)
    const nothing = olderThan === 0 ? 'Nothing to purge.' : `Nothing to purge that was deleted more than ${age} ago.`
    const sooner =
      kept.length === 0 || olderThan === 0 ? [] : ['', `Sooner: ${style.command('mlops run purge --older-than 0s')}`]
    return [nothing, ...keptLines(ui, kept), ...sooner].join('\n')
  }
  const head = purged
    ? `${style.good(style.symbols.ok)} ${count(runs.length)} removed for good, ${bytes(size)}.`
    : `${count(runs.length)} would be removed for good, ${bytes(size)}:`
  const rows = runs.slice(0, SHOWN).map(({ run, model, deleted }) => {
    const why = deleted?.reason == null ? '' : `: ${ui.text(deleted.reason)}`
    const when = deleted === null ? '' : `deleted ${ui.ago(deleted.time)} by ${ui.text(deleted.by.name)}${why}`
    return `  ${style.name(run)} ${model === null ? '' : `${ui.text(model)}, `}${when}`
  })
  const next = purged
    ? [
        '',
        ui.wrap(
          'What they stored as objects goes where nothing else needs it: into the trash once it was not needed for 14 days, for good 14 days later.',
        ),
        `Both by ${style.command('mlops store gc --delete')}, sooner with ${style.command('--grace 1d')}`,
      ]
    : []
  return [head, ...rows, ...more(runs.length), ...keptLines(ui, kept), ...next].join('\n')
}

function keptLines(ui: Ui, kept: readonly { readonly run: string; readonly why: string }[]): string[] {
  if (kept.length === 0) return []
  const lines = kept.slice(0, SHOWN).map(({ run, why }) => ui.wrap(`  ${ui.style.name(run)} ${ui.text(why)}`, 4))
  return ['', `${count(kept.length)} ${kept.length === 1 ? 'stays' : 'stay'}:`, ...lines, ...more(kept.length)]
}

const more = (n: number): string[] => (n > SHOWN ? [`  and ${n - SHOWN} more (all of them: --json)`] : [])
const count = (n: number): string => `${n} run${n === 1 ? '' : 's'}`
