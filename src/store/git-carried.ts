/** Which files of a store travel in the shared branch, and which of them the push decides. Pure. */
import { isDigest } from '../core/digest.ts'
import { nameProblem } from '../core/names.ts'
import { numberOf, REGISTRY, ROOT_LOG } from './layout.ts'

/** Objects above this stay where they were registered: hosts of git refuse files of 100 MB, and history keeps all. */
export const MAX_CARRIED_BYTES = 50 << 20

export type Carried = 'registry' | 'object' | 'link' | 'check' | 'claim'

/**
 * What the file at `key` is to the branch; undefined for what stays in this folder (runs, predictions, hints, tmp) and
 * for any name that is none of a store, so that nothing in a branch can reach outside of ours.
 */
export function carriedAs(key: string): Carried | undefined {
  if (key === REGISTRY) return 'registry'
  const parts = key.split('/')
  const [top, second = '', third = '', fourth = ''] = parts
  const name = parts.at(-1) ?? ''
  if (top === 'objects')
    return parts.length === 4 && second === 'sha256' && isObject(third, fourth) ? 'object' : undefined
  if (top === ROOT_LOG) return parts.length === 2 && numberOf(name) !== undefined ? 'link' : undefined
  if (top !== 'models' || nameProblem(second) !== undefined) return undefined
  if (third === 'log') return parts.length === 4 && numberOf(name) !== undefined ? 'link' : undefined
  if (third === 'checks') {
    if (fourth === 'log') return parts.length === 5 && numberOf(name) !== undefined ? 'link' : undefined
    return parts.length === 4 && name.endsWith('.json') && isDigest(name.slice(0, -5)) ? 'check' : undefined
  }
  if (third !== 'alerts' && third !== 'jobs') return undefined
  const scope = parts.slice(3, -1)
  const plain = scope.length > 0 && scope.length < 8 && scope.every((part) => /^[a-z0-9][a-z0-9._-]{0,127}$/.test(part))
  return plain && numberOf(name) !== undefined ? 'claim' : undefined
}

const isObject = (folder: string, name: string): boolean => folder.length === 2 && isDigest(folder + name)

/** Objects before what refers to them, the root log before the models, events in their order, the registry last of all. */
export function takeOverOrder(a: string, b: string): number {
  const [first, second] = [rank(a), rank(b)]
  return first - second || (a < b ? -1 : 1)
}

function rank(key: string): number {
  const kind = carriedAs(key)
  if (kind === 'object') return 0
  if (kind === 'registry') return 9
  if (key.startsWith(`${ROOT_LOG}/`)) return 1
  if (kind === 'check') return 2
  return 3
}
