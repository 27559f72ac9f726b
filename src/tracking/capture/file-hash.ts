/** Digest, size, rows and columns of one file of data, in one reading. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { DeclaredData } from '../../store/run-records.ts'
import type { Md5Kind } from './hash-worker.ts'
import { parquetShape } from './parquet-footer.ts'
import { createCsvCounter, createJsonLinesCounter, type RowCounter } from './row-counter.ts'
import { unixLines } from './unix-lines.ts'

export interface HashedData {
  readonly facts: Pick<DeclaredData, 'sha256' | 'size' | 'rows' | 'columns'>
  readonly md5?: string
  /** It was written while it was read. */
  readonly changed: boolean
}

const PIECE = 1 << 20

/** @throws system errors; the reason of the signal */
export async function hashFile(
  path: string,
  {
    signal,
    md5,
    progress,
  }: {
    readonly signal?: AbortSignal | undefined
    readonly md5?: Md5Kind | undefined
    /** Bytes so far, and of how many. */
    readonly progress?: ((done: number, of: number) => void) | undefined
  } = {},
): Promise<HashedData> {
  const before = await stat(path, { bigint: true })
  const counter = counterFor(path)
  const hash = createHash('sha256')
  const forDvc = md5 === undefined ? undefined : createHash('md5')
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: PIECE, ...(signal ? { signal } : {}) })) {
    const bytes = chunk as Buffer
    hash.update(bytes)
    forDvc?.update(md5 === 'md5' ? bytes : unixLines(bytes))
    counter?.feed(bytes)
    size += bytes.length
    progress?.(size, Number(before.size))
  }
  const shape = counter?.end() ?? (/\.(?:parquet|pq)$/i.test(path) ? await parquetShape(path) : undefined)
  const after = await stat(path, { bigint: true })
  return {
    facts: { sha256: hash.digest('hex'), size, ...shape },
    ...(forDvc === undefined ? {} : { md5: forDvc.digest('hex') }),
    changed: before.mtimeNs !== after.mtimeNs || before.ino !== after.ino || BigInt(size) !== after.size,
  }
}

function counterFor(path: string): RowCounter | undefined {
  if (/\.csv$/i.test(path)) return createCsvCounter(',')
  if (/\.tsv$/i.test(path)) return createCsvCounter('\t')
  return /\.(?:jsonl|ndjson)$/i.test(path) ? createJsonLinesCounter() : undefined
}
