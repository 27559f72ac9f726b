/**
 * `mlops store gc`: objects that nothing refers to, in two steps that lie a grace apart. The first puts them aside, from
 * where they are still read; the second removes them for good. What refers to what is in `gc-mark.ts`, moving is in
 * `gc-sweep.ts`; why in this order is in docs/decisions/0017-garbage.md.
 *
 *   list the objects -> mark -> bring back what is aside and marked -> remove what has been aside for the grace
 *   -> put aside what is old and unmarked -> mark again -> bring back what is marked now
 */
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { ulid } from '../core/ulid.ts'
import { explained } from './failures.ts'
import { type Files, nodeFiles } from './files.ts'
import {
  type Amount,
  amountOf,
  type Kept,
  listObjects,
  oldestRunning,
  type Seen,
  SLACK,
  sortOut,
  sum,
} from './gc-look.ts'
import { mark } from './gc-mark.ts'
import { assertSound, carriedByBranch } from './gc-sound.ts'
import { leftovers, removeExpired, removeLeftovers, sweep } from './gc-sweep.ts'
import { objectKey } from './layout.ts'
import { LocalBackend, storeOpenedForReading } from './local-backend.ts'
import { filesForWriting, inspectRoot, isShared } from './open.ts'
import { aside, bringBack, diskTime, infoAt, type Trashed } from './trash-objects.ts'

export interface GcOptions {
  /** False: nothing is changed, the report says what would be. */
  readonly remove: boolean
  /** Milliseconds for which nothing is touched after it was needed last. At least `MIN_GRACE`. */
  readonly grace: number
  /** Tests put a failing disk here. */
  readonly files?: Files
}

export { type Amount, MIN_GRACE } from './gc-look.ts'

/** Objects that are put aside or removed, by name. */
export interface Named extends Amount {
  readonly digests: readonly Digest[]
}

export interface GcReport {
  readonly root: string
  /** Whether anything was changed; else this is what would be. */
  readonly removed: boolean
  /** Seconds. */
  readonly grace: number
  /** What is in the store, without what is aside. */
  readonly store: Amount
  readonly kept: Kept
  /** Put into the trash, where they still take up room: the next clean-up but the grace removes them. */
  readonly aside: Named
  /** Removed for good: they had been in the trash for longer than the grace. */
  readonly expired: Named
  /** Something refers to them again (or did all the time, and an earlier clean-up was stopped): out of the trash. */
  readonly back: Named
  /** What stays in the trash after this. */
  readonly trash: Amount
  /** Files that killed commands left in `tmp/`, and halves of purged runs. */
  readonly leftovers: { readonly files: number; readonly bytes: number }
  /** Bytes on the disk: what is removed for good, and the leftovers. */
  readonly freed: number
}

/**
 * @param root absolute path of a store that was opened, for writing where `remove` is set: what that refuses is refused
 * @throws failed `STORE_TOO_NEW`, `STORE_DAMAGED`, `STORE_LINK_INSIDE`
 */
export async function collectGarbage(
  ctx: Pick<Context, 'env' | 'now' | 'signal' | 'progress'>,
  root: string,
  options: GcOptions,
): Promise<GcReport> {
  const given = options.files ?? nodeFiles
  const info = await inspectRoot(given, root)
  const files = options.remove ? filesForWriting(given, root, info) : given
  const refusal = options.remove ? {} : { refusal: storeOpenedForReading(root) }
  const backend = new LocalBackend(root, { files, shared: isShared(info), ...refusal })
  return explained(root, 'clean up the store', () => collect(ctx, backend, options))
}

async function collect(
  ctx: Pick<Context, 'env' | 'now' | 'signal' | 'progress'>,
  backend: LocalBackend,
  { remove, grace }: GcOptions,
): Promise<GcReport> {
  const { root } = backend
  const step = (what: string): void => {
    ctx.signal?.throwIfAborted()
    ctx.progress?.(what)
  }
  const now = remove ? await diskTime(backend) : ctx.now()
  const carried = await carriedByBranch(root, ctx.env)
  // What comes into the store after this list is no candidate, so what is marked below is never too little.
  const present = await listObjects(backend, step)
  const inTrash = aside(backend)
  const known = new Set([...present.keys(), ...[...inTrash.values()].flat().map(({ digest }) => digest)])
  // One that came after the list is no candidate, but it may be the manifest of a version and name one that is.
  const isObject = (digest: Digest): boolean =>
    known.has(digest) || infoAt(backend.files, backend.path(objectKey(digest))) !== undefined
  const markNow = async (): Promise<ReadonlySet<Digest>> => {
    const wanted = await assertSound(backend, isObject, step)
    const marked = await mark({ backend, isObject, roots: carried, step })
    for (const digest of wanted) if (isObject(digest) && !marked.has(digest)) throw overlooked(digest)
    return marked
  }
  const running = await oldestRunning(backend, now.getTime(), grace)
  const marked = await markNow()
  const sorted = sortOut(present, marked, now.getTime() - grace, running - SLACK, grace)
  const left = await leftovers(backend, now.getTime())
  const limit = Math.min(now.getTime() - grace, running - SLACK)
  const old = (list: readonly Trashed[]): boolean => list.every(({ since }) => since < limit)
  const expiring = [...inTrash].filter(([, list]) => old(list))
  const removedLeftovers = remove ? await removeLeftovers(backend, left) : left
  const done = remove
    ? await act({ backend, now, limit, step }, sorted.aside, inTrash, expiring, markNow, marked)
    : wouldBe(present, inTrash, expiring, marked, sorted.aside)
  return {
    root,
    removed: remove,
    grace: grace / 1000,
    store: amountOf(present, [...present.keys()]),
    kept: sorted.kept,
    ...done,
    leftovers: { files: removedLeftovers.files, bytes: removedLeftovers.bytes },
    freed: done.expired.bytes + removedLeftovers.bytes,
  }
}

