/**
 * Setting single values in the text of a YAML file and leaving every other byte as it is: comments, order, quotes,
 * indentation, line endings. Pure; files are the business of `edit-config.ts`. A node's place is found by the `yaml`
 * package, the text is cut by hand: printing the document again would reformat all of it.
 */
import type { Document, Node, Pair, Scalar, YAMLMap } from 'yaml'

export interface Edit {
  /** Keys from the top: `['models', 'churn-model', 'drift', 'threshold']`. */
  readonly path: readonly string[]
  readonly value: string | number | boolean
  /** A map that has to be made for the value is written `{key: value}` on one line. */
  readonly inline?: boolean
}

/** The text cannot be edited without guessing. `line` is 1-based, 0 when none can be named. */
export class NotEditable extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.name = 'NotEditable'
    this.line = line
  }
}

type Yaml = typeof import('yaml')

/** @throws NotEditable for anchors, aliases, tags, several documents, or a list or a word where a map must be */
export async function editYaml(text: string, edits: readonly Edit[]): Promise<string> {
  const { default: yaml } = await import('yaml')
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  let body = text.slice(mark.length)
  for (const edit of edits) body = setValue(yaml, body, edit)
  return mark + body
}

function setValue(yaml: Yaml, text: string, edit: Edit): string {
  const document = parsed(yaml, text)
  const { contents } = document
  if (contents === null || isEmpty(yaml, contents)) return appended(text, blockLines(edit, 0, 0, eolOf(text)))
  let node: Node = contents
  for (const [depth, key] of edit.path.entries()) {
    if (!yaml.isMap(node))
      throw new NotEditable(lineOf(text, startOf(node)), `${edit.path.slice(0, depth).join('.')} is no map`)
    const map: YAMLMap = node
    const pair = map.items.find((item) => keyOf(yaml, item) === key)
    if (pair === undefined) return inserted(yaml, text, map, edit, depth)
    const value = pair.value as Node | null
    const isLast = depth === edit.path.length - 1
    if (isLast && value !== null && !isWord(yaml, value)) {
      throw new NotEditable(lineOf(text, startOf(value)), `${edit.path.join('.')} is no single value`)
    }
    if (isLast || value === null || isNull(yaml, value))
      return replaced(yaml, text, pair, isLast ? literal(edit.value) : flowOf(edit, depth + 1))
    node = value
  }
  return text
}

function parsed(yaml: Yaml, text: string): Document {
  const documents = yaml.parseAllDocuments(text)
  const [document] = Array.isArray(documents) ? documents : []
  if (document === undefined) return yaml.parseDocument('')
  if (Array.isArray(documents) && documents.length > 1)
    throw new NotEditable(0, 'there are several documents (---) in this file')
  const [error] = document.errors
  if (error !== undefined)
    throw new NotEditable(error.linePos?.[0].line ?? 0, error.message.split('\n')[0] ?? 'not valid YAML')
  yaml.visit(document, {
    Alias: (_, node) => {
      throw new NotEditable(lineOf(text, startOf(node)), 'aliases (*name) are not allowed here')
    },
    Node: (_, node) => {
      if ('anchor' in node && node.anchor !== undefined)
        throw new NotEditable(lineOf(text, startOf(node)), 'anchors (&name) are not allowed here')
    },
  })
  return document
}

const startOf = (node: Node): number => node.range?.[0] ?? 0
const isNull = (yaml: Yaml, node: Node): boolean => yaml.isScalar(node) && node.value === null
/** A value on its line: block scalars, lists and maps are none. */
const isWord = (yaml: Yaml, node: Node): boolean =>
  yaml.isScalar(node) && node.type !== 'BLOCK_FOLDED' && node.type !== 'BLOCK_LITERAL'
const isEmpty = (yaml: Yaml, node: Node): boolean => isNull(yaml, node) && ((node as Scalar).source ?? '') === ''

/** As js-yaml reads it for us: the text of the key, whatever type it would have. */
function keyOf(yaml: Yaml, { key }: Pair): string | undefined {
  if (!yaml.isScalar(key)) return undefined
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
}

/** The value of an existing key becomes another, where it stands. */
function replaced(yaml: Yaml, text: string, pair: Pair, value: string): string {
  const node = pair.value as Node | null
  const source = yaml.isScalar(node) ? (node.source ?? '') : undefined
  if (node?.range && source !== '' && node.range[1] > node.range[0]) {
    return text.slice(0, node.range[0]) + value + text.slice(node.range[1])
  }
  // Nothing is written behind the key, and perhaps no colon: `{drift}`.
  const end = (pair.key as Node).range?.[1] ?? 0
  const colon = /^[ \t]*:/.exec(text.slice(end))?.[0]
  return colon === undefined
    ? `${text.slice(0, end)}: ${value}${text.slice(end)}`
    : `${text.slice(0, end + colon.length)} ${value}${text.slice(end + colon.length)}`
}

