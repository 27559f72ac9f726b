/** Why an archive is not imported, as errors: which entry, what about it, and what to do. Nothing was written then. */
import { failed, type MlopsError, notFound, usage } from '../core/errors.ts'
import { shellWord } from '../core/shell.ts'

const AGAIN = 'Nothing was written. Ask for a new export: mlops model export MODEL@V'

/** As it may be printed: a hostile name may be long, or none. */
const shown = (entry: string): string => JSON.stringify(entry.length > 120 ? `${entry.slice(0, 119)}…` : entry)

/** An entry that an archive of ours never has. */
export const entryRefused = (file: string, entry: string, why: string): MlopsError =>
  failed({
    code: 'ARCHIVE_REFUSED',
    message: `${file} is refused: entry ${shown(entry)}: ${why}.`,
    hint: AGAIN,
    details: { file, entry: entry.slice(0, 1024), why },
  })

/** Bytes that are not what they were: cut short, flipped, something appended. */
export const archiveDamaged = (file: string, why: string, entry?: string): MlopsError =>
  failed({
    code: 'ARCHIVE_DAMAGED',
    message: `${file} is damaged${entry === undefined ? '' : ` at entry ${shown(entry)}`}: ${why}.`,
    hint: AGAIN,
    details: { file, ...(entry === undefined ? {} : { entry: entry.slice(0, 1024) }), why },
  })

export const notAnArchive = (file: string, why: string, hint = AGAIN): MlopsError =>
  failed({
    code: 'ARCHIVE_UNKNOWN',
    message: `${file} is no archive of a version: ${why}.`,
    hint,
    details: { file, why },
  })

export const archiveTooNew = (file: string, format: number, known: number): MlopsError =>
  failed({
    code: 'ARCHIVE_TOO_NEW',
    message: `${file} has format ${format}; this mlops reads format ${known}.`,
    hint: 'Update: npm install -g mlops@latest',
    details: { file, format, supported: known },
  })

export const fileNotFound = (file: string): MlopsError =>
  notFound({
    code: 'FILE_NOT_FOUND',
    message: `There is no file ${file}.`,
    hint: 'Make one where the version is: mlops model export MODEL@V',
    details: { file },
  })

export const notARegularFile = (file: string): MlopsError =>
  usage({
    code: 'NOT_A_FILE',
    message: `${file} is no regular file. An archive is read twice, first to check all of it, so it cannot come through a pipe.`,
    hint: `Save it to a file first: cat > version.tar < ${shellWord(file)}`,
    details: { file },
  })
