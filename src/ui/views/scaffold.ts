/** `mlops scaffold …` as text: what becomes of each file, what to do next, and what a project has of scaffolds. */
import type { ScaffoldChange, ScaffoldResult, ScaffoldStatus } from '../../scaffold/scaffold.ts'
import type { Ui } from '../ui.ts'

export function renderScaffold(ui: Ui, result: ScaffoldResult): string {
  const { style } = ui
  const from = madeFrom(result.answers)
  const name = `${result.kind}${from === '-' ? '' : ` for ${style.name(ui.text(from))}`} in ${style.bold(ui.text(result.folder))}`
  const quiet = ['unchanged', 'yours']
  const changed = result.changes.filter(({ action }) => !quiet.includes(action))
  const parts = [
    ui.wrap(headline(ui, result, name), 2),
    lines(ui, changed, result.outcome !== 'applied'),
    style.dim(stays(result)),
    ...result.warnings.map((text) => style.warn(ui.wrap(`${style.symbols.warn} ${ui.text(text)}`, 2))),
    ...diffs(ui, result),
    isNew(result) && !hasConflicts(result) ? nextSteps(ui, result.next) : '',
  ]
  return parts.filter((part) => part !== '').join('\n')
}

/** What to do with it is said where something was made, not at every update. */
const isNew = ({ outcome, changes }: ScaffoldResult): boolean =>
  outcome === 'applied' && changes.some(({ action }) => action === 'create')

function stays({ changes }: ScaffoldResult): string {
  const count = (action: ScaffoldChange['action']): number =>
    changes.filter((change) => change.action === action).length
  const [same, yours] = [count('unchanged'), count('yours')]
  const parts = [
    same === 0 ? '' : `${same} ${same === 1 ? 'file is as it should be' : 'files are as they should be'}`,
    yours === 0 ? '' : `${yours} ${yours === 1 ? 'is' : 'are'} yours`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : `  ${parts.join(', ')}`
}

function headline(ui: Ui, result: ScaffoldResult, name: string): string {
  const { good, warn, bad, symbols } = ui.style
  if (hasConflicts(result)) {
    return result.outcome === 'applied'
      ? warn(`${symbols.warn} ${name}: written, with conflict markers where a person has to decide`)
      : bad(`${symbols.bad} ${name}: cannot be brought up to date without a person; nothing was written`)
  }
  const unready = result.unready.map((each) => ui.text(each)).join('; ')
  if (unready !== '' && (result.upToDate || result.outcome === 'applied')) {
    const state = result.outcome === 'applied' && !result.upToDate ? 'written' : 'up to date'
    return warn(`${symbols.warn} ${name}: ${state}, and does not work yet: ${unready}`)
  }
  if (result.upToDate) return good(`${symbols.ok} ${name} is up to date`)
  if (result.outcome === 'applied') return good(`${symbols.ok} ${name}: written`)
  if (result.interrupted) return warn(`${symbols.warn} ${name}: an update was interrupted; run it again`)
  if (result.changes.every(({ action }) => action === 'create' || action === 'yours')) {
    return warn(`${symbols.warn} ${name} would be new; nothing was written`)
  }
  return warn(`${symbols.warn} ${name} is out of date; nothing was written`)
}

const hasConflicts = ({ changes }: ScaffoldResult): boolean => changes.some(({ action }) => action === 'conflict')

const WORDS: Readonly<Record<ScaffoldChange['action'], readonly [done: string, planned: string]>> = {
  create: ['created', 'would be created'],
  replace: ['replaced', 'would be replaced'],
  merge: ['merged with your edits', 'would be merged with your edits'],
  unchanged: ['as it should be', 'as it should be'],
  yours: ['yours; left as it is', 'yours; left as it is'],
  deleted: ['deleted by you; left out', 'deleted by you; left out'],
  remove: ['removed: nothing generates it any more', 'would be removed: nothing generates it any more'],
  left: [
    'left: nothing generates it any more, and it is not as it was',
    'would be left: nothing generates it any more',
  ],
  conflict: ['conflict', 'conflict'],
}

/** A folder of which many files share one fate is one line. */
const MANY = 6

function lines(ui: Ui, changes: readonly ScaffoldChange[], isPlanned: boolean): string {
  const groups = new Map<string, ScaffoldChange[]>()
  for (const change of changes) {
    const key = `${folderOf(change)} ${change.action}`
    groups.set(key, [...(groups.get(key) ?? []), change])
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group
      const folder = first === undefined ? '' : folderOf(first)
      const isMany = group.length >= MANY && folder !== '' && first?.action !== 'conflict'
      if (!isMany || first === undefined) return group.map((change) => line(ui, change, isPlanned))
      return [line(ui, { ...first, path: `${folder} (${group.length} files)` }, isPlanned)]
    })
    .join('\n')
}

