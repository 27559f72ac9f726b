/**
 * Which process wrote a record, so that another one on the same machine can tell at once that it is gone. A number alone
 * does not say that: machines and containers count for themselves, also where they share a name and a disk, and numbers
 * are given anew.
 */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessPlace {
  readonly pid: number
  /** Names the boot of the machine and the space in which it counts its processes. */
  readonly place: string
  /** When the process started, in the kernel's ticks since the boot. Absent in records of older writers. */
  readonly start?: number
}

/** @returns undefined where the system does not say where it counts: nothing can be told of such a process */
export function ownProcess(): ProcessPlace | undefined {
  const place = ownPlace()
  if (place === undefined) return undefined
  const start = kernelFacts(process.pid)?.start
  return { pid: process.pid, place, ...(start === undefined ? {} : { start }) }
}

/** True only where that is certain: it ran here, and it does not any more. @param record as read from a file */
export const hasGone = (record: unknown): boolean => lifeOf(record) === 'gone'

/** @returns `unknown` for a process of another place. @param record as read from a file */
export function lifeOf(record: unknown): 'alive' | 'gone' | 'unknown' {
  const { pid, place, start } = (record ?? {}) as Partial<Record<keyof ProcessPlace, unknown>>
  // To the system 0 and numbers below it are groups of processes, which are always there.
  if (!Number.isInteger(pid) || Number(pid) <= 0 || Number(pid) > 0x7fffffff) return 'unknown'
  if (typeof place !== 'string' || place !== ownPlace()) return 'unknown'
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone'
  }
  const facts = kernelFacts(Number(pid))
  // Of a process that nobody has waited for only the number is left.
  if (facts?.state === 'Z' || facts?.state === 'X') return 'gone'
  return facts !== undefined && typeof start === 'number' && facts.start !== start ? 'gone' : 'alive'
}

function ownPlace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** Fields 3 and 22 of /proc/<pid>/stat; the name before them may hold blanks and brackets. */
function kernelFacts(pid: number): { readonly state: string; readonly start: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const start = Number(fields[19])
    return Number.isSafeInteger(start) ? { state: fields[0] ?? '', start } : undefined
  } catch {
    return undefined
  }
}
