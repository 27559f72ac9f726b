/** Text that stands beside a model, or is one: LightGBM's and PMML's files, tables, notes. Source code is code. */
import { isUtf8 } from 'node:buffer'
import { extname } from 'node:path'
import type { ByteReader } from './reader.ts'

/** Text of these names is read by no loader that runs anything. */
const PLAIN = new Set([
  '',
  '.txt',
  '.csv',
  '.tsv',
  '.md',
  '.rst',
  '.json',
  '.jsonl',
  '.ndjson',
  '.xml',
  '.pmml',
  '.log',
  '.toml',
  '.ini',
  '.cfg',
  '.lock',
  '.html',
  '.svg',
  '.yaml',
  '.yml',
])
const PROGRAMS = new Set([
  '.py',
  '.pyw',
  '.pyi',
  '.sh',
  '.bash',
  '.r',
  '.js',
  '.mjs',
  '.ts',
  '.jl',
  '.pl',
  '.rb',
  '.bat',
  '.ps1',
])

/** YAML tags that make Python's unsafe loader import and call. */
const PYTHON_TAG = /!!python|!<?tag:yaml\.org,2002:python|%TAG/

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what no text has
const CONTROL = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f]/

export type TextKind = 'plain' | 'program' | 'unsafe yaml' | 'unknown'

/** @returns what kind of text of that name it is, or undefined when it is no text */
export async function textKind(reader: ByteReader, name: string): Promise<TextKind | undefined> {
  const extension = extname(name).toLowerCase()
  let rest = Buffer.alloc(0)
  let before = ''
  let isFirst = true
  let tagged = false
  let lightgbm = false
  let program = PROGRAMS.has(extension)
  while (await reader.fill(1)) {
    const chunk = reader.takeAll()
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const cut = text.length - incompleteTail(text)
    if (!isUtf8(text.subarray(0, cut))) return undefined
    const words = text.subarray(0, cut).toString('latin1')
    if (CONTROL.test(words)) return undefined
    if (isFirst) {
      lightgbm = /^tree\r?\nversion=v\d/.test(words)
      program ||= words.startsWith('#!')
    }
    isFirst = false
    // A tag may lie across two chunks.
    tagged ||= PYTHON_TAG.test(before + words)
    before = words.slice(-40)
    rest = Buffer.from(text.subarray(cut))
  }
  if (!isUtf8(rest)) return undefined
  if (program) return 'program'
  if (tagged) return 'unsafe yaml'
  return PLAIN.has(extension) || lightgbm ? 'plain' : 'unknown'
}

/** Bytes of an unfinished UTF-8 character at the end: 0 to 3. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0
  }
  return 0
}
