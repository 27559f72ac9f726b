/**
 * Looking at and hashing many files on a thread of its own, so that the thread that passes a command's output on never
 * waits for a disk. Which files, and what is known of them already, is `folder-hash.ts`.
 */
import type { Worker } from 'node:worker_threads'
import type { Digest } from '../../core/digest.ts'

/** The md5 by which DVC knows a file: of its bytes, or, until DVC 3, of text with the line ends of Unix. */
export type Md5Kind = 'md5' | 'md5-dos2unix'

export interface Question {
  /** Absolute; bytes where the name is no UTF-8. */
  readonly path: string | Uint8Array
  /** `size,mtimeNs,ctimeNs,inode` of the file when its digest was taken; undefined: hash it in any case. */
  readonly mark?: string | undefined
}

/** What became of one file. */
export type Answer =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'hashed'
      readonly mark: string
      readonly size: number
      readonly sha256: Digest
      readonly md5?: string
      /** Untouched for long enough that another write must show in its times. */
      readonly isSettled: boolean
      /** It was being written while it was read, twice. */
      readonly changed: boolean
    }
  /** A system error; ENOENT: it is gone. */
  | { readonly kind: 'failed'; readonly code: string }

/** Milliseconds within which a file may be written twice and look the same (git's "racily clean"). */
const RACY = 2_000
const PIECE = 1 << 20

/** Plain JavaScript: a worker of the built program has no file of its own, and needs none for these lines. */
const WORKER = `
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const { parentPort } = require('node:worker_threads')
const piece = Buffer.allocUnsafe(${PIECE})
const FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0)
const markOf = (f) => f.size + ',' + f.mtimeNs + ',' + f.ctimeNs + ',' + f.ino
const isBinary = (bytes) => {
  let odd = 0
  for (const b of bytes) {
    if (b === 0) return true
    if (!((b >= 32 && b < 127) || (b >= 8 && b <= 13 && b !== 11))) odd++
  }
  return odd / bytes.length > 0.3
}
const unixLines = (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\\r\\n', '\\n'), 'latin1')
const read = (path, md5Kind) => {
  const file = fs.openSync(path, FLAGS)
  try {
    const started = Date.now()
    const before = fs.fstatSync(file, { bigint: true })
    if (!before.isFile()) throw Object.assign(new Error('no regular file'), { code: 'ENOENT' })
    const sha256 = createHash('sha256')
    const md5 = md5Kind === undefined ? undefined : createHash('md5')
    const wanted = Number(before.size)
    let size = 0
    for (;;) {
      // Whole pieces: DVC decides for each MiB whether it is text.
      let n = 0
      for (let got; n < piece.length && (size + n < wanted || n === 0) && (got = fs.readSync(file, piece, n, piece.length - n, null)) > 0; ) n += got
      if (n === 0) break
      const bytes = piece.subarray(0, n)
      sha256.update(bytes)
      if (md5) md5.update(md5Kind === 'md5' || isBinary(bytes.subarray(0, 512)) ? bytes : unixLines(bytes))
      size += n
      if (size >= wanted) break
    }
    const after = fs.fstatSync(file, { bigint: true })
    const mark = markOf(after)
    const touched = Number((after.mtimeMs > after.ctimeMs ? after.mtimeMs : after.ctimeMs))
    return {
      kind: 'hashed', mark, size, sha256: sha256.digest('hex'), ...(md5 ? { md5: md5.digest('hex') } : {}),
      isSettled: touched < started - ${RACY}, changed: markOf(before) !== mark || size !== Number(after.size),
    }
  } finally {
    fs.closeSync(file)
  }
}
const answer = ({ path, mark }, md5Kind) => {
  try {
    if (mark !== undefined && markOf(fs.statSync(path, { bigint: true })) === mark) return { kind: 'same' }
    const found = read(path, md5Kind)
    return found.changed ? read(path, md5Kind) : found
  } catch (error) {
    return { kind: 'failed', code: error.code ?? String(error) }
  }
}
parentPort.on('message', ({ questions, md5Kind }) => {
  parentPort.postMessage(questions.map((each) => answer({ ...each, path: typeof each.path === 'string' ? each.path : Buffer.from(each.path) }, md5Kind)))
})`

export interface FileReader {
  /** In the order of the questions; asked again before it has answered, it answers one after the other. */
  ask(questions: readonly Question[]): Promise<readonly Answer[]>
  close(): void
}

/** @throws from `ask`: whatever ended the thread; the reason of `signal` once that is aborted */
export async function startFileReader(md5Kind: Md5Kind | undefined, signal?: AbortSignal): Promise<FileReader> {
  signal?.throwIfAborted()
  const { Worker } = await import('node:worker_threads')
  const worker: Worker = new Worker(WORKER, { eval: true, execArgv: [] })
  const waiting: { resolve(answers: readonly Answer[]): void; reject(error: unknown): void }[] = []
  let ended: { readonly why: unknown } | undefined
  const end = (why: unknown): void => {
    ended ??= { why }
    for (const { reject } of waiting.splice(0)) reject(why)
  }
  const onAbort = (): void => end(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  worker.on('message', (answers: readonly Answer[]) => waiting.shift()?.resolve(answers))
  worker.on('error', end)
  return {
    ask: (questions) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended.why)
        waiting.push({ resolve, reject })
        worker.postMessage({ questions, md5Kind })
      }),
    close() {
      signal?.removeEventListener('abort', onAbort)
      // An answer nobody waits for any more must not be an unhandled rejection.
      end(new Error('closed'))
      void worker.terminate()
    },
  }
}
