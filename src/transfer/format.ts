/**
 * The archive of one version: names, order and limits (docs/transfer.md). Plain data and pure rules; bytes of tar are in
 * `tar-block.ts`, reading and writing in `read-archive.ts` and `write-archive.ts`.
 *
 * Nothing is compressed: what a compressor makes of the same bytes depends on its version, and an archive without
 * compression can never hold more than the file is large.
 */
import type { Digest } from '../core/digest.ts'
import type { Pin } from '../store/events.ts'
import type { JsonObject } from '../store/sealed.ts'

export const ARCHIVE_FORMAT = 1
export const ARCHIVE_KIND = 'mlops model version'

/** The first entry: says what follows. */
export const INDEX = 'archive.json'
export const MANIFEST = 'manifest.json'
export const ORIGIN = 'origin.json'
export const objectEntry = (digest: Digest): string => `objects/${digest}`
/** The digest in the name of an object's entry; undefined for any other name. */
export const digestOf = (path: string): Digest | undefined => /^objects\/([0-9a-f]{64})$/.exec(path)?.[1]

/** Entries are sorted by name, so that the same version is the same bytes. All names are ASCII. */
export const byName = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1)

/** `register` takes 10,000 files; the rest is evidence. */
export const MOST_ENTRIES = 10_100
/** Of an entry that is parsed as JSON: index, manifest, origin, the records of a run. Bytes. */
export const MOST_JSON = 16 << 20

/** An entry as the index names it. */
export interface IndexEntry extends Pin {
  readonly path: string
}

/** `archive.json`. */
export interface ArchiveIndex {
  readonly format: typeof ARCHIVE_FORMAT
  readonly kind: typeof ARCHIVE_KIND
  readonly model: string
  readonly version: number
  /** Digest of `manifest.json`: what the version is. */
  readonly manifest: Digest
  /** Every other entry, in the order of the archive. */
  readonly entries: readonly IndexEntry[]
}

/** `origin.json`: where the version was registered, as the store there recorded it. */
export interface Origin {
  readonly format: typeof ARCHIVE_FORMAT
  /** Id of that store. */
  readonly store: string
  /** The register event, with its `self`. */
  readonly event: JsonObject
}
