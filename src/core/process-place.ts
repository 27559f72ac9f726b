/**
 * Which process wrote a record, so that another one on the same machine can tell at once that it is gone. A number alone
 * does not say that: machines and containers count for themselves, also where they share a name and a disk.
 */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessPlace {
  readonly pid: number
  /** Names the boot of the machine and the space in which it counts its processes. */
  readonly place: string
}

/** @returns undefined where the system does not say where it counts: nothing can be told of such a process */
export function ownProcess(): ProcessPlace | undefined {
  const place = ownPlace()
  return place === undefined ? undefined : { pid: process.pid, place }
}

/** True only where that is certain: it ran here, and it does not any more. @param record as read from a file */
export function hasGone(record: unknown): boolean {
  const { pid, place } = (record ?? {}) as Partial<Record<keyof ProcessPlace, unknown>>
  if (!Number.isInteger(pid) || typeof place !== 'string' || place !== ownPlace()) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function ownPlace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}
