/**
 * A store in a folder of a local (or mounted) disk. The protocol that makes bytes appear whole and durable is in
 * `local-publish.ts`, bytes on their way are in `local-writing.ts`; this file holds reading, folders and the reserve.
 */
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { failed, type MlopsError, systemCode } from '../core/errors.ts'
import type { Appender, Backend, Staged, Stat } from './backend.ts'
import { type Doing, explained, linkInside } from './failures.ts'
import type { FileEntry, Files } from './files.ts'
import { digestOfKey, TMP } from './layout.ts'
import type { Place } from './local-publish.ts'
import { LocalAppender, LocalStaged, WRITING } from './local-writing.ts'
import { asideOf, keepObject, removeTree } from './trash-objects.ts'

export interface LocalOptions {
  readonly files: Files
  /** Why writing is refused, or undefined when it is not. */
  readonly refusal?: MlopsError
  /** The folder belongs to a group: what is made in it is made writable for the group. */
  readonly shared?: boolean
  /** The store's format when it is newer than ours: what cannot be read is no damage then. */
  readonly newer?: number
}

const READ_CHUNK = 1 << 20
/** Most objects are small, and a large buffer for each of thousands keeps the garbage collector busy. */
const FIRST_CHUNK = 1 << 14
const READING: Doing = 'read from the store'

export class LocalBackend implements Backend, Place {
  readonly root: string
  readonly files: Files
  readonly newer: number | undefined
  readonly #refusal: MlopsError | undefined
  readonly #shared: boolean
  /** Folders whose entry in their parent is durable for certain. */
  readonly #settled: Set<string>
  /** Folders that were seen to be folders and no symbolic links. */
  readonly #real: Set<string>

  constructor(root: string, options: LocalOptions) {
    this.root = root
    this.files = options.files
    this.#refusal = options.refusal
    this.#shared = options.shared ?? false
    this.newer = options.newer
    this.#settled = new Set([root])
    this.#real = new Set([root])
  }

  path(key: string): string {
    return key === '' ? this.root : join(this.root, key)
  }

  temporary(): string {
    return this.path(`${TMP}/${randomBytes(12).toString('hex')}`)
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#reading(() => this.#at(key, (path) => this.files.readFile(path)))
  }

