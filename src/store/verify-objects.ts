/** Verifying objects: each against its name, and everything somebody refers to must be there. */
import { createHash } from 'node:crypto'
import type { Digest } from '../core/digest.ts'
import { MAX_CARRIED_BYTES } from './git-carried.ts'
import { readSharing } from './git-sharing.ts'
import { objectKey } from './layout.ts'
import type { Findings } from './verify-findings.ts'
import { isAside } from './verify-trash.ts'

const FOLDER = 'objects/sha256'

export async function verifyObjects(findings: Findings): Promise<void> {
  const present = new Set<Digest>()
  for (const { name, kind } of await findings.backend.list(FOLDER)) {
    if (kind !== 'folder' || !/^[0-9a-f]{2}$/.test(name)) {
      findings.warn(`${FOLDER}/${name}`, 'it is not a folder of objects')
      continue
    }
    for (const inner of await findings.backend.list(`${FOLDER}/${name}`)) {
      const file = `${FOLDER}/${name}/${inner.name}`
      if (inner.kind !== 'file' || !/^[0-9a-f]{62}$/.test(inner.name)) findings.warn(file, 'it is not an object')
      else {
        present.add(name + inner.name)
        await verifyObject(findings, file, name + inner.name)
      }
    }
  }
  for (const [digest] of findings.wanted) {
    if (present.has(digest)) continue
    if (stayedElsewhere(findings, digest)) {
      findings.warn(objectKey(digest), STAYED)
      continue
    }
    if (await isAside(findings, digest, objectKey(digest))) {
      findings.warn(objectKey(digest), ASIDE)
      continue
    }
    findings.damage(objectKey(digest), 'missing', 'the object is gone', findings.affectedBy(digest))
  }
}

const ASIDE =
  'it is in the trash, where a clean-up that was stopped left it, and is read from there; the next mlops store gc --delete takes it out'
const STAYED = 'it is not in this folder: files above 50 MB stay where they were registered'

/** In a store that is shared as a branch a large file is no lost one. */
export const stayedElsewhere = ({ backend, wanted }: Findings, digest: Digest): boolean => {
  const sizes = [...(wanted.get(digest)?.sizes ?? [])]
  return readSharing(backend.root) !== undefined && sizes.length > 0 && sizes.every((size) => size > MAX_CARRIED_BYTES)
}

async function verifyObject(findings: Findings, file: string, digest: Digest): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of (await findings.backend.read(file)) ?? []) {
    hash.update(chunk)
    size += chunk.length
    findings.step(file, chunk.length)
  }
  findings.counts.objects += 1
  findings.counts.files += 1
  findings.counts.bytes += size
  if (hash.digest('hex') !== digest) {
    findings.damage(file, 'changed', 'its bytes do not have the sha256 of its name', findings.affectedBy(digest))
    return
  }
  for (const expected of findings.wanted.get(digest)?.sizes ?? []) {
    if (expected === size) continue
    findings.warn(file, `it has ${size} bytes where a record says ${expected}`)
  }
}
