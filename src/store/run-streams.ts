/**
 * Reading what a run's processes append while it goes on: whole, or in batches and flat memory. A writer killed in the
 * middle of a line leaves a torn one; so may a power cut. Neither hides the other lines.
 */
import type { Backend } from './backend.ts'
import { runFolder } from './layout.ts'
import type { StreamLine, StreamName } from './store.ts'

const NEWLINE = 10

export async function readStream<S extends StreamName>(
  backend: Backend,
  id: string,
  stream: S,
): Promise<StreamLine[S][]> {
  const files = await backend.getMany(await filesOf(backend, id, stream))
  return files.flatMap((bytes) => (bytes === undefined ? [] : linesOf<StreamLine[S]>(wholeLines(bytes))))
}

/** One batch for each piece of a file as it is read; batches without a line are left out. */
export async function* streamBatches<S extends StreamName>(
  backend: Backend,
  id: string,
  stream: S,
): AsyncGenerator<readonly StreamLine[S][]> {
  for (const file of await filesOf(backend, id, stream)) {
    let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
    for await (const piece of (await backend.read(file)) ?? []) {
      // A piece is valid until the next one only; concatenating copies it.
      const bytes = Buffer.concat([rest, piece])
      const whole = wholeLines(bytes)
      rest = bytes.subarray(whole.length)
      const lines = linesOf<StreamLine[S]>(whole)
      if (lines.length > 0) yield lines
    }
  }
}

async function filesOf(backend: Backend, id: string, stream: StreamName): Promise<string[]> {
  const folder = `${runFolder(id)}/${stream}`
  const entries = await backend.list(folder)
  return entries.filter(({ name }) => name.endsWith('.jsonl')).map(({ name }) => `${folder}/${name}`)
}

const wholeLines = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1)

function linesOf<T>(bytes: Buffer): T[] {
  const lines: T[] = []
  for (const line of bytes.toString('utf8').split('\n')) {
    try {
      const parsed: unknown = JSON.parse(line)
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) lines.push(parsed as T)
    } catch {}
  }
  return lines
}
