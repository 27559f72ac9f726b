/** `mlops model export` and `model import` as text. */
import type { ExportResult } from '../../transfer/export.ts'
import type { ImportResult } from '../../transfer/import-result.ts'
import { bytes, day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { shortDigest } from './values.ts'

export function renderExported(ui: Ui, { model, version, archive, files, missing }: ExportResult): string {
  const { style } = ui
  const without = missing.length === 0 ? '' : `, without the ${missing.join(' and the ')} of its run`
  const lines = [
    ui.wrap(
      `${style.good(style.symbols.ok)} ${style.name(`${model}@${version}`)} is in ${ui.text(archive.file)}: ${counted(files, 'model file')}, ${bytes(archive.size)}${without}`,
      2,
    ),
    `  sha256 ${archive.sha256}`,
    ui.wrap(`  To read it there: ${style.command(`mlops model import ${ui.text(archive.file)}`)}`, 4),
  ]
  return lines.join('\n')
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export function renderImported(ui: Ui, result: ImportResult): string {
  const { style } = ui
  const lines = [
    ui.wrap(heading(ui, result), 2),
    ui.wrap(`  ${from(ui, result)}`, 2),
    ...result.changes.map((change) => ui.wrap(`  ${style.warn(style.symbols.warn)} ${ui.text(change)}`, 4)),
    ...(result.scan === 'can execute code' || result.scan === 'not determined'
      ? [`  ${style.warn(style.symbols.warn)} scan: ${result.scan}`]
      : []),
    `  Next: ${style.command(result.next)}`,
  ]
  return lines.join('\n')
}

function heading(ui: Ui, { outcome, model, version, archive }: ImportResult): string {
  const { style } = ui
  const name = style.name(version === null ? model : `${model}@${version}`)
  const ok = style.good(style.symbols.ok)
  if (outcome === 'imported') return `${ok} ${ui.text(archive.file)} is ${name} now; no stage was moved`
  if (outcome === 'already there') return `${ok} ${ui.text(archive.file)} is ${name} already; nothing was registered`
  return `${ok} ${ui.text(archive.file)} is sound, and would be the next version of ${name}; nothing was written`
}

function from(ui: Ui, { origin, run }: ImportResult): string {
  const { store, model, version, registered } = origin
  const trained = run === null ? 'without a run' : `from run ${run}`
  return `It says it was ${ui.text(model)}@${version} in store ${shortDigest(store)}, registered by ${ui.text(registered.by.name)} on ${day(registered.time)} ${trained}.`
}