const folderOf = ({ path }: ScaffoldChange): string => path.slice(0, path.lastIndexOf('/') + 1)

function line(ui: Ui, change: ScaffoldChange, isPlanned: boolean): string {
  const { style } = ui
  const { path, action, why, lines } = change
  const [done, planned] = WORDS[action]
  const where = lines.length === 0 ? '' : ` (line ${lines.slice(0, 5).join(', ')}${lines.length > 5 ? ' …' : ''})`
  const words =
    action === 'conflict' ? `${style.bad('conflict')}: ${ui.text(why ?? '')}${where}` : isPlanned ? planned : done
  return `  ${ui.text(path)}  ${action === 'conflict' ? words : style.dim(words)}`
}

function diffs(ui: Ui, { changes }: ScaffoldResult): string[] {
  const { style } = ui
  return changes.flatMap(({ diff }) =>
    diff === null || diff === ''
      ? []
      : [
          `\n${diff
            .trimEnd()
            .split('\n')
            .map((text) => {
              const clean = ui.text(text)
              if (/^(?:---|\+\+\+) /.test(text)) return style.bold(clean)
              return text.startsWith('+') ? style.good(clean) : text.startsWith('-') ? style.bad(clean) : clean
            })
            .join('\n')}`,
        ],
  )
}

const nextSteps = (ui: Ui, next: readonly string[]): string =>
  next.length === 0 ? '' : `\nNext:\n${next.map((command) => `  ${ui.style.command(ui.text(command))}`).join('\n')}`

export function renderScaffoldStatus(ui: Ui, scaffolds: readonly ScaffoldStatus[]): string {
  const { style } = ui
  if (scaffolds.length === 0) {
    return `Nothing was scaffolded here. Begin with a service: ${style.command('mlops scaffold fastapi MODEL')}`
  }
  return ui.table<ScaffoldStatus>(
    [
      { title: 'KIND', value: ({ kind }) => kind, paint: style.name },
      { title: 'FOLDER', value: ({ folder }) => folder },
      { title: 'MADE FROM', value: ({ answers }) => madeFrom(answers) },
      { title: 'STATE', value: (row) => stateOf(row) },
    ],
    scaffolds,
  )
}

function madeFrom(answers: ScaffoldStatus['answers']): string {
  const { model, version } = answers
  if (typeof model !== 'string') return '-'
  return typeof version === 'number' ? `${model.replace(/@.*/, '')}@${version}` : model
}

function stateOf({ upToDate, changes, problem }: ScaffoldStatus): string {
  if (problem !== null) return `not known: ${problem}`
  if (upToDate === true) return 'up to date'
  const conflicts = changes.filter(({ action }) => action === 'conflict').length
  const rest = changes.length - conflicts
  const parts = [
    rest === 0 ? '' : `${rest} ${rest === 1 ? 'file' : 'files'} to update`,
    conflicts === 0 ? '' : `${conflicts} in conflict`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}
