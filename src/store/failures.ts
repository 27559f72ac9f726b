/**
 * System errors of the store's disk as errors a user can act on. Nothing else turns an errno into words for the store.
 */
import { dirname } from 'node:path'
import { failed, MlopsError, systemCode } from '../core/errors.ts'

/** What the calls were for, as it reads after "could not": `write into the store`. */
export type Doing = string

/** @returns `error` itself when it is no system error: ours already, or a bug */
export function storeFailure(error: unknown, root: string, doing: Doing): unknown {
  const code = systemCode(error)
  if (error instanceof MlopsError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const details = { store: root, system: code }
  const because = { details, cause: error }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return failed({
        code: 'STORE_FULL',
        message:
          code === 'ENOSPC'
            ? `Could not ${doing}: the disk that holds ${root} is full. Nothing was changed.`
            : `Could not ${doing}: your quota on the disk that holds ${root} is used up. Nothing was changed.`,
        hint: `Free some space, then run the command again. See what is used: df -h ${quoted(root)}`,
        ...because,
      })
    case 'EROFS':
      return failed({
        code: 'STORE_READ_ONLY',
        message: `Could not ${doing}: ${root} is on a disk that is mounted read-only. Nothing was changed.`,
        hint: 'Mount it writable, or point to another store with --store PATH',
        ...because,
      })
    case 'EACCES':
    case 'EPERM':
      return failed({
        code: 'STORE_DENIED',
        message: `Could not ${doing}: you have no permission for ${pathOf(error) ?? root}.`,
        hint: `Look at its owner and mode: ls -ld ${quoted(pathOf(error) ?? root)}. A team shares a store that was made with: mlops init --shared`,
        ...because,
      })
    case 'ENOTREGULAR':
      return failed({
        code: 'RECORD_DAMAGED',
        message: `${pathOf(error) ?? root} is damaged: it is no regular file, but a folder, a link, a pipe or a device.`,
        hint: `Look: ls -ld ${quoted(pathOf(error) ?? root)}. See all damage: mlops store verify`,
        ...because,
        details: { ...details, file: pathOf(error) ?? root },
      })
    default:
      return failed({
        code: 'STORE_IO',
        message: `Could not ${doing}: the system says ${code} for ${pathOf(error) ?? root}.`,
        hint: `Check the disk, then look the store over: mlops store verify --store ${quoted(root)}`,
        ...because,
      })
  }
}

/** As `storeFailure`, for a file of the user's that is copied in or out. */
export function fileFailure(error: unknown, path: string, doing: 'read' | 'write'): unknown {
  const code = systemCode(error)
  if (error instanceof MlopsError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const why = isFull ? 'the disk is full' : code === 'EACCES' ? 'permission denied' : code
  return failed({
    code: doing === 'read' ? 'FILE_UNREADABLE' : 'FILE_UNWRITABLE',
    message: `Could not ${doing} ${path}: ${why}.`,
    hint: isFull
      ? `Free space there, then run the same command again: df -h ${quoted(dirname(path))}`
      : `Look at its owner, mode and disk: ls -ld ${quoted(path)}`,
    details: { path, system: code },
    cause: error,
  })
}

/** A record is in place and the disk would not say that it is durable. */
export function unsure(error: unknown, file: string): unknown {
  const code = systemCode(error)
  if (error instanceof MlopsError || code === undefined) return error
  return failed({
    code: 'STORE_UNSURE',
    message: `${file} was written, but the system says ${code} when asked to make it durable: a power cut could lose it.`,
    hint: 'Check the disk, look whether the change is there, and if not run the same command again',
    details: { file, system: code },
    cause: error,
  })
}

/** A link below the root, whoever put it there, would let a command write anywhere, and readers do not see through it. */
export const linkInside = (root: string, path: string): MlopsError =>
  failed({
    code: 'STORE_LINK_INSIDE',
    message:
      `${path} is a symbolic link. Inside a store links are not followed for writing: one could send your models to ` +
      'any folder. Nothing was written there.',
    hint: `Put the folder itself in its place; to keep the whole store elsewhere, move it and use --store PATH. See: ls -l ${quoted(path)}`,
    details: { store: root, link: path },
  })

/** Runs `work` and throws its system errors as `storeFailure` words them. */
export async function explained<T>(root: string, doing: Doing, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storeFailure(error, root, doing)
  }
}

export const isFull = (error: unknown): boolean => error instanceof MlopsError && error.code === 'STORE_FULL'

/** A path as one can paste it into a shell. */
export const quoted = (path: string): string =>
  /^[\w./@:+,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`

function pathOf(error: unknown): string | undefined {
  const { path, dest } = error as { path?: unknown; dest?: unknown }
  if (typeof dest === 'string') return dest
  return typeof path === 'string' ? path : undefined
}
