/** What counts as the test set of a version, and when two versions are the same files. Pure. */
import type { Digest } from '../core/digest.ts'
import type { Manifest } from '../store/manifest.ts'

/** The hash of the held-out rows that a version's metrics were measured on. */
export const testHash = (manifest: Manifest): Digest | undefined =>
  manifest.data.find(({ name }) => name === 'test')?.sha256

/** By content: registering the champion's file again with its test set is how an unproven champion becomes proven. */
export function sameFiles(one: Manifest, other: Manifest): boolean {
  const digests = (manifest: Manifest): string =>
    manifest.files
      .map(({ sha256 }) => sha256)
      .sort()
      .join()
  return one.files.length > 0 && digests(one) === digests(other)
}
