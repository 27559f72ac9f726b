/**
 * A disk in memory that knows what is durable: bytes are, once their file was fsynced; a name is, once its folder was.
 * `afterKill` is what other processes see when one is killed; `afterPowerLoss` is what is left when the machine is.
 * The latter is harsher than any journaling file system: every name and every file survives or not by itself.
 */
import { dirname } from 'node:path'
import type { FileInfo, Files } from '../../src/store/files.ts'

interface Inode {
  readonly kind: 'file' | 'folder'
  /** What a running system sees, and what a power cut leaves for certain. */
  data: Buffer
  durableData: Buffer
  readonly entries: Map<string, Inode>
  durableEntries: Map<string, Inode>
  mode: number
  modified: number
}

interface Descriptor {
  readonly inode: Inode
  position: number
  readonly append: boolean
}

/** Chooses, for each thing that was not synced, whether it survives. */
export type Luck = () => boolean

export class MemoryDisk {
  readonly #root: Inode
  readonly #descriptors = new Map<number, Descriptor>()
  #nextDescriptor = 3
  #clock = 1_700_000_000_000

  constructor(root: Inode = folder(0o755)) {
    this.#root = root
  }

  /** Everything that was written, synced or not. */
  afterKill(): MemoryDisk {
    return new MemoryDisk(
      copy(
        this.#root,
        ({ data }) => data,
        ({ entries }) => entries,
      ),
    )
  }

