/**
 * The manifest of a compacted part of a day: which files it replaces and what it holds (docs/prediction-log.md,
 * section 5). Making and publishing one is in `compact.ts`.
 */
import { readFileSync } from 'node:fs'
import type { Digest } from '../core/digest.ts'
import { failed, systemCode } from '../core/errors.ts'

export interface Manifest {
  readonly v: 1
  /** The files whose records this part holds; readers skip them. */
  readonly files: readonly { readonly name: string; readonly size: number }[]
  readonly records: number
  /** Lines of those files that were no records: kept in `rejected.txt`. */
  readonly torn: number
  /** Event times; null without records. */
  readonly first: string | null
  readonly last: string | null
  /** Of the records, whatever files they lie in. */
  readonly identity: Digest
  readonly parquet: { readonly sha256: Digest; readonly size: number }
  readonly tool: string
  readonly time: string
}

export const COMPACTED = /^compacted-(\d{4,})$/
export const compactedName = (n: number): string => `compacted-${String(n).padStart(4, '0')}`

/** @throws failed `PREDICTIONS_DAMAGED`: without it nobody can say which files are counted twice */
export function readManifest(path: string): Manifest {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw damaged(path, `cannot be read (${systemCode(error) ?? 'no reason given'})`, error)
  }
  try {
    const found = JSON.parse(text) as Manifest
    if (found.v !== 1) throw new TypeError(`format ${String(found.v)}`)
    if (!Array.isArray(found.files) || !Number.isSafeInteger(found.records)) throw new TypeError('a member is missing')
    return found
  } catch (error) {
    throw damaged(path, 'is no manifest of this format', error)
  }
}

const damaged = (path: string, what: string, cause: unknown) =>
  failed({
    code: 'PREDICTIONS_DAMAGED',
    message: `${path} ${what}: it says which files of the prediction log the Parquet file beside it replaces.`,
    hint: 'Restore it from a backup. Without one: move that compacted folder away; the predictions in it are then left out',
    details: { file: path },
    cause,
  })
