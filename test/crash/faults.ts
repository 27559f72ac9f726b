/**
 * Faults in front of any `Files`: the n-th call fails once, or the program dies there, or the disk stays full from
 * there on. Also the planted faults that prove that the harness sees what it is for.
 */
import type { Files } from '../../src/store/files.ts'

/** Thrown by every call once the program "is dead": nothing it does after that reaches the disk. */
export class Killed extends Error {}

export type Fault =
  | { readonly kind: 'die' }
  /** As `die`, in the middle of a write. */
  | { readonly kind: 'tear' }
  | { readonly kind: 'error'; readonly code: string }
  /** Every call that needs room fails from now on. */
  | { readonly kind: 'full' }

const NEED_ROOM = new Set<keyof Files>(['write', 'mkdir', 'link'])
/** Calls that can say ENOSPC once: late, for what was written before, when a disk allocates room with delay. */
const MAY_LACK_ROOM = new Set<keyof Files>([...NEED_ROOM, 'open', 'fsync', 'fsyncFolder', 'rename', 'close'])

/**
 * @param at which call gets the fault, counted from 1
 * @param between awaited before every asynchronous call, so that several programs can take turns
 */
export function faulty(
  inner: Files,
  at: number,
  fault: Fault,
  between: () => Promise<void> = async () => {},
): { readonly files: Files; readonly calls: () => number; readonly struck: () => keyof Files | undefined } {
  let calls = 0
  let struck: keyof Files | undefined
  let dead = false
  /** @returns true when the call must be refused */
  const step = (name: keyof Files): void => {
    if (dead) throw new Killed()
    calls += 1
    if (fault.kind === 'full' && calls >= at && NEED_ROOM.has(name)) throw systemError('ENOSPC')
    if (calls !== at || fault.kind === 'full') return
    struck = name
    if (fault.kind === 'error' && fault.code === 'ENOSPC' && !MAY_LACK_ROOM.has(name)) return
    if (fault.kind === 'error') throw systemError(fault.code)
    dead = true
    if (fault.kind === 'die' || name !== 'write') throw new Killed()
  }
  const files = {} as Record<string, unknown>
  for (const name of Object.keys(inner) as (keyof Files)[]) {
    const call = inner[name] as (...args: unknown[]) => unknown
    const synchronous = ['readFile', 'list', 'exists', 'info', 'target', 'readLink'].includes(name)
    files[name] = synchronous
      ? (...args: unknown[]) => {
          step(name)
          return call(...args)
        }
      : async (...args: unknown[]) => {
          await between()
          const wasDead = dead
          step(name)
          if (!dead || wasDead) return call(...args)
          const [fd, bytes] = args as [number, Uint8Array]
          await call(fd, bytes.subarray(0, Math.floor(bytes.length / 2)))
          throw new Killed()
        }
  }
  return { files: files as unknown as Files, calls: () => calls, struck: () => struck }
}

export const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'test' })

/** Ways in which the protocol could be wrong, each of which the harness must notice. */
export const PLANTED: Readonly<Record<string, (files: Files) => Files>> = {
  'the fsync of folders is left out': (files) => ({ ...files, fsyncFolder: async () => {} }),
  'the fsync of files is left out': (files) => ({ ...files, fsync: async () => {} }),
  'a rename takes the place of the link': (files) => ({ ...files, link: files.rename, unlink: async () => {} }),
  'a file is written in its place': (files) => ({
    ...files,
    async link(from, to) {
      const bytes = files.readFile(from)
      const fd = await files.open(to, 'wx')
      await files.write(fd, bytes.subarray(0, 7))
      await files.write(fd, bytes.subarray(7))
      await files.fsync(fd)
      await files.close(fd)
    },
  }),
}
