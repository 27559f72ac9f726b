/** Formats that hold numbers and nothing else, recognised by their whole structure, never by a name or a magic alone. */
import type { OpenFile } from './reader.ts'

const LARGEST_HEADER = 100_000_000

/**
 * safetensors: 8 bytes with the length of a JSON header, the header, and tensors that fill the file without gaps.
 * @returns undefined when it is none at all; false when it looks like one and is not right
 */
export async function isSafetensors(file: OpenFile): Promise<boolean | undefined> {
  const head = await file.at(0, 9)
  if (head.length < 9 || head[8] !== 0x7b) return undefined
  const length = head.readUInt32LE(0) + head.readUInt32LE(4) * 2 ** 32
  if (length > LARGEST_HEADER || 8 + length > file.size) return undefined
  let header: unknown
  try {
    header = JSON.parse((await file.at(8, length)).toString('utf8'))
  } catch {
    return undefined
  }
  const spans: [number, number][] = []
  for (const [name, tensor] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') continue
    const offsets = (tensor as { data_offsets?: unknown } | null)?.data_offsets
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(Number.isSafeInteger)) return false
    spans.push(offsets as [number, number])
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let end = 0
  for (const [from, to] of spans) {
    if (from !== end || to < from) return false
    end = to
  }
  return 8 + length + end === file.size
}

/** Fields of ONNX's ModelProto (onnx.proto3) by number: their wire types. */
const MODEL_PROTO: Readonly<Record<number, number>> = {
  1: 0,
  2: 2,
  3: 2,
  4: 2,
  5: 0,
  6: 2,
  7: 2,
  8: 2,
  14: 2,
  20: 2,
  25: 2,
  26: 2,
}

/** ONNX: a protobuf message whose fields are those of a ModelProto up to the last byte, with an IR version and a graph. */
export async function isOnnx(file: OpenFile): Promise<boolean> {
  const seen = new Set<number>()
  let at = 0
  while (at < file.size) {
    const head = await file.at(at, 20)
    const key = varint(head, 0)
    if (key === undefined) return false
    const field = Math.floor(key.value / 8)
    if (MODEL_PROTO[field] !== key.value % 8) return false
    const value = varint(head, key.end)
    if (value === undefined || seen.size > 1_000) return false
    if (field === 1 && (value.value < 1 || value.value > 1_000)) return false
    seen.add(field)
    at += value.end + (MODEL_PROTO[field] === 2 ? value.value : 0)
  }
  return at === file.size && seen.has(1) && seen.has(7)
}

function varint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: from + i + 1 } : undefined
  }
  return undefined
}
