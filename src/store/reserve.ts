/**
 * The room that a store sets aside so that production can be moved back on a full disk: making it, giving it up. When
 * it is used is decided in `models.ts`.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Backend } from './backend.ts'
import { RESERVE, RESERVE_BYTES } from './layout.ts'

export const RESERVE_USED =
  'The disk is full; the reserve of the store was used for this change. Free some space now: without it the next ' +
  'change may fail. The reserve is made again by the next change, when there is room.'

/** Makes the reserve unless it is there. Random bytes, so that a disk that compresses or leaves holes keeps the room. */
export async function makeReserve(backend: Backend): Promise<void> {
  if ((await backend.stat(RESERVE)) !== undefined) return
  const bytes = randomBytes(RESERVE_BYTES)
  createHash('sha256').update(bytes.subarray(32)).digest().copy(bytes)
  await backend.putIfAbsent(RESERVE, bytes)
}

/** It begins with the sha256 of the rest. Nothing is lost with it; a bit that flipped tells something about the disk. */
export const isReserveWhole = (bytes: Buffer): boolean =>
  createHash('sha256').update(bytes.subarray(32)).digest().equals(bytes.subarray(0, 32))

/** @returns false when it was used before */
export const releaseReserve = (backend: Backend): Promise<boolean> => backend.remove(RESERVE)