  async getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#reading(() => keys.map((key) => this.#at(key, (path) => this.files.readFile(path))))
  }

  async stat(key: string): Promise<Stat | undefined> {
    return this.#reading(() => this.#at(key, (path) => this.files.info(path)))
  }

  /** An object that a clean-up put aside is still of the store, until it is removed for good. */
  #at<T>(key: string, read: (path: string) => T): T | undefined {
    const found = absentIsUndefined(() => read(this.path(key)))
    const digest = found === undefined ? digestOfKey(key) : undefined
    const path = digest === undefined ? undefined : asideOf(this, digest)
    return path === undefined ? found : absentIsUndefined(() => read(path))
  }

  async existing(keys: readonly string[]): Promise<boolean[]> {
    return this.#reading(() => keys.map((key) => this.files.exists(this.path(key))))
  }

  async list(folder: string): Promise<FileEntry[]> {
    const entries = await this.#reading(() => absentIsUndefined(() => this.files.list(this.path(folder))))
    return (entries ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#reading(async () => {
      let fd = await absentIsUndefinedAsync(this.files.openRegular(this.path(key)))
      const digest = fd === undefined ? digestOfKey(key) : undefined
      const path = digest === undefined ? undefined : asideOf(this, digest)
      if (path !== undefined) fd = await absentIsUndefinedAsync(this.files.openRegular(path))
      return fd === undefined ? undefined : this.#chunks(fd)
    })
  }

  async *#chunks(fd: number): AsyncIterable<Uint8Array> {
    let buffer = Buffer.allocUnsafe(FIRST_CHUNK)
    try {
      for (;;) {
        const count = await this.#reading(() => this.files.read(fd, buffer))
        if (count === 0) return
        yield buffer.subarray(0, count)
        if (count === FIRST_CHUNK && buffer.length === count) buffer = Buffer.allocUnsafe(READ_CHUNK)
      }
    } finally {
      // Everything that was read had been read by then.
      await this.files.close(fd).catch(() => {})
    }
  }

  async stage(): Promise<Staged> {
    return this.#writing(async () => {
      const path = this.temporary()
      this.#isFolder(dirname(path))
      const fd = await this.files.open(path, 'wx', 0o644)
      return new LocalStaged(this, path, fd)
    })
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const staged = await this.stage()
    await staged.write(bytes)
    return staged.publish(key)
  }

  async settle(key: string): Promise<void> {
    return this.#writing(() => this.settleFolder(dirname(this.path(key))))
  }

  async sync(key: string): Promise<void> {
    return this.#writing(async () => {
      const fd = await this.files.open(this.path(key), 'r')
      try {
        await this.files.fsync(fd)
      } finally {
        await this.files.close(fd)
      }
      await this.settleFolder(dirname(this.path(key)))
    })
  }

  async appender(key: string): Promise<Appender> {
    return this.#writing(async () => {
      const path = this.path(key)
      await this.makeFolder(dirname(path))
      const exclusive = await this.files.open(path, 'wx', this.#shared ? 0o664 : 0o644)
      await this.files.close(exclusive)
      return new LocalAppender(this, await this.files.open(path, 'a'))
    })
  }

  async touch(key: string, time: Date): Promise<void> {
    return this.#writing(async () => {
      const path = this.path(key)
      await this.makeFolder(dirname(path))
      if (this.#kindOf(path) === 'link') throw linkInside(this.root, path)
      try {
        await this.files.touch(path, time)
      } catch (error) {
        const code = systemCode(error) ?? ''
        if (!['ENOENT', 'EPERM', 'EACCES'].includes(code)) throw error
        // Only its owner may set the time of a file; in a shared store that may be another member of the team.
        if (code !== 'ENOENT') await this.files.unlink(path).catch(() => {})
        else this.forgetFolder(dirname(path))
        await this.makeFolder(dirname(path))
        await this.#createEmpty(path)
        await this.files.touch(path, time)
      }
    })
  }

  async remove(key: string): Promise<boolean> {
    return this.#writing(async () => {
      const path = this.path(key)
      if (!this.#isFolder(dirname(path))) return false
      try {
        await this.files.unlink(path)
        return true
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return false
        throw error
      }
    })
  }

  async keep(key: string): Promise<'kept' | 'foreign' | 'absent'> {
    return this.#writing(() => keepObject(this, key))
  }

  async move(from: string, to: string): Promise<'moved' | 'absent' | 'taken'> {
    return this.#writing(async () => {
      const [source, target] = [this.path(from), this.path(to)]
      if (!this.#isFolder(dirname(source)) || this.#kindOf(source) === undefined) return 'absent'
      this.forgetFolder(dirname(target))
      await this.makeFolder(dirname(target))
      if (this.#kindOf(target) !== undefined) return 'taken'
      try {
        await this.files.rename(source, target)
      } catch (error) {
        const code = systemCode(error) ?? ''
        if (['ENOTEMPTY', 'EEXIST'].includes(code)) return 'taken'
        if (code === 'ENOENT') return 'absent'
        throw error
      }
      for (const set of [this.#settled, this.#real])
        for (const known of set) if (`${known}/`.startsWith(`${source}/`)) set.delete(known)
      // First where it is now: a power cut must not find it in neither place.
      await this.settleFolder(dirname(target))
      await this.settleFolder(dirname(source))
      return 'moved'
    })
  }

  async removeTree(folder: string): Promise<void> {
    return this.#writing(async () => {
      if (this.#isFolder(dirname(this.path(folder)))) await removeTree(this.files, this.path(folder))
    })
  }

  async refuseLinks(folder: string): Promise<void> {
    return this.#writing(() => {
      const parts = folder.split('/')
      for (let n = 1; n <= parts.length; n++) if (!this.#isFolder(this.path(parts.slice(0, n).join('/')))) return
    })
  }

  async #createEmpty(path: string): Promise<void> {
    try {
      await this.files.close(await this.files.open(path, 'wx', this.#shared ? 0o664 : 0o644))
    } catch (error) {
      // Somebody was faster.
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }

  #kindOf(path: string): Stat['kind'] | undefined {
    return absentIsUndefined(() => this.files.info(path))?.kind
  }

  /** @returns false when nothing is there. @throws failed `STORE_LINK_INSIDE` */
  #isFolder(path: string): boolean {
    if (this.#real.has(path)) return true
    const kind = this.#kindOf(path)
    if (kind === 'link') throw linkInside(this.root, path)
    if (kind === 'folder') this.#real.add(path)
    return kind !== undefined
  }

  /** Makes `folder` and what is missing above it. Durable only after `settleFolder`. */
  async makeFolder(folder: string): Promise<void> {
    if (this.#real.has(folder) || folder.length <= this.root.length) return
    await this.makeFolder(dirname(folder))
    if (this.#isFolder(folder)) return
    try {
      if (this.#shared) await this.#makeSharedFolder(folder)
      else await this.files.mkdir(folder)
    } catch (error) {
      if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error
    }
    this.#isFolder(folder)
  }

  forgetFolder(folder: string): void {
    for (const set of [this.#settled, this.#real])
      for (const known of set) if (known !== this.root && `${folder}/`.startsWith(`${known}/`)) set.delete(known)
  }

  /** Writable for the group from its first instant on: a kill between mkdir and chmod would lock the others out. */
  async #makeSharedFolder(folder: string): Promise<void> {
    const temporary = this.temporary()
    await this.files.mkdir(temporary)
    try {
      await this.files.chmod(temporary, 0o2775)
      await this.files.rename(temporary, folder)
    } catch (error) {
      await this.files.rmdir(temporary).catch(() => {})
      throw error
    }
  }

  /** Makes the entries of `folder` durable, and the folder's own entry and those above it unless they are known to be. */
  async settleFolder(folder: string): Promise<void> {
    await this.files.fsyncFolder(folder)
    for (let at = folder; !this.#settled.has(at) && at.length > this.root.length; at = dirname(at)) {
      await this.files.fsyncFolder(dirname(at))
      this.#settled.add(at)
    }
  }

  async #writing<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal
    return explained(this.root, WRITING, work)
  }

  async #reading<T>(work: () => Promise<T> | T): Promise<T> {
    return explained(this.root, READING, work)
  }
}

export const storeOpenedForReading = (root: string): MlopsError =>
  failed({
    code: 'STORE_OPENED_FOR_READING',
    message: `This command opened ${root} for reading and must not write into it.`,
    hint: 'This is a bug in mlops; please report it.',
  })

const absent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')

function absentIsUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (absent(error)) return undefined
    throw error
  }
}

async function absentIsUndefinedAsync<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (absent(error)) return undefined
    throw error
  }
}
