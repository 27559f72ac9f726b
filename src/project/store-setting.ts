/** The key `store` of `mlops.yaml`: a folder, or a folder and the branch of a git remote that a team shares it as. */
import { branchProblem, DEFAULT_BRANCH, remoteProblem } from '../store/git-names.ts'
import { optional, type Place, record, type Shape, text, withDefault } from './schema.ts'
import type { YamlNode } from './yaml.ts'

/** Where the store is, and the branch of a git remote that a team shares it as. */
export interface StoreSetting {
  /** A folder, relative to the project. */
  readonly path: string
  readonly remote?: string
  readonly branch: string
}

export const DEFAULT_STORE: StoreSetting = { path: '.mlops', branch: DEFAULT_BRANCH }

const storeMap = record({
  path: withDefault(text({ label: 'a folder' }), DEFAULT_STORE.path, 'The folder, relative to this file.'),
  remote: optional(
    text({ label: 'a remote', problem: remoteProblem }),
    'The remote of this repository, or the address of another one, that the team shares the store by (docs/git-store.md).',
    'origin',
  ),
  branch: withDefault(
    text({ label: 'a branch', problem: branchProblem }),
    DEFAULT_BRANCH,
    'The branch that the store is there.',
  ),
})

/** `.mlops`, or a map: `{path: .mlops, remote: origin, branch: mlops-store}`. */
export const storeShape: Shape<StoreSetting> = {
  label: 'a folder, or a map with path, remote, branch',
  fields: storeMap.fields,
  json: { anyOf: [{ type: 'string' }, storeMap.json] },
  read: (node: YamlNode, at: Place) => {
    if (node.kind === 'scalar') {
      const path = text({ label: 'a folder or a map' }).read(node, at)
      return path === undefined ? undefined : { ...DEFAULT_STORE, path }
    }
    const read = storeMap.read(node, at)
    if (read === undefined) return undefined
    const { path, remote, branch } = read
    return { path, branch, ...(remote === undefined ? {} : { remote }) }
  },
}