interface Room {
  readonly backend: LocalBackend
  readonly now: Date
  /** What was needed since then stays. */
  readonly limit: number
  readonly step: (what: string) => void
}

type Done = Pick<GcReport, 'aside' | 'expired' | 'back' | 'trash'>

/** Each step leaves a store that is whole: whoever stops here, or is stopped, leaves the rest to the next clean-up. */
async function act(
  { backend, now, limit, step }: Room,
  candidates: ReadonlyMap<Digest, Seen>,
  inTrash: ReadonlyMap<string, readonly Trashed[]>,
  expiring: readonly (readonly [string, readonly Trashed[]])[],
  markNow: () => Promise<ReadonlySet<Digest>>,
  marked: ReadonlySet<Digest>,
): Promise<Done> {
  const sizes = new Map([...inTrash.values()].flat().map(({ digest, size }) => [digest, size]))
  for (const [digest, { size }] of candidates) sizes.set(digest, size)
  const back = new Set<Digest>()
  const bring = async (wanted: ReadonlySet<Digest>): Promise<void> => {
    for (const digest of new Set([...aside(backend).values()].flat().map((one) => one.digest))) {
      if (!wanted.has(digest) || (await isInPlace(backend, digest))) continue
      if (await bringBack(backend, digest, now)) back.add(digest)
    }
  }
  // Only a clean-up that was stopped, or that raced a writer, left such.
  await bring(marked)
  // Before anything needs room: the disk may be full.
  const expired = await removeExpired(backend, expiring, marked, step)
  const swept = await sweep(backend, ulid(now.getTime()), candidates.keys(), limit, step)
  if (swept.length > 0) await bring(await markNow())
  const rest = [...aside(backend).values()].flat()
  const named = (digests: Iterable<Digest>): Named => {
    const list = [...digests].sort()
    return { objects: list.length, bytes: sum(list.map((digest) => sizes.get(digest) ?? 0)), digests: list }
  }
  return {
    aside: named(swept.filter((digest) => !back.has(digest))),
    expired: { objects: expired.length, bytes: sum(expired.map(({ size }) => size)), digests: digestsOf(expired) },
    back: named(back),
    trash: { objects: rest.length, bytes: sum(rest.map(({ size }) => size)) },
  }
}

function wouldBe(
  present: ReadonlyMap<Digest, Seen>,
  inTrash: ReadonlyMap<string, readonly Trashed[]>,
  expiring: readonly (readonly [string, readonly Trashed[]])[],
  marked: ReadonlySet<Digest>,
  candidates: ReadonlyMap<Digest, Seen>,
): Done {
  const all = [...inTrash.values()].flat()
  const back = all.filter(({ digest }) => marked.has(digest) && !present.has(digest))
  const expired = expiring.flatMap(([, list]) => list).filter((one) => !back.includes(one))
  const goes = new Set([...back, ...expired])
  const rest = all.filter((one) => !goes.has(one))
  const moved = [...candidates].map(([digest, { size }]) => ({ digest, size }))
  const named = (list: readonly { readonly digest: Digest; readonly size: number }[]): Named => ({
    objects: list.length,
    bytes: sum(list.map(({ size }) => size)),
    digests: digestsOf(list),
  })
  return {
    aside: named(moved),
    expired: named(expired),
    back: named(back),
    trash: { objects: rest.length + moved.length, bytes: sum([...rest, ...moved].map(({ size }) => size)) },
  }
}

const isInPlace = async (backend: LocalBackend, digest: Digest): Promise<boolean> =>
  (await backend.list(`objects/sha256/${digest.slice(0, 2)}`)).some(({ name }) => name === digest.slice(2))

const digestsOf = (list: readonly { readonly digest: Digest }[]): Digest[] =>
  [...new Set(list.map(({ digest }) => digest))].sort()

const overlooked = (digest: Digest) =>
  failed({
    code: 'GC_UNSURE',
    message: `A version or a check needs the object ${digest}, and the clean-up found nothing that names it. Nothing was removed.`,
    hint: 'This is a bug in mlops; please report it',
    details: { sha256: digest },
  })
