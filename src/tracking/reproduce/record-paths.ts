/**
 * What a record may not say, because to repeat it would write where nothing of a reproduction belongs: anybody who may
 * write into a store may have written the record. Refused while planning. Pure.
 */
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { failed } from '../../core/errors.ts'
import { shortened } from '../../core/shortened.ts'
import type { RunStart } from '../../store/run-records.ts'

/** More is no path that anybody wrote. Characters. */
const LONGEST = 1_000

export interface RecordPlaces {
  /** Absolute folder of the run, as it would be here. */
  readonly cwd: string
  /** Top folder of the repository; null: there is none. */
  readonly top: string | null
}

/** @throws failed `RECORD_UNSAFE` */
export function assertPlainRecord(start: RunStart, places: RecordPlaces): void {
  const problem = problemOf(start, places)
  if (problem === undefined) return
  throw failed({
    code: 'RECORD_UNSAFE',
    message: `The record of run ${shortened(start.id)} cannot be repeated: ${problem}.`,
    hint: 'mlops track writes no such record; look the store over: mlops store verify',
  })
}

function problemOf(start: RunStart, { cwd, top }: RecordPlaces): string | undefined {
  if (start.command.some((word) => word.includes('\0'))) return 'its command holds a NUL character'
  const variable = Object.entries(start.env).find((entry) => /\0/.test(entry.join('')) || /^$|=/.test(entry[0]))
  if (variable !== undefined) return `its variable ${JSON.stringify(shortened(variable[0]))} cannot be set`
  if (/\0/.test(start.cwd) || start.cwd.length > LONGEST) return `its folder is ${JSON.stringify(shortened(start.cwd))}`
  for (const { path } of start.git?.submodules ?? []) {
    const wrong = wrongSubmodule(path)
    if (wrong !== undefined) return `its submodule ${JSON.stringify(shortened(path))} ${wrong}`
  }
  for (const { name, path } of start.data) {
    const wrong = wrongData(path, cwd, top)
    if (wrong !== undefined)
      return `its data ${shortened(name)} have the path ${JSON.stringify(shortened(path))}, which ${wrong}`
  }
  return undefined
}

/** Git itself takes no other path for a submodule. */
function wrongSubmodule(path: string): string | undefined {
  if (path === '' || path.length > LONGEST || /[\0\\]/.test(path)) return 'has no path that git takes'
  if (isAbsolute(path)) return 'lies outside of the repository'
  const parts = path.split('/')
  if (parts.includes('..')) return 'lies outside of the repository'
  return parts.some((part) => part === '' || part === '.' || isGit(part)) ? 'has no path that git takes' : undefined
}

/**
 * Putting data in place replaces what lies there: never the folder of the run or one around it, and nothing of git's own.
 * @returns the end of a sentence that begins with "which"
 */
export function wrongData(path: string, cwd: string, top: string | null): string | undefined {
  if (path.includes('\0')) return 'holds a NUL character'
  if (path === '' || path.length > LONGEST) return 'is no path that can be'
  const full = resolve(cwd, path)
  const inRepository = top !== null && isWithin(top, full)
  // What lies outside by an absolute path is only read.
  if (isAbsolute(path) && !inRepository) return undefined
  if (isWithin(full, cwd) || (top !== null && isWithin(full, top))) return 'is the folder of the run, or one around it'
  const inside = inRepository && top !== null ? relative(top, full) : path
  return inside.split(/[/\\]/).some(isGit) ? "leads into git's own files" : undefined
}

const isGit = (part: string): boolean => part.toLowerCase() === '.git'

const isWithin = (folder: string, path: string): boolean => {
  const inside = relative(folder, path)
  return inside === '' || (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside))
}
