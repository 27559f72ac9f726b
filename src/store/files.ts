/**
 * The system calls the store makes, as one small interface, and the real ones.
 *
 * Everything below `Backend` goes through here, so that a test can stand in a disk that fails or loses power at the
 * n-th call. No policy belongs here: no retries, no error messages. Errors are Node's system errors.
 */
import fs from 'node:fs'
import { promisify } from 'node:util'

export type FileKind = 'file' | 'folder' | 'link' | 'other'

export interface FileInfo {
  readonly kind: FileKind
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

export interface FileEntry {
  readonly name: string
  readonly kind: FileKind
}

/**
 * Reads of small files are synchronous: a log of 1,500 events is read in a tenth of the time that as many promises
 * take. Calls that wait for the disk are asynchronous.
 */
export interface Files {
  /** Of regular files alone: a pipe would be waited for, a link leads anywhere. @throws `ENOTREGULAR` for others */
  readFile(path: string): Buffer
  list(path: string): FileEntry[]
  /** As `info`, without the price of an error where there is nothing. */
  exists(path: string): boolean
  /** Of the path itself: a symbolic link is not followed. */
  info(path: string): FileInfo
  /** Of what the path leads to, through symbolic links. */
  target(path: string): FileInfo
  readLink(path: string): string

  open(path: string, flags: 'r' | 'wx' | 'a', mode?: number): Promise<number>
  /** For reading, as `readFile`. @throws `ENOTREGULAR` */
  openRegular(path: string): Promise<number>
  /** Fills `into` from the file's position. @returns bytes read, 0 at the end */
  read(fd: number, into: Uint8Array): Promise<number>
  /** One write(2). @returns bytes written, which may be fewer than given */
  write(fd: number, bytes: Uint8Array): Promise<number>
  truncate(fd: number, size: number): Promise<void>
  fsync(fd: number): Promise<void>
  close(fd: number): Promise<void>

  /** Makes the entries of a folder durable. */
  fsyncFolder(path: string): Promise<void>
  mkdir(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  chgrp(path: string, group: number): Promise<void>
  /** Of an open file. */
  fchown(fd: number, user: number, group: number): Promise<void>
  /** Of the path itself: a symbolic link is not followed. */
  lchown(path: string, user: number, group: number): Promise<void>
  /** Sets the modification time. */
  touch(path: string, time: Date): Promise<void>
}

const open = promisify(fs.open)
const read = promisify(fs.read) as unknown as (fd: number, buffer: Uint8Array) => Promise<{ bytesRead: number }>
const write = promisify(fs.write) as unknown as (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
) => Promise<{ bytesWritten: number }>
const fsync = promisify(fs.fsync)
const close = promisify(fs.close)
const chown = promisify(fs.chown)
const utimes = promisify(fs.utimes)
const mkdir = promisify(fs.mkdir) as (path: string) => Promise<void>

export const nodeFiles: Files = {
  readFile: readRegular,
  list: (path) =>
    fs.readdirSync(path, { withFileTypes: true }).map((entry) => ({ name: entry.name, kind: kind(entry) })),
  exists: (path) => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
  info: (path) => fileInfo(fs.lstatSync(path)),
  target: (path) => fileInfo(fs.statSync(path)),
  readLink: (path) => fs.readlinkSync(path),
  open: (path, flags, mode = 0o644) => open(path, flags, mode),
  openRegular,
  read: async (fd, into) => (await read(fd, into)).bytesRead,
  write: async (fd, bytes) => (await write(fd, bytes, 0, bytes.length)).bytesWritten,
  truncate: promisify(fs.ftruncate),
  fsync,
  close,
  fsyncFolder,
  mkdir,
  rmdir: promisify(fs.rmdir) as (path: string) => Promise<void>,
  link: promisify(fs.link),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  chmod: promisify(fs.chmod),
  chgrp: (path, group) => chown(path, -1, group),
  fchown: promisify(fs.fchown),
  lchown: promisify(fs.lchown),
  touch: (path, time) => utimes(path, time, time),
}

/**
 * What is made belongs to `owner`, for a root that writes into somebody's store. By descriptor, and never through a
 * link: in a folder of the owner's a path may be another file a moment later.
 * @param denied the error when the system allows even root no such thing (a container's root, a network disk)
 */
export function ownedBy(files: Files, owner: { uid: number; gid: number }, denied: (cause: unknown) => Error): Files {
  const { uid, gid } = owner
  return {
    ...files,
    async open(path, flags, mode) {
      const fd = await files.open(path, flags, mode)
      if (flags !== 'wx') return fd
      try {
        await files.fchown(fd, uid, gid)
        return fd
      } catch (error) {
        await files.close(fd)
        await files.unlink(path)
        throw denied(error)
      }
    },
    async mkdir(path) {
      await files.mkdir(path)
      await files.lchown(path, uid, gid)
    },
  }
}

/** Neither waits for the writer of a pipe nor follows a link. Windows has neither of the two. */
const REGULAR = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0) | (fs.constants.O_NOFOLLOW ?? 0)

function readRegular(path: string): Buffer {
  const fd = openedOrOdd(path, () => fs.openSync(path, REGULAR))
  try {
    if (!fs.fstatSync(fd).isFile()) throw notRegular(path)
    return fs.readFileSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

async function openRegular(path: string): Promise<number> {
  const fd = await open(path, REGULAR).catch((error: unknown) => openedOrOdd(path, () => raise(error)))
  if (fs.fstatSync(fd).isFile()) return fd
  await close(fd)
  throw notRegular(path)
}

/** ELOOP is a link, ENXIO a socket; FreeBSD says EMLINK for a link. */
function openedOrOdd(path: string, work: () => number): number {
  try {
    return work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw ['ELOOP', 'ENXIO', 'EMLINK'].includes(code) ? notRegular(path) : error
  }
}

const raise = (error: unknown): never => {
  throw error
}

const notRegular = (path: string): Error =>
  Object.assign(new Error(`${path} is no regular file`), { code: 'ENOTREGULAR', path })

async function fsyncFolder(path: string): Promise<void> {
  // Windows cannot open a folder for this; NTFS journals its entries by itself.
  if (process.platform === 'win32') return
  const fd = await open(path, 'r')
  try {
    await fsync(fd)
  } catch (error) {
    // Some network file systems have no such call on folders; there is nothing more that could be done on them.
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error
  } finally {
    await close(fd)
  }
}

const fileInfo = (found: fs.Stats): FileInfo => {
  const { size, mode, uid, gid, mtimeMs } = found
  return { kind: kind(found), size, mode, uid, gid, modified: mtimeMs }
}

function kind(of: fs.Dirent | fs.Stats): FileKind {
  if (of.isFile()) return 'file'
  if (of.isDirectory()) return 'folder'
  return of.isSymbolicLink() ? 'link' : 'other'
}
