/**
 * YAML text to a small tree in which every key and value knows its line.
 *
 * js-yaml's `load` forgets positions, so this reads its event stream instead. What a configuration file never needs
 * and an attacker does is refused: anchors and aliases (alias bombs), tags, duplicate keys, several documents, deep
 * nesting, more than 1 MiB. Meaning of the keys belongs to `schema.ts`.
 */
import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml'
import type { Problem } from './problems.ts'

export const MAX_BYTES = 1 << 20
const MAX_DEPTH = 20

export type Scalar = string | number | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly line: number
  readonly value: Scalar
  /** As written, decoded: what `value` was before `1` became a number. */
  readonly text: string
}
export interface ListNode {
  readonly kind: 'list'
  readonly line: number
  readonly items: YamlNode[]
}
export interface MapEntry {
  readonly key: string
  /** The line of the key. */
  readonly line: number
  readonly value: YamlNode
}
export interface MapNode {
  readonly kind: 'map'
  readonly line: number
  readonly entries: MapEntry[]
}
export type YamlNode = ScalarNode | ListNode | MapNode

/** Thrown inside this file for the first thing that cannot be read; `parseYaml` turns it into a problem. */
class Unreadable extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/**
 * @param file as it is to be named in problems
 * @param most bytes: what another program writes may be larger than a person's configuration
 * @returns the tree (an empty map for a file without content), or the one problem that made it unreadable
 */
export function parseYaml(
  bytes: Uint8Array,
  file: string,
  most = MAX_BYTES,
): { node: YamlNode } | { problem: Problem } {
  if (bytes.length > most) return { problem: tooLarge(file, bytes.length) }
  try {
    return { node: read(decode(bytes)) }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { problem: { file, line: error.line, path: '', message: error.message } }
  }
}

export const tooLarge = (file: string, size: number): Problem => ({
  file,
  line: 0,
  path: '',
  message: `the file has ${size} bytes; a configuration file may have at most ${MAX_BYTES}`,
})

function decode(bytes: Uint8Array): string {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  try {
    if (utf16) throw new TypeError('UTF-16')
    // `fatal` refuses what is not UTF-8; a byte-order mark is taken off.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const line = utf16 ? 0 : firstBadLine(bytes)
    throw new Unreadable(line, 'the text is not UTF-8; save the file as UTF-8')
  }
}

/** The line up to which the bytes are UTF-8: found line by line, since the decoder does not say where it stopped. */
function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline
    try {
      decoder.decode(bytes.subarray(start, end))
    } catch {
      return line
    }
    start = end + 1
    line++
  }
  return line
}

function read(text: string): YamlNode {
  const lineAt = lineFinder(text)
  const events = parse(text, lineAt)
  let next = 0

  const node = (after: number): YamlNode => {
    const event = events[next++]
    if (event === undefined) return { kind: 'map', line: after, entries: [] }
    if (event.type === EVENT_ID.ALIAS) {
      throw new Unreadable(lineAt(event.anchorStart), 'aliases (*name) are not allowed here; write the value out')
    }
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) {
      throw new Unreadable(after, 'the structure cannot be read')
    }
    if (event.anchorStart >= 0) {
      throw new Unreadable(lineAt(event.anchorStart), 'anchors (&name) are not allowed here; write the value out')
    }
    if (event.tagStart >= 0) throw new Unreadable(lineAt(event.tagStart), 'tags (!name) are not allowed here')
    if (event.type === EVENT_ID.SCALAR) {
      const line = event.valueStart < 0 ? after : lineAt(event.valueStart)
      const content = getScalarValue(text, event)
      const value = event.style === SCALAR_STYLE.PLAIN ? coreScalar(content) : content
      return { kind: 'scalar', line, value, text: content }
    }
    const line = lineAt(event.start)
    return event.type === EVENT_ID.SEQUENCE ? list(line) : map(line)
  }
  const closed = (): boolean => events[next]?.type === EVENT_ID.POP
  const list = (line: number): ListNode => {
    const items: YamlNode[] = []
    while (!closed()) items.push(node(line))
    next++
    return { kind: 'list', line, items }
  }
  const map = (line: number): MapNode => {
    const entries: MapEntry[] = []
    const lines = new Map<string, number>()
    while (!closed()) {
      const key = node(line)
      if (key.kind !== 'scalar') throw new Unreadable(key.line, 'a key must be a word, not a list or a map')
      const before = lines.get(key.text)
      if (before !== undefined) {
        throw new Unreadable(key.line, `${key.text}: this key stands here twice, first in line ${before}; keep one`)
      }
      lines.set(key.text, key.line)
      entries.push({ key: key.text, line: key.line, value: node(key.line) })
    }
    next++
    return { kind: 'map', line, entries }
  }

  if (events.length === 0) return { kind: 'map', line: 1, entries: [] }
  next++ // the document
  const tree: YamlNode = closed() ? { kind: 'map', line: 1, entries: [] } : node(1)
  next++ // its end
  if (next < events.length) throw new Unreadable(0, 'there are several documents (---) in this file; keep one')
  return tree
}

function parse(text: string, lineAt: (offset: number) => number): ReturnType<typeof parseEvents> {
  try {
    return parseEvents(text, { maxDepth: MAX_DEPTH })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const line = error.mark === undefined ? 0 : lineAt(error.mark.position)
    throw new Unreadable(line, plainReason(error.reason, text, line))
  }
}

/** js-yaml's reason, said more plainly where ours is known to be clearer. */
function plainReason(reason: string, text: string, line: number): string {
  if (reason.includes('maxDepth')) return `the nesting is deeper than ${MAX_DEPTH} levels`
  if (reason.includes('null byte')) return 'there is a NUL byte in the text; save the file as UTF-8 text'
  if (/^ *\t/.test(text.split(/\r\n|\r|\n/)[line - 1] ?? '')) return 'the line is indented with a tab; use spaces'
  return `not valid YAML: ${reason}`
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

/** A plain (unquoted) scalar by the rules of YAML 1.2's core schema: `yes` and `off` are words. */
function coreScalar(text: string): Scalar {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null
  if (/^(?:true|True|TRUE)$/.test(text)) return true
  if (/^(?:false|False|FALSE)$/.test(text)) return false
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text)
  if (/^0o[0-7]+$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text)
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN
  return text
}

/** The line of the deepest key of `path` that is written. */
export function lineAt(node: YamlNode, path: readonly string[]): number {
  let line = node.line
  let here: YamlNode | undefined = node
  for (const key of path) {
    const entries: readonly MapEntry[] = here?.kind === 'map' ? here.entries : []
    const entry = entries.find((candidate) => candidate.key === key)
    if (entry === undefined) return line
    line = entry.line
    here = entry.value
  }
  return line
}
