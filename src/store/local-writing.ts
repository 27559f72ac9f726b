/** Bytes on their way into a local store: staged ones, which appear all at once, and appended ones. */
import { dirname } from 'node:path'
import type { Appender, PublishOptions, Staged } from './backend.ts'
import { type Doing, explained, unsure } from './failures.ts'
import { type Place, publish, replaceDamaged } from './local-publish.ts'

export const WRITING: Doing = 'write into the store'

export interface WritingPlace extends Place {
  readonly root: string
}

export class LocalStaged implements Staged {
  readonly #place: WritingPlace
  readonly #path: string
  readonly #fd: number

  constructor(place: WritingPlace, path: string, fd: number) {
    this.#place = place
    this.#path = path
    this.#fd = fd
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#orDiscard(async () => {
      let done = 0
      while (done < bytes.length) done += await this.#place.files.write(this.#fd, bytes.subarray(done))
    })
  }

  async publish(key: string, options: PublishOptions = {}): Promise<boolean> {
    await this.#orDiscard(() => this.#place.files.fsync(this.#fd))
    const target = this.#place.path(key)
    const published = await explained(this.#place.root, WRITING, async () => {
      await this.#close()
      return publish(this.#place, this.#path, target, options.addressed === true, options.over === true)
    })
    if (published) await this.#settle(target)
    return published
  }

  async replace(key: string): Promise<void> {
    await this.#orDiscard(() => this.#place.files.fsync(this.#fd))
    await explained(this.#place.root, WRITING, async () => {
      await this.#close()
      await replaceDamaged(this.#place, this.#path, key)
    })
    await this.#settle(this.#place.path(key))
  }

  /** The bytes are where everybody sees them, so a failure from here on cannot say that nothing was changed. */
  async #settle(target: string): Promise<void> {
    try {
      await this.#place.settleFolder(dirname(target))
    } catch (error) {
      throw unsure(error, target)
    }
  }

  async discard(): Promise<void> {
    await this.#place.files.close(this.#fd).catch(() => {})
    await this.#place.files.unlink(this.#path).catch(() => {})
  }

  async #close(): Promise<void> {
    try {
      await this.#place.files.close(this.#fd)
    } catch (error) {
      await this.#place.files.unlink(this.#path).catch(() => {})
      throw error
    }
  }

  async #orDiscard(work: () => Promise<void>): Promise<void> {
    try {
      await explained(this.#place.root, WRITING, work)
    } catch (error) {
      await this.discard()
      throw error
    }
  }
}

export class LocalAppender implements Appender {
  readonly #place: WritingPlace
  readonly #fd: number
  #size = 0

  constructor(place: WritingPlace, fd: number) {
    this.#place = place
    this.#fd = fd
  }

  async append(bytes: Uint8Array): Promise<void> {
    await explained(this.#place.root, WRITING, async () => {
      let written = 0
      try {
        written = await this.#place.files.write(this.#fd, bytes)
        // A short write means that the disk is full; the second write says so.
        while (written < bytes.length) written += await this.#place.files.write(this.#fd, bytes.subarray(written))
      } catch (error) {
        if (written > 0) await this.#place.files.truncate(this.#fd, this.#size).catch(() => {})
        throw error
      }
      this.#size += bytes.length
    })
  }

  async close(): Promise<void> {
    await explained(this.#place.root, WRITING, async () => {
      try {
        await this.#place.files.fsync(this.#fd)
      } finally {
        await this.#place.files.close(this.#fd)
      }
    })
  }
}
