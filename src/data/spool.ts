/**
 * Private temporary files for rows that DuckDB cannot read where they are: standard input, the rows of a query, the
 * unpacked bytes of a compressed file. In a folder of mode 0700, each file of mode 0600; gone when the work is done, and
 * at the latest when the process ends, also by a signal.
 */
import { rmSync } from 'node:fs'
import { type FileHandle, mkdtemp, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed, systemCode } from '../core/errors.ts'

export interface Spool {
  /** Absolute; does not exist before `write` or somebody else makes it. */
  readonly path: string
  /** Writes all pieces, in order, with what `Writable`s do about back-pressure: one piece at a time. */
  write(pieces: AsyncIterable<Uint8Array>): Promise<void>
  remove(): void
}

const folders = new Set<string>()
let isWatching = false

/** @param what for the error when there is no room: `standard input` */
export async function makeSpool(what: string): Promise<Spool> {
  watchForTheEnd()
  const folder = await mkdtemp(join(tmpdir(), 'mlops-data-')).catch((error: unknown) => {
    throw noRoom(what, error)
  })
  folders.add(folder)
  const path = join(folder, 'rows')
  return {
    path,
    async write(pieces) {
      let file: FileHandle | undefined
      try {
        file = await open(path, 'wx', 0o600)
        // `writeFile` of a handle goes on where the last one stopped.
        for await (const piece of pieces)
          await file.writeFile(piece).catch((error: unknown) => {
            throw noRoom(what, error)
          })
      } finally {
        await file?.close()
      }
    },
    remove: () => removeFolder(folder),
  }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}

function removeAll(): void {
  for (const folder of folders) removeFolder(folder)
}

/** Ctrl-C is the command line's: it ends the process, or the work, and both remove. These two would end it unheard. */
function watchForTheEnd(): void {
  if (isWatching) return
  isWatching = true
  process.once('exit', removeAll)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      removeAll()
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
}

const noRoom = (what: string, error: unknown) =>
  failed({
    code: 'DATA_NO_ROOM',
    message: `There is no room to keep ${what} while it is counted: ${tmpdir()} cannot be written (${systemCode(error) ?? 'error'}).`,
    hint: 'Free space there, or name another folder in TMPDIR',
    cause: error,
  })
