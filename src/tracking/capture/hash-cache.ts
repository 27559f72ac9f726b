/**
 * What is remembered of the files of a folder, so that unchanged ones are not read again: a hint under `cache/` of the
 * store. Whatever is wrong with it (torn, of another machine, not readable, not writable) means reading more files,
 * never an error. Somebody who can write there can make it lie; `--rehash` does not ask it.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Digest, isDigest, sha256 } from '../../core/digest.ts'

export interface Remembered {
  /** Size, times and inode in one word, as `hash-worker.ts` makes it. */
  readonly mark: string
  readonly sha256: Digest
  /** With its kind: `md5:…` or `md5-dos2unix:…`. */
  readonly md5?: string
}
export type Memory = ReadonlyMap<string, Remembered>

export interface HashCache {
  /** Empty when there is nothing that can be believed. */
  load(): Promise<Map<string, Remembered>>
  save(memory: Memory): Promise<void>
}

const FORMAT = 1
/** A cache that large is no cache of ours. Bytes. */
const MAX_BYTES = 1 << 29
/** Entries that are handled before others get their turn. */
const TURN = 4_096
/** Written as JSON: it would end the line, or look like JSON. */
const ODD_NAME = /^"|\n/
const DAY = 86_400_000
/** Of a folder that nobody declares any more, or that did not change in all this time. */
const FORGOTTEN = 180 * DAY

/** Inode numbers and times mean nothing on another machine, and another user may see other files. */
const whoWeAre = (): string => `${hostname()} ${process.getuid?.() ?? 'user'}`

/** @param store root of the store. @param folder absolute, without links in it. */
export function openHashCache(store: string, folder: string, device: bigint): HashCache {
  const place = join(store, 'cache', 'hashes')
  const file = join(place, `${sha256(whoWeAre()).slice(0, 16)}-${sha256(folder).slice(0, 32)}`)
  const head = JSON.stringify({ format: FORMAT, who: whoWeAre(), folder, device: String(device) })
  return {
    async load() {
      try {
        const facts = await stat(file)
        if (!facts.isFile() || facts.size > MAX_BYTES) return new Map()
        return await parse(await readFile(file), head)
      } catch {
        return new Map()
      }
    },
    async save(memory) {
      // Whole or not at all, so that two at once do not mix; the last one wins, and both are right.
      const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
      try {
        await mkdir(place, { recursive: true, mode: 0o700 })
        await writeFile(temporary, await format(memory, head), { mode: 0o600, flag: 'wx' })
        await rename(temporary, file)
        await forgetOld(place, (await stat(file)).mtimeMs)
      } catch {
        await rm(temporary, { force: true }).catch(() => {})
      }
    },
  }
}

/** Lines of `sha256 md5|- mark path`, a first line that says of what, and a last one that says that it is whole. */
async function format(memory: Memory, head: string): Promise<Buffer> {
  const pieces: Buffer[] = [Buffer.from(`${head}\n`)]
  let lines: string[] = []
  const flush = async (): Promise<void> => {
    pieces.push(Buffer.from(lines.join(''), 'utf8'))
    lines = []
    await turn()
  }
  for (const [path, { mark, sha256: digest, md5 }] of memory) {
    lines.push(`${digest} ${md5 ?? '-'} ${mark} ${ODD_NAME.test(path) ? JSON.stringify(path) : path}\n`)
    if (lines.length === TURN) await flush()
  }
  await flush()
  const body = Buffer.concat(pieces)
  return Buffer.concat([body, Buffer.from(`${sha256(body)}\n`)])
}

async function parse(bytes: Buffer, head: string): Promise<Map<string, Remembered>> {
  const entries = new Map<string, Remembered>()
  const end = bytes.length - 65
  if (end <= 0 || bytes.toString('latin1', end) !== `${sha256(bytes.subarray(0, end))}\n`) return entries
  const lines = bytes.toString('utf8', 0, end).split('\n')
  if (lines[0] !== head) return entries
  for (let n = 1; n < lines.length - 1; n++) {
    const line = lines[n] ?? ''
    const [afterMd5, afterMark] = [line.indexOf(' ', 65), line.indexOf(' ', line.indexOf(' ', 65) + 1)]
    const [digest, md5, mark] = [line.slice(0, 64), line.slice(65, afterMd5), line.slice(afterMd5 + 1, afterMark)]
    const path = line.slice(afterMark + 1)
    if (!isDigest(digest)) return new Map()
    entries.set(path.startsWith('"') ? String(JSON.parse(path)) : path, {
      ...{ mark, sha256: digest },
      ...(md5 === '-' ? {} : { md5 }),
    })
    if (n % TURN === 0) await turn()
  }
  return entries
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** @param now milliseconds, by the clock of the disk */
async function forgetOld(place: string, now: number): Promise<void> {
  for (const name of await readdir(place)) {
    const path = join(place, name)
    const age = now - (await stat(path)).mtimeMs
    if (age > FORGOTTEN || (age > DAY && name.endsWith('.tmp'))) await rm(path, { force: true })
  }
}
