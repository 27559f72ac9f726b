/** What `verify` collects: damages by file, warnings, counts, and who is affected by a lost object. No reading here. */
import type { Digest } from '../core/digest.ts'
import { MlopsError } from '../core/errors.ts'
import type { Backend } from './backend.ts'
import { objectKey } from './layout.ts'

export type Problem = 'changed' | 'missing' | 'misplaced' | 'inconsistent'

export interface Damage {
  /** Relative to the store. */
  readonly file: string
  readonly problem: Problem
  /** One sentence. */
  readonly why: string
  /** What cannot be relied on any more: `churn-model@3 (production): file model.joblib`. */
  readonly affects: readonly string[]
}

export interface VerifyWarning {
  readonly file: string
  readonly why: string
}

export interface VerifyReport {
  readonly root: string
  readonly ok: boolean
  readonly files: number
  readonly bytes: number
  readonly models: number
  readonly events: number
  readonly objects: number
  readonly runs: number
  readonly damages: readonly Damage[]
  readonly warnings: readonly VerifyWarning[]
  /** The export that it was compared with (`--against`). */
  readonly against?: {
    readonly file: string
    readonly time: string
    readonly tool: string
    /** Events that were compared. */
    readonly events: number
  }
}

/** An object somebody refers to. */
interface Wanted {
  readonly sizes: Set<number>
  readonly affects: Set<string>
}

/** `churn-model@2` before `churn-model@10`. */
const { compare: byNumber } = new Intl.Collator('en', { numeric: true })

export class Findings {
  readonly backend: Backend
  readonly #damages = new Map<string, { problem: Problem; why: string; affects: Set<string> }>()
  readonly #warnings: VerifyWarning[] = []
  readonly wanted = new Map<Digest, Wanted>()
  readonly counts = { files: 0, bytes: 0, models: 0, events: 0, objects: 0, runs: 0 }
  readonly step: (what: string, bytes: number) => void

  constructor(backend: Backend, step: (what: string, bytes: number) => void) {
    this.backend = backend
    this.step = step
  }

  damage(file: string, problem: Problem, why: string, affects: readonly string[] = []): void {
    // The first cause found is the nearest one; later ones add whom it affects.
    const known = this.#damages.get(file)
    if (known === undefined) this.#damages.set(file, { problem, why, affects: new Set(affects) })
    else for (const one of affects) known.affects.add(one)
  }

  warn(file: string, why: string): void {
    this.#warnings.push({ file, why })
  }

  isDamaged(file: string): boolean {
    return this.#damages.has(file)
  }

  want(digest: Digest, affects: string, size?: number): void {
    const wanted = this.wanted.get(digest) ?? { sizes: new Set<number>(), affects: new Set<string>() }
    if (size !== undefined) wanted.sizes.add(size)
    wanted.affects.add(affects)
    this.wanted.set(digest, wanted)
  }

  affectedBy(digest: Digest): string[] {
    return [...(this.wanted.get(digest)?.affects ?? [])].sort(byNumber)
  }

  /** Reads a small file, counting it. */
  async get(file: string): Promise<Buffer | undefined> {
    const bytes = await this.regular(file, this.backend.get(file))
    if (bytes !== undefined) this.count(file, bytes.length)
    return bytes
  }

  /** What stands there and is no file is damage, and hides nothing else. @returns undefined then */
  async regular<T>(file: string, reading: Promise<T | undefined>): Promise<T | undefined> {
    try {
      return await reading
    } catch (error) {
      if (!(error instanceof MlopsError) || error.code !== 'RECORD_DAMAGED') throw error
      this.damage(file, 'changed', 'it is no regular file')
      return undefined
    }
  }

  /** The object's bytes if they are what its name says; anything else is reported when the objects are hashed. */
  async object(digest: Digest): Promise<Buffer | undefined> {
    return this.regular(objectKey(digest), this.backend.get(objectKey(digest)))
  }

  count(file: string, bytes: number): void {
    this.counts.files += 1
    this.counts.bytes += bytes
    this.step(file, bytes)
  }

  report(root: string): VerifyReport {
    const damages = [...this.#damages].map(([file, { problem, why, affects }]) => ({
      file,
      problem,
      why,
      affects: [...affects].sort(byNumber),
    }))
    return {
      root,
      ok: damages.length === 0,
      ...this.counts,
      damages: damages.sort((a, b) => (a.file < b.file ? -1 : 1)),
      warnings: this.#warnings,
    }
  }
}
