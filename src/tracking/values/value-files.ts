/**
 * metrics.json, params.yaml, params.yml and params.json in the working directory of a command.
 *
 * Metrics count only when the file was written during the run: an old file's numbers are not this run's. Parameters
 * are usually an input, so a file that lies there counts as it is.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ParamValue } from '../../store/run-records.ts'
import type { Before } from '../capture/written.ts'
import { lookAfter } from '../capture/written.ts'
import { parseLenientJson } from './lenient-json.ts'
import { flattenMetrics, flattenParams } from './value-maps.ts'

export const METRIC_FILES = ['metrics.json'] as const
export const PARAM_FILES = ['params.yaml', 'params.yml', 'params.json'] as const
const MAX_BYTES = 1 << 20

export interface FileValues {
  readonly metrics: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, ParamValue>>
  /** Files that could not be read, in words. */
  readonly notes: readonly string[]
}

export async function readValueFiles(cwd: string, before: Before): Promise<FileValues> {
  const notes: string[] = []
  let metrics: Record<string, number> = {}
  let params: Record<string, ParamValue> = {}
  for (const file of METRIC_FILES) {
    const { written } = await lookAfter(file, cwd, before)
    if (written.length === 0) continue
    const map = await readMap(join(cwd, file), file, notes)
    if (map !== undefined) metrics = { ...metrics, ...flattenMetrics(map) }
  }
  for (const file of PARAM_FILES) {
    const facts = await stat(join(cwd, file)).catch(() => undefined)
    if (!facts?.isFile()) continue
    const map = await readMap(join(cwd, file), file, notes)
    if (map !== undefined) params = { ...params, ...flattenParams(map) }
  }
  return { metrics, params, notes }
}

async function readMap(path: string, name: string, notes: string[]): Promise<Record<string, unknown> | undefined> {
  const facts = await stat(path)
  if (facts.size > MAX_BYTES) {
    notes.push(`${name} was not read: it has ${facts.size} bytes, and at most ${MAX_BYTES} are read`)
    return undefined
  }
  const bytes = await readFile(path)
  const tooLarge = (key: string) => notes.push(`${name}: ${key} is a number too large to be kept, so it was left out`)
  const value = name.endsWith('.json')
    ? parseLenientJson(bytes.toString('utf8'), tooLarge)
    : await readYaml(bytes, name, notes)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  if (value !== undefined || name.endsWith('.json'))
    notes.push(`${name} was not read: it holds no map of names to values`)
  return undefined
}

async function readYaml(bytes: Uint8Array, name: string, notes: string[]): Promise<unknown> {
  const { parseYaml } = await import('../../project/yaml.ts')
  const parsed = parseYaml(bytes, name)
  if ('problem' in parsed) {
    notes.push(`${name} was not read: line ${parsed.problem.line}: ${parsed.problem.message}`)
    return undefined
  }
  return plain(parsed.node)
}

function plain(node: import('../../project/yaml.ts').YamlNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]))
}
