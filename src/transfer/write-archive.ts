/**
 * Writing an archive, always the same bytes for the same entries. It appears under its name whole and durable, and only
 * where nothing was; every object is hashed once more on its way out.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Context } from '../core/context.ts'
import { type MlopsError, systemCode, usage } from '../core/errors.ts'
import type { Pin } from '../store/events.ts'
import { fileFailure } from '../store/failures.ts'
import { END, lengthOf, padding, tarBlocks } from './tar-block.ts'

/** An entry to be written; `open` gives its bytes, `size` of them. */
export interface Outgoing {
  readonly path: string
  readonly size: number
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/**
 * @param destination absolute
 * @throws usage `DESTINATION_EXISTS`; failed `FILE_…` when it cannot be written, whatever an entry's `open` throws
 */
export async function writeArchive(ctx: Context, destination: string, entries: readonly Outgoing[]): Promise<Pin> {
  const partial = join(dirname(destination), `.${basename(destination)}.${randomBytes(6).toString('hex')}`)
  try {
    if (await exists(destination)) throw destinationTaken(destination)
    const pin = await writePartial(ctx, partial, basename(destination), entries)
    await appear(partial, destination)
    return pin
  } catch (error) {
    throw fileFailure(error, destination, 'write')
  } finally {
    await unlink(partial).catch(() => {})
  }
}

async function writePartial(ctx: Context, path: string, name: string, entries: readonly Outgoing[]): Promise<Pin> {
  const { header } = await tarBlocks()
  const handle = await open(path, 'wx', 0o644)
  const hash = createHash('sha256')
  const total = entries.reduce((sum, { size }) => sum + lengthOf(size), END.length)
  let size = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    ctx.signal?.throwIfAborted()
    hash.update(bytes)
    await writeAll(handle, bytes)
    size += bytes.length
    ctx.progress?.(`writing ${name}`, size / total)
  }
  try {
    for (const entry of entries) {
      await write(header(entry.path, entry.size))
      for await (const chunk of entry.open()) await write(chunk)
      await write(Buffer.alloc(padding(entry.size)))
    }
    await write(END)
    // An object that is not as long as its record says would have been refused before.
    if (size !== total) throw new RangeError(`the archive has ${size} bytes, expected were ${total}`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { sha256: hash.digest('hex'), size }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten
}

/** link() creates a name only if it is absent; a disk without hard links has to do with a look and a rename. */
async function appear(partial: string, destination: string): Promise<void> {
  try {
    await link(partial, destination)
  } catch (error) {
    if (systemCode(error) === 'EEXIST' || (await exists(destination))) throw destinationTaken(destination)
    await rename(partial, destination)
  }
}

const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

const destinationTaken = (destination: string): MlopsError =>
  usage({
    code: 'DESTINATION_EXISTS',
    message: `${destination} exists already; nothing is overwritten.`,
    hint: 'Name another file with --output FILE, or move that one away',
  })
