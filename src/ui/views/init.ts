/** What `mlops init` says: what it found, what it made and what was there already, and the next command. */
import type { InitResult } from '../../project/init.ts'
import type { Ui } from '../ui.ts'

type Step = InitResult['steps'][number] & { readonly content?: string }
export interface InitView extends Omit<InitResult, 'steps'> {
  readonly steps: readonly Step[]
  readonly dryRun: boolean
}

const WHAT: Readonly<Record<Step['what'], string>> = {
  store: 'the store',
  ignore: 'git ignores the store',
  config: 'settings, with comments',
}

export function renderInit(ui: Ui, view: InitView, cwd: string): string {
  const { style } = ui
  const sign = (step: Step): string => {
    if (step.action === 'present') return style.dim(style.symbols.dash)
    return view.dryRun ? style.warn(style.symbols.bullet) : style.good(style.symbols.ok)
  }
  const verb = (step: Step): string => {
    if (step.action === 'present') return 'there already'
    if (step.action === 'change')
      return view.dryRun ? 'its line "store:" would be changed' : 'its line "store:" was changed'
    if (view.dryRun) return step.action === 'append' ? 'would get a line' : 'would be made'
    return step.action === 'append' ? 'line added' : 'made'
  }
  const lines = view.steps.map(
    (step) => `${sign(step)} ${ui.text(shown(step.path, cwd))}  ${style.dim(`${WHAT[step.what]}: ${verb(step)}`)}`,
  )
  const planned = view.dryRun
    ? view.steps.flatMap((step) =>
        step.content === undefined ? [] : ['', style.dim(`${shown(step.path, cwd)}:`), indented(step.content)],
      )
    : []
  const head = view.dryRun
    ? style.heading('Nothing was changed. This is the plan:')
    : view.changed
      ? style.heading(`Ready: ${ui.text(view.model)}`)
      : style.heading('Everything is there already.')
  return [
    head,
    ...view.found.map((fact) => style.dim(`  found ${ui.text(fact)}`)),
    ...lines,
    ...sharedAs(ui, view),
    ...planned,
    ...view.notes.map((note) => `${style.symbols.bullet} ${ui.text(note)}`),
    '',
    `Next: ${style.command(ui.text(view.root === cwd ? view.next : `cd ${shown(view.root, cwd)} && ${view.next}`))}`,
  ].join('\n')
}

const JOINED = { branch: 'made', folder: 'the folder was made from it', present: 'there already' } as const

function sharedAs({ style, text }: Ui, { sharing, joined, dryRun }: InitView): string[] {
  if (sharing === undefined) return []
  const what = dryRun || joined === undefined ? 'would be made or joined' : JOINED[joined]
  const sign = dryRun ? style.warn(style.symbols.bullet) : style.good(style.symbols.ok)
  return [
    `${sign} ${text(sharing.branch)} of ${text(sharing.remote)}  ${style.dim(`the branch that the team shares the store as: ${what}`)}`,
  ]
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .join('\n')

/** Relative to where the user stands, when it lies below. */
const shown = (path: string, cwd: string): string => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path)
