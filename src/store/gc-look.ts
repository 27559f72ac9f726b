/** What a clean-up finds: the objects there are, how old each is, and which of the unmarked ones stay all the same. */
import { type Digest, isDigest } from '../core/digest.ts'
import { hasGone } from '../core/process-place.ts'
import { isUlid } from '../core/ulid.ts'
import type { LocalBackend } from './local-backend.ts'
import { openSealed } from './sealed.ts'

export interface Amount {
  readonly objects: number
  readonly bytes: number
}

export interface Kept {
  readonly referenced: Amount
  /** Nothing refers to them, and they were needed within the grace. */
  readonly young: Amount & {
    /** RFC 3339: from then on all of them can go, unless something comes to need them; null for none. */
    readonly until: string | null
  }
  /** Nothing refers to them, and they are not older than a run that still goes on and may refer to them. */
  readonly running: Amount
}

/** Milliseconds. A writer stores first and refers to it later; nobody takes a day for that but a run, which is seen. */
export const MIN_GRACE = 24 * 3600e3
/** Milliseconds: what a run stores before it has a record. */
export const SLACK = MIN_GRACE

export interface Seen {
  readonly size: number
  /** Milliseconds since 1970, by the clock of the disk. */
  readonly modified: number
}

export async function listObjects(backend: LocalBackend, step: (what: string) => void): Promise<Map<Digest, Seen>> {
  const found = new Map<Digest, Seen>()
  for (const { name, kind } of await backend.list('objects/sha256')) {
    if (kind !== 'folder') continue
    step(`objects/sha256/${name}`)
    for (const inner of await backend.list(`objects/sha256/${name}`)) {
      const digest = name + inner.name
      if (inner.kind !== 'file' || !isDigest(digest)) continue
      const stat = await backend.stat(`objects/sha256/${name}/${inner.name}`)
      if (stat !== undefined) found.set(digest, { size: stat.size, modified: stat.modified })
    }
  }
  return found
}

export function sortOut(
  present: ReadonlyMap<Digest, Seen>,
  marked: ReadonlySet<Digest>,
  since: number,
  running: number,
  grace: number,
): { kept: Kept; aside: Map<Digest, Seen> } {
  const lists: Record<keyof Kept, Digest[]> = { referenced: [], young: [], running: [] }
  const candidates = new Map<Digest, Seen>()
  for (const [digest, seen] of present) {
    if (marked.has(digest)) lists.referenced.push(digest)
    else if (seen.modified > since) lists.young.push(digest)
    else if (seen.modified > running) lists.running.push(digest)
    else candidates.set(digest, seen)
  }
  const untilOf = (young: readonly Digest[]): string =>
    new Date(
      young.reduce((last, digest) => Math.max(last, present.get(digest)?.modified ?? 0), 0) + grace,
    ).toISOString()
  const kept = {
    referenced: amountOf(present, lists.referenced),
    young: { ...amountOf(present, lists.young), until: lists.young.length === 0 ? null : untilOf(lists.young) },
    running: amountOf(present, lists.running),
  }
  return { kept, aside: candidates }
}

/**
 * A run names some of what it stores only at its end, weeks later perhaps. One without an end counts as going on while
 * its heart was heard within the grace, unless its process is known to be gone.
 * @returns when the oldest of them began, by the clock of the disk; Infinity without one
 */
export async function oldestRunning(backend: LocalBackend, now: number, grace: number): Promise<number> {
  let oldest = Number.POSITIVE_INFINITY
  for (const { name, kind } of await backend.list('runs')) {
    if (kind !== 'folder' || !isUlid(name)) continue
    if ((await backend.stat(`runs/${name}/end.json`)) !== undefined) continue
    const [begun, alive] = [await backend.stat(`runs/${name}/run.json`), await backend.stat(`runs/${name}/alive`)]
    const heard = Math.max(begun?.modified ?? now, alive?.modified ?? 0)
    if (now - heard > grace) continue
    const record = await backend.get(`runs/${name}/run.json`)
    if (record !== undefined && hasGone(openSealed(record)?.process)) continue
    oldest = Math.min(oldest, begun?.modified ?? now)
  }
  return oldest
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

export const amountOf = (present: ReadonlyMap<Digest, Seen>, digests: readonly Digest[]): Amount => ({
  objects: digests.length,
  bytes: sum(digests.map((digest) => present.get(digest)?.size ?? 0)),
})
