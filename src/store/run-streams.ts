/**
 * Reading what a run's processes append while it goes on: whole, or in batches and flat memory. A writer killed in the
 * middle of a line leaves a torn one; so may a power cut. Neither hides the other lines.
 */
import type { Backend } from './backend.ts'
import { runFolder } from './layout.ts'
import type { SkippedLine, StreamLine, StreamName } from './store.ts'

const NEWLINE = 10
/** Bytes. No writer of ours comes near it; of longer lines nothing is kept. */
const LONGEST_LINE = 1 << 20

export async function readStream<S extends StreamName>(
  backend: Backend,
  id: string,
  stream: S,
): Promise<StreamLine[S][]> {
  const lines: StreamLine[S][] = []
  for await (const batch of streamBatches(backend, id, stream)) for (const line of batch) lines.push(line)
  return lines
}

/** One batch for each piece of a file as it is read; batches without a line are left out. */
export async function* streamBatches<S extends StreamName>(
  backend: Backend,
  id: string,
  stream: S,
  skipped: SkippedLine = () => {},
): AsyncGenerator<readonly StreamLine[S][]> {
  for (const file of await filesOf(backend, id, stream)) {
    const whole = wholeLines(() => skipped(file.slice(runFolder(id).length + 1)))
    for await (const piece of (await backend.read(file)) ?? []) {
      const lines = linesOf<StreamLine[S]>(whole(piece))
      if (lines.length > 0) yield lines
    }
  }
}

/** Regular files alone: what somebody put there as a link or a pipe `verify` names. */
async function filesOf(backend: Backend, id: string, stream: StreamName): Promise<string[]> {
  const inRun = await backend.list(runFolder(id))
  if (inRun.find(({ name }) => name === stream)?.kind !== 'folder') return []
  const folder = `${runFolder(id)}/${stream}`
  const entries = await backend.list(folder)
  return entries
    .filter(({ name, kind }) => kind === 'file' && name.endsWith('.jsonl'))
    .map(({ name }) => `${folder}/${name}`)
}

/**
 * From pieces of a file to the whole lines that end in each. Every byte is copied once at most, however long the line
 * that it belongs to.
 */
function wholeLines(skipped: () => void): (piece: Uint8Array) => Buffer {
  let begun: Buffer[] = []
  let length = 0
  const keep = (part: Buffer): void => {
    if (length <= LONGEST_LINE && length + part.length > LONGEST_LINE) skipped()
    length += part.length
    if (length > LONGEST_LINE) begun = []
    // A piece is valid until the next one only.
    else if (part.length > 0) begun.push(Buffer.from(part))
  }
  return (piece) => {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    const first = bytes.indexOf(NEWLINE)
    if (first < 0) {
      keep(bytes)
      return EMPTY
    }
    const last = bytes.lastIndexOf(NEWLINE)
    const isLong = length + first > LONGEST_LINE
    if (isLong && length <= LONGEST_LINE) skipped()
    const whole = isLong ? bytes.subarray(first + 1, last + 1) : Buffer.concat([...begun, bytes.subarray(0, last + 1)])
    begun = []
    length = 0
    keep(bytes.subarray(last + 1))
    return whole
  }
}

const EMPTY = Buffer.alloc(0)

function linesOf<T>(bytes: Buffer): T[] {
  const lines: T[] = []
  if (bytes.length === 0) return lines
  for (const line of bytes.toString('utf8').split('\n')) {
    try {
      const parsed: unknown = JSON.parse(line)
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) lines.push(parsed as T)
    } catch {}
  }
  return lines
}
