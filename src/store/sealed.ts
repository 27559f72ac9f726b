/**
 * Write-once JSON files. Each is canonical JSON plus newline and carries, as its member `self`, the sha256 of those
 * bytes without that member, so that a flipped bit shows even where nothing else refers to the file.
 */
import { canonicalBytes } from '../core/canonical-json.ts'
import { sha256 } from '../core/digest.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** The bytes of a write-once file for `record`. */
export function seal(record: JsonObject): Buffer {
  return canonicalBytes({ ...record, self: sha256(canonicalBytes({ ...record, self: undefined })) })
}

/** The record in `bytes`, without `self` and without checking it. Undefined when it is no whole JSON object. */
export function openSealed(bytes: Buffer): JsonObject | undefined {
  if (bytes.at(-1) !== 10) return undefined
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    const { self, ...record } = parsed as Record<string, unknown>
    return typeof self === 'string' ? record : undefined
  } catch {
    return undefined
  }
}

/** @returns what is wrong with the bytes of a write-once file, or undefined */
export function sealProblem(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return 'it is empty'
  if (bytes.at(-1) !== 10) return 'it does not end with a newline: it was cut short'
  const record = openSealed(bytes)
  if (record === undefined) return 'it is not a JSON object with a member "self"'
  const problem = 'its bytes are not those that were written: "self" does not match'
  try {
    return seal(record).equals(bytes) ? undefined : problem
  } catch {
    // Nothing that was sealed is nested that deeply, or holds half of a character.
    return problem
  }
}