  /** The same disk once more, with what is durable and what is not. */
  fork(): MemoryDisk {
    return new MemoryDisk(fork(this.#root))
  }

  /** @param luck by default nothing survives that was not synced */
  afterPowerLoss(luck: Luck = () => false): MemoryDisk {
    const data = (inode: Inode): Buffer => (luck() ? inode.data : inode.durableData)
    const entries = (inode: Inode): Map<string, Inode> => {
      const names = new Set([...inode.entries.keys(), ...inode.durableEntries.keys()])
      const kept = new Map<string, Inode>()
      for (const name of names) {
        const [now, synced] = [inode.entries.get(name), inode.durableEntries.get(name)]
        const survivor = now === synced || luck() ? now : synced
        if (survivor !== undefined) kept.set(name, survivor)
      }
      return kept
    }
    return new MemoryDisk(copy(this.#root, data, entries))
  }

  /** Paths of all files and their bytes, for comparing what a user sees before and after. */
  tree(path = '', at = this.#root): Map<string, string> {
    const files = new Map<string, string>()
    for (const [name, inode] of [...at.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (inode.kind === 'file') files.set(`${path}/${name}`, inode.data.toString('latin1'))
      else for (const [inner, data] of this.tree(`${path}/${name}`, inode)) files.set(inner, data)
    }
    return files
  }

  readonly files: Files = {
    readFile: (path) => Buffer.from(this.#file(path).data),
    list: (path) => [...this.#folder(path).entries].map(([name, { kind }]) => ({ name, kind })),
    exists: (path) => this.#has(path),
    info: (path) => info(this.#get(path)),
    target: (path) => info(this.#get(path)),
    readLink: (path) => fail('EINVAL', path),
    open: async (path, flags, mode = 0o644) => this.#open(path, flags, mode),
    openRegular: async (path) => this.#open(path, 'r', 0o644),
    read: async (fd, into) => {
      const open = this.#descriptor(fd)
      const count = open.inode.data.copy(into, 0, open.position, open.position + into.length)
      open.position += count
      return count
    },
    write: async (fd, bytes) => {
      const { inode } = this.#descriptor(fd)
      inode.data = Buffer.concat([inode.data, bytes])
      inode.modified = this.#tick()
      return bytes.length
    },
    truncate: async (fd, size) => {
      const { inode } = this.#descriptor(fd)
      inode.data = inode.data.subarray(0, size)
    },
    fsync: async (fd) => {
      const { inode } = this.#descriptor(fd)
      inode.durableData = inode.data
    },
    close: async (fd) => {
      this.#descriptor(fd)
      this.#descriptors.delete(fd)
    },
    fsyncFolder: async (path) => {
      const at = this.#folder(path)
      at.durableEntries = new Map(at.entries)
    },
    mkdir: async (path) => this.#add(path, folder(0o755)),
    rmdir: async (path) => {
      if (this.#folder(path).entries.size > 0) fail('ENOTEMPTY', path)
      this.#parent(path).entries.delete(nameOf(path))
    },
    link: async (from, to) => this.#add(to, this.#file(from)),
    rename: async (from, to) => {
      const moved = this.#get(from)
      const target = this.#parent(to).entries.get(nameOf(to))
      if (target?.kind === 'folder' && target.entries.size > 0) fail('ENOTEMPTY', to)
      this.#parent(to).entries.set(nameOf(to), moved)
      if (from !== to) this.#parent(from).entries.delete(nameOf(from))
    },
    unlink: async (path) => {
      this.#file(path)
      this.#parent(path).entries.delete(nameOf(path))
    },
    chmod: async (path, mode) => {
      this.#get(path).mode = mode
    },
    chgrp: async (path) => void this.#get(path),
    fchown: async (fd) => void this.#descriptor(fd),
    lchown: async (path) => void this.#get(path),
    touch: async (path, time) => {
      this.#get(path).modified = time.getTime()
    },
  }

  #open(path: string, flags: 'r' | 'wx' | 'a', mode: number): number {
    const existing = this.#parent(path).entries.get(nameOf(path))
    if (existing !== undefined && flags === 'wx') fail('EEXIST', path)
    if (existing === undefined && flags === 'r') fail('ENOENT', path)
    const inode = existing ?? { ...folder(mode), kind: 'file' as const, modified: this.#tick() }
    if (existing === undefined) this.#add(path, inode)
    const fd = this.#nextDescriptor++
    this.#descriptors.set(fd, { inode, position: 0, append: flags === 'a' })
    return fd
  }

  #add(path: string, inode: Inode): void {
    const { entries } = this.#parent(path)
    if (entries.has(nameOf(path))) fail('EEXIST', path)
    entries.set(nameOf(path), inode)
  }

  #descriptor(fd: number): Descriptor {
    return this.#descriptors.get(fd) ?? fail('EBADF', String(fd))
  }

  #get(path: string): Inode {
    let at = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (at.kind !== 'folder') fail('ENOTDIR', path)
      at = at.entries.get(name) ?? fail('ENOENT', path)
    }
    return at
  }

  #has(path: string): boolean {
    try {
      this.#get(path)
      return true
    } catch {
      return false
    }
  }

  #file(path: string): Inode {
    const inode = this.#get(path)
    return inode.kind === 'file' ? inode : fail('EISDIR', path)
  }

  #folder(path: string): Inode {
    const inode = this.#get(path)
    return inode.kind === 'folder' ? inode : fail('ENOTDIR', path)
  }

  #parent(path: string): Inode {
    return this.#folder(dirname(path))
  }

  #tick(): number {
    this.#clock += 1
    return this.#clock
  }
}

const folder = (mode: number): Inode => ({
  kind: 'folder',
  data: Buffer.alloc(0),
  durableData: Buffer.alloc(0),
  entries: new Map(),
  durableEntries: new Map(),
  mode,
  modified: 1_700_000_000_000,
})

/** A disk on which everything that is there is durable. Two names of one file stay one file. */
function copy(
  of: Inode,
  data: (inode: Inode) => Buffer,
  entries: (inode: Inode) => Map<string, Inode>,
  done = new Map<Inode, Inode>(),
): Inode {
  const known = done.get(of)
  if (known !== undefined) return known
  const bytes = of.kind === 'file' ? data(of) : Buffer.alloc(0)
  const inner = new Map<string, Inode>()
  const made: Inode = { ...of, data: bytes, durableData: bytes, entries: inner, durableEntries: new Map() }
  done.set(of, made)
  if (of.kind === 'folder') for (const [name, inode] of entries(of)) inner.set(name, copy(inode, data, entries, done))
  made.durableEntries = new Map(inner)
  return made
}

function fork(of: Inode, done = new Map<Inode, Inode>()): Inode {
  const known = done.get(of)
  if (known !== undefined) return known
  const made: Inode = { ...of, entries: new Map(), durableEntries: new Map() }
  done.set(of, made)
  for (const [name, inode] of of.entries) made.entries.set(name, fork(inode, done))
  for (const [name, inode] of of.durableEntries) made.durableEntries.set(name, fork(inode, done))
  return made
}

function info(inode: Inode): FileInfo {
  const { kind, data, mode, modified } = inode
  return { kind, size: data.length, mode, uid: process.getuid?.() ?? 0, gid: 0, modified }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function fail(code: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${path}`), { code, path })
}
