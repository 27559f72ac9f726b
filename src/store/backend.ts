/**
 * What the store needs of a place to keep files. Everything above (logs, objects, runs) is written against this, so
 * that a bucket or a git branch can take the place of a folder. One folder of a local disk is in `local-backend.ts`.
 * No knowledge of events, models or runs belongs here.
 *
 * A key is a `/`-separated path relative to the store. Errors are `MlopsError`s of `failures.ts`.
 */
import type { Digest } from '../core/digest.ts'
import type { MlopsError } from '../core/errors.ts'
import type { FileEntry } from './files.ts'

export interface Stat {
  readonly kind: FileEntry['kind']
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

/** Bytes on their way into the store, not visible to anybody yet. Ends with exactly one publish or discard. */
export interface Staged {
  write(bytes: Uint8Array): Promise<void>
  /**
   * Makes the bytes appear at `key`, whole and durable, unless something is there already.
   * @returns false when something was there; then nothing was changed and nothing is promised about what is there
   */
  publish(key: string, options?: PublishOptions): Promise<boolean>
  /** Puts the bytes in the place of damaged ones, which are kept under `quarantine/`. */
  replace(key: string): Promise<void>
  discard(): Promise<void>
}

export interface PublishOptions {
  /** The key is the digest of the bytes, so whoever publishes there publishes the same. */
  readonly addressed?: boolean
  /** Of an addressed key: in the place of the same bytes that are there. */
  readonly over?: boolean
}

/** One file that one process appends to. */
export interface Appender {
  /** One write of all the bytes; on failure the file is as before. */
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Bytes for a place that must be empty. */
export interface Put {
  readonly key: string
  readonly bytes: Buffer
}

export interface Backend {
  /** Absolute path of the folder. */
  readonly root: string
  /** The store's format when it is newer than ours: what cannot be read is no damage then. */
  readonly newer: number | undefined
  /** The whole file, or undefined when there is none. */
  get(key: string): Promise<Buffer | undefined>
  /** As `get`, for many small files at once. */
  getMany(keys: readonly string[]): Promise<(Buffer | undefined)[]>
  /** The file in chunks, each valid until the next is asked for; undefined when there is none. */
  read(key: string): Promise<AsyncIterable<Uint8Array> | undefined>
  stat(key: string): Promise<Stat | undefined>
  /** Is there something at each of these? Cheaper than as many `stat` where there mostly is nothing. */
  existing(keys: readonly string[]): Promise<boolean[]>
  /** Entries of one folder, sorted by name; none when it does not exist. */
  list(folder: string): Promise<FileEntry[]>

  stage(): Promise<Staged>
  /** @returns false when something is there already */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>
  /**
   * Where each put is a conversation with somebody far away: all of these, in this order, or none.
   * @returns false when something is at one of the keys already
   */
  putTogether?(puts: readonly Put[]): Promise<boolean>
  /** Makes what is at `key`, which somebody else may just have published, durable. */
  settle(key: string): Promise<void>
  /**
   * What is at `key` is needed now. A clean-up leaves alone what was needed lately, and what it put aside comes back
   * (docs/trash.md). The bytes are not looked at.
   * @returns `foreign` for what was needed long ago and belongs to another user: only a file of our own can say so
   */
  keep(key: string): Promise<'kept' | 'foreign' | 'absent'>
  /** Renames a folder, or a file, to a place where nothing is; durable. */
  move(from: string, to: string): Promise<'moved' | 'absent' | 'taken'>
  /** Takes away a folder that is part of no record any more, with all that is in it. */
  removeTree(folder: string): Promise<void>
  /** As `settle`, and the bytes too, however they came there. */
  sync(key: string): Promise<void>
  /** @param key must not exist */
  appender(key: string): Promise<Appender>
  /** Creates an empty file, or sets the modification time of what is there. */
  touch(key: string, time: Date): Promise<void>
  /** Takes a file away that no record is: a heartbeat, the reserve. @returns false when there was none */
  remove(key: string): Promise<boolean>
  /**
   * A writer goes through no symbolic link below the root; every method that writes sees to that by itself, this one
   * does so before anything was written.
   * @throws failed `STORE_LINK_INSIDE`
   */
  refuseLinks(folder: string): Promise<void>
  /** Why an object is not in this folder, where that is no damage. Absent: there is no other place. */
  whyMissing?(digest: Digest): Promise<MlopsError | undefined>
  /** Absolute path of a key, for error messages and for children that write there. */
  path(key: string): string
}
