/** Is a file JSON from its first to its last byte? Checked as a stream: models of XGBoost have hundreds of megabytes. */
import type { ByteReader } from './reader.ts'

const DEEPEST = 2_000
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d])
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/
const WORD_BYTE = /[-+.0-9A-Za-z]/
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What may come next, inside the innermost container. */
type Expect = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing'

/** @param lines several documents, one after another, as in JSON Lines */
export async function isJson(reader: ByteReader, lines = false): Promise<boolean> {
  const open: number[] = []
  let expect: Expect = 'value'
  let documents = 0
  const after = (): Expect => (open.length === 0 ? (lines ? 'value' : 'nothing') : 'comma or end')
  for (;;) {
    if (!reader.has(1) && !(await reader.fill(1))) break
    const byte = reader.u8()
    if (SPACE.has(byte)) continue
    if (expect === 'nothing') return false
    if (byte === 0x7b || byte === 0x5b) {
      if (!expect.startsWith('value') || open.length >= DEEPEST) return false
      open.push(byte)
      expect = byte === 0x7b ? 'key or end' : 'value or end'
    } else if (byte === 0x7d || byte === 0x5d) {
      if (!expect.endsWith('end') || open.pop() !== (byte === 0x7d ? 0x7b : 0x5b)) return false
      if (open.length === 0) documents++
      expect = after()
    } else if (byte === 0x2c) {
      if (expect !== 'comma or end') return false
      expect = open.at(-1) === 0x7b ? 'key' : 'value'
    } else if (byte === 0x3a) {
      if (expect !== 'colon') return false
      expect = 'value'
    } else if (byte === QUOTE) {
      const isKey = expect.startsWith('key')
      if (!(isKey || expect.startsWith('value')) || !(await skipString(reader))) return false
      expect = isKey ? 'colon' : after()
      if (open.length === 0) documents++
    } else {
      if (!expect.startsWith('value') || !(await isLiteral(reader, byte))) return false
      expect = after()
      if (open.length === 0) documents++
    }
  }
  return open.length === 0 && documents > 0
}

async function skipString(reader: ByteReader): Promise<boolean> {
  for (;;) {
    if (!reader.has(1) && !(await reader.fill(1))) return false
    const byte = reader.u8()
    if (byte === QUOTE) return true
    if (byte < 0x20) return false
    if (byte !== BACKSLASH) continue
    if (!reader.has(1) && !(await reader.fill(1))) return false
    if (!'"\\/bfnrtu'.includes(String.fromCharCode(reader.u8()))) return false
  }
}

/** XGBoost and Python write NaN and Infinity, which strict JSON has no words for; they run nothing either. */
async function isLiteral(reader: ByteReader, first: number): Promise<boolean> {
  let text = String.fromCharCode(first)
  while (text.length <= 400 && (reader.has(1) || (await reader.fill(1)))) {
    const next = String.fromCharCode(reader.peek(1)[0] ?? 0)
    if (!WORD_BYTE.test(next)) break
    text += next
    reader.u8()
  }
  return NUMBER.test(text) || ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'].includes(text)
}
