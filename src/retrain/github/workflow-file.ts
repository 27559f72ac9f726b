/**
 * What a workflow file says of being dispatched: which inputs it declares, and its run name, each with its line. Whether
 * that fits a policy is `inputs.ts`.
 *
 * docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax: `run-name`, `on`,
 * `on.workflow_dispatch.inputs`.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { displayPath } from '../../project/load.ts'
import { MAX_BYTES, type MapEntry, parseYaml, type YamlNode } from '../../project/yaml.ts'

/** `environment` is a name that only GitHub can check. */
export const INPUT_TYPES = ['string', 'boolean', 'number', 'choice', 'environment'] as const

export interface DeclaredInput {
  readonly name: string
  readonly line: number
  /** As it is written; `string` where nothing is. */
  readonly type: string
  readonly required: boolean
  readonly hasDefault: boolean
  /** Of `choice`. */
  readonly options: readonly string[]
}

export interface WorkflowFile {
  /** As it is named to people. */
  readonly name: string
  /** Undefined: it cannot be dispatched. */
  readonly dispatch: { readonly line: number; readonly inputs: readonly DeclaredInput[] } | undefined
  readonly onLine: number
  readonly runName: { readonly line: number; readonly text: string } | undefined
}

export type ReadFile =
  | { readonly kind: 'read'; readonly file: WorkflowFile }
  | { readonly kind: 'invalid'; readonly problem: string }
  /** Valid for GitHub, but not readable here: `why` says what it uses. */
  | { readonly kind: 'unreadable'; readonly why: string }

/** The bytes of the file in the checkout; undefined when there is none. @param top where `.github/` would be */
export function localWorkflow(
  top: string,
  workflow: string,
  cwd: string,
): { readonly bytes: Uint8Array; readonly name: string } | undefined {
  const path = join(top, '.github', 'workflows', workflow)
  if (!existsSync(path) || !statSync(path).isFile() || statSync(path).size > MAX_BYTES) return undefined
  return { bytes: readFileSync(path), name: displayPath(path, cwd) }
}

export function readWorkflow(bytes: Uint8Array, name: string): ReadFile {
  const parsed = parseYaml(bytes, name)
  if ('problem' in parsed) {
    const { line, message } = parsed.problem
    // GitHub knows anchors and aliases, and its limits are wider.
    const isOurs = /^(?:anchors|aliases|tags) |nesting is deeper/.test(message)
    if (isOurs) return { kind: 'unreadable', why: `line ${line}: ${message.split(' (')[0]}` }
    return { kind: 'invalid', problem: `${name}${line > 0 ? `:${line}` : ''}: ${message}` }
  }
  const on = entryOf(parsed.node, 'on')
  const runName = entryOf(parsed.node, 'run-name')
  return {
    kind: 'read',
    file: {
      name,
      onLine: on?.line ?? 1,
      dispatch: on === undefined ? undefined : dispatchOf(on),
      runName: runName?.value.kind === 'scalar' ? { line: runName.line, text: runName.value.text } : undefined,
    },
  }
}

const entryOf = (node: YamlNode, key: string): MapEntry | undefined =>
  node.kind === 'map' ? node.entries.find((entry) => entry.key === key) : undefined

/** `on: workflow_dispatch`, `on: [push, workflow_dispatch]`, or a map. */
function dispatchOf({ line, value }: MapEntry): WorkflowFile['dispatch'] {
  const isIt = (node: YamlNode): boolean => node.kind === 'scalar' && node.text === 'workflow_dispatch'
  if (value.kind === 'scalar') return isIt(value) ? { line, inputs: [] } : undefined
  if (value.kind === 'list') return value.items.some(isIt) ? { line, inputs: [] } : undefined
  const entry = entryOf(value, 'workflow_dispatch')
  if (entry === undefined) return undefined
  const inputs = entryOf(entry.value, 'inputs')
  const declared = inputs?.value.kind === 'map' ? inputs.value.entries.map(inputOf) : []
  return { line: inputs?.line ?? entry.line, inputs: declared }
}

function inputOf({ key, line, value }: MapEntry): DeclaredInput {
  const textOf = (name: string): string | undefined => {
    const entry = entryOf(value, name)
    return entry?.value.kind === 'scalar' ? entry.value.text : undefined
  }
  const options = entryOf(value, 'options')?.value
  return {
    name: key,
    line,
    type: textOf('type') ?? 'string',
    required: textOf('required') === 'true',
    hasDefault: entryOf(value, 'default') !== undefined,
    options:
      options?.kind === 'list' ? options.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : [])) : [],
  }
}