function inserted(yaml: Yaml, text: string, map: YAMLMap, edit: Edit, depth: number): string {
  const last = map.items.at(-1)
  if (map.flow === true) {
    const member = `${keyText(edit.path[depth] ?? '')}: ${flowOf(edit, depth + 1)}`
    if (last === undefined) {
      const open = startOf(map) + 1
      return text.slice(0, open) + member + text.slice(open)
    }
    const end = endOf(yaml, last)
    return `${text.slice(0, end)}, ${member}${text.slice(end)}`
  }
  const first = map.items[0]
  const at = startOf(first?.key as Node)
  const indent = at - (text.lastIndexOf('\n', at - 1) + 1)
  const step = stepOf(text)
  const lines = blockLines(edit, depth, indent, eolOf(text), step)
  const end = last === undefined ? text.length : endOf(yaml, last)
  const newline = afterComments(text, text[end - 1] === '\n' ? end : nextLine(text, end), indent)
  return newline === text.length ? appended(text, lines) : text.slice(0, newline) + lines + text.slice(newline)
}

/** Where the last thing that is written of a pair ends; comments behind it are not looked at. */
function endOf(yaml: Yaml, pair: Pair): number {
  const value = pair.value as Node | null
  if (yaml.isMap(value) && value.flow !== true) {
    const last = value.items.at(-1)
    if (last !== undefined) return endOf(yaml, last)
  }
  if (yaml.isSeq(value) && value.flow !== true) {
    const last = value.items.at(-1) as Node | Pair | undefined
    if (yaml.isPair(last)) return endOf(yaml, last)
    if (yaml.isMap(last) && last.flow !== true && last.items.length > 0) return endOf(yaml, last.items.at(-1) as Pair)
    if (last?.range) return last.range[1]
  }
  const keyEnd = (pair.key as Node).range?.[1] ?? 0
  return Math.max(keyEnd, value?.range?.[1] ?? 0)
}

/** The keys from `depth` on, one below the other. */
function blockLines(edit: Edit, depth: number, indent: number, eol: string, step = 2): string {
  const { path, inline } = edit
  const flowFrom = inline === true ? Math.max(depth + 1, path.length - 1) : path.length
  let lines = ''
  for (let at = depth; at < Math.min(flowFrom, path.length); at++) {
    const isLast = at === flowFrom - 1
    const value = isLast ? ` ${flowOf(edit, at + 1)}` : ''
    lines += `${' '.repeat(indent + (at - depth) * step)}${keyText(path[at] ?? '')}:${value}${eol}`
  }
  return lines
}

/** What stands behind the key at `depth - 1`. */
function flowOf({ path, value }: Edit, depth: number): string {
  return path.slice(depth).reduceRight((inner, key) => `{${keyText(key)}: ${inner}}`, literal(value))
}

/** Lines behind everything; a file without an end of its last line keeps being one. */
function appended(text: string, lines: string): string {
  const eol = eolOf(text)
  if (text === '' || text.endsWith('\n')) return text + lines
  return `${text}${eol}${lines.slice(0, -eol.length)}`
}

const eolOf = (text: string): string => (/\r\n|\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n')

/** The indentation that is used first. */
const stepOf = (text: string): number => /^( +)[^\s#-]/m.exec(text)?.[1]?.length ?? 2

function nextLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from)
  return newline < 0 ? text.length : newline + 1
}

/** Comments that are indented deeper belong to what stands above them. */
function afterComments(text: string, from: number, indent: number): number {
  let end = from
  for (let at = from; at < text.length; ) {
    const next = nextLine(text, at)
    const [, blanks = '', rest = ''] = /^( *)(.*)/.exec(text.slice(at, next)) ?? []
    if (rest.trim() !== '' && !(rest.startsWith('#') && blanks.length > indent)) break
    at = next
    if (rest.startsWith('#')) end = next
  }
  return end
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i
/** Quoted unless it is a plain word everywhere, in braces too. */
const keyText = (key: string): string =>
  /^[A-Za-z_][\w.-]*$/.test(key) && !RESERVED.test(key) ? key : JSON.stringify(key)
const literal = (value: Edit['value']): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))
