/** Stand-ins for the actions that generated workflows use: what each does to the machine, and nothing more. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

export interface ActionCall {
  readonly inputs: Readonly<Record<string, string>>
  readonly workspace: string
  /** The bare repository that the runner clones. */
  readonly repository: string
  readonly ref: string
  readonly artifacts: string
}

type Action = (call: ActionCall) => void

/** By the name before `@`. What is not here is not known to the runner, which fails as GitHub does. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  'actions/checkout': ({ inputs, workspace, repository, ref }) => {
    const git = (...words: string[]): string => execFileSync('git', ['-C', workspace, ...words], { encoding: 'utf8' })
    const wanted = inputs.ref === undefined || inputs.ref === '' ? ref : inputs.ref
    const depth = inputs['fetch-depth'] ?? '1'
    git('init', '-q')
    git('remote', 'add', 'origin', `file://${repository}`)
    git('fetch', '-q', '--no-tags', ...(depth === '0' ? [] : ['--depth', depth]), 'origin', wanted)
    git('checkout', '-q', '--detach', 'FETCH_HEAD')
  },
  'actions/setup-node': () => {},
  'actions/setup-python': () => {},
  'actions/upload-artifact': ({ inputs, artifacts }) => {
    const { name = 'artifact', path = '' } = inputs
    if (!existsSync(path)) throw new Error(`No files were found with the provided path: ${path}`)
    mkdirSync(artifacts, { recursive: true })
    cpSync(path, join(artifacts, name), { recursive: true })
  },
}
