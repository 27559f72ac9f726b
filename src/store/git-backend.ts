/**
 * A store that a team shares as a branch (docs/git-store.md). Everything is read from the folder, as ever; what must
 * have one winner is decided by a push (`git-branch.ts`), and only what was accepted is put into the folder. What is
 * nobody else's business stays in the folder: runs, predictions, hints, heartbeats.
 */
import type { Digest } from '../core/digest.ts'
import { failed, type MlopsError } from '../core/errors.ts'
import type { Appender, Backend, PublishOptions, Put, Staged, Stat } from './backend.ts'
import type { FileEntry } from './files.ts'
import type { GitBranch } from './git-branch.ts'
import { carriedAs } from './git-carried.ts'
import { elsewhere } from './git-elsewhere.ts'
import { claimStat } from './git-heartbeat.ts'
import type { Sharing } from './git-sharing.ts'

export class GitBackend implements Backend {
  readonly root: string
  readonly newer: number | undefined
  readonly #local: Backend
  readonly #branch: GitBranch
  readonly #sharing: Sharing

  constructor(local: Backend, branch: GitBranch, sharing: Sharing) {
    this.root = local.root
    this.newer = local.newer
    this.#local = local
    this.#branch = branch
    this.#sharing = sharing
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#local.get(key)
  }

  getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.#local.getMany(keys)
  }

  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#local.read(key)
  }

  stat(key: string): Promise<Stat | undefined> {
    return key.endsWith('/alive') && key.startsWith('models/') ? claimStat(this.#local, key) : this.#local.stat(key)
  }

  existing(keys: readonly string[]): Promise<boolean[]> {
    return this.#local.existing(keys)
  }

  async list(folder: string): Promise<FileEntry[]> {
    if (folder.startsWith('models/')) await this.#branch.refreshIfOld()
    return this.#local.list(folder)
  }

  async stage(): Promise<Staged> {
    const staged = await this.#local.stage()
    return {
      write: (bytes) => staged.write(bytes),
      discard: () => staged.discard(),
      replace: (key) => staged.replace(key),
      async publish(key: string, options?: PublishOptions) {
        const kind = carriedAs(key)
        // Objects wait here for the event that refers to them: its push carries them.
        if (kind === undefined || kind === 'object') return staged.publish(key, options)
        await staged.discard()
        throw failed({
          code: 'STORE_NOT_PUSHED',
          message: `${key} belongs to the shared branch and was to be put beside it.`,
          hint: 'This is a bug in mlops; please report it',
        })
      },
    }
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    const kind = carriedAs(key)
    if (kind === undefined || kind === 'object') return this.#local.putIfAbsent(key, bytes)
    return this.#branch.decide([{ key, bytes: Buffer.from(bytes) }])
  }

  putTogether(puts: readonly Put[]): Promise<boolean> {
    return this.#branch.decide(puts)
  }

  settle(key: string): Promise<void> {
    return this.#local.settle(key)
  }

  sync(key: string): Promise<void> {
    return this.#local.sync(key)
  }

  appender(key: string): Promise<Appender> {
    return this.#local.appender(key)
  }

  touch(key: string, time: Date): Promise<void> {
    return this.#local.touch(key, time)
  }

  remove(key: string): Promise<boolean> {
    return this.#local.remove(key)
  }

  keep(key: string): Promise<'kept' | 'foreign' | 'absent'> {
    return this.#local.keep(key)
  }

  move(from: string, to: string): Promise<'moved' | 'absent' | 'taken'> {
    return this.#local.move(from, to)
  }

  removeTree(folder: string): Promise<void> {
    return this.#local.removeTree(folder)
  }

  refuseLinks(folder: string): Promise<void> {
    return this.#local.refuseLinks(folder)
  }

  whyMissing(digest: Digest): Promise<MlopsError | undefined> {
    return elsewhere(this.#local, this.#sharing, digest)
  }

  path(key: string): string {
    return this.#local.path(key)
  }
}
