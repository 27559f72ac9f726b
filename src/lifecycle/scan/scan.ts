/**
 * A static look at a model file: what would loading it run? The file is never loaded. Which format it is, is decided by
 * its bytes; whatever is not understood to the last byte is `not determined`, never `inert` (docs/model-scan.md).
 */
import type { ScanResult } from '../../store/manifest.ts'
import { compressionOf, Unpackable, unpack } from './compressed.ts'
import { isOnnx, isSafetensors } from './formats.ts'
import { isJson } from './json.ts'
import { isNpy, npyOfFile } from './npy.ts'
import { scanPickles, scanUnlikely } from './pickle-file.ts'
import { ByteReader, type OpenFile, openFile } from './reader.ts'
import { Report } from './report.ts'
import { textKind } from './text.ts'
import { isZip } from './zip.ts'
import { scanZip } from './zip-file.ts'

export interface ScanOptions {
  /** The file's own name, where `path` is an object of the store. Decides nothing but what kind of text a text is. */
  readonly name?: string
  readonly signal?: AbortSignal
}

/** @throws the system error of the read; an abort of `signal` */
export async function scanFile(path: string, options: ScanOptions = {}): Promise<ScanResult> {
  const file = await openFile(path, options.signal)
  const report = new Report()
  try {
    await scanOpen(file, path, options.name ?? path, report)
  } catch (error) {
    if (!(error instanceof Unpackable)) throw error
    report.doubt(error.message)
  } finally {
    await file.close()
  }
  return report.result()
}

async function scanOpen(file: OpenFile, path: string, name: string, report: Report): Promise<void> {
  if (file.size === 0) return
  const head = await file.at(0, 16)
  if (isZip(head)) return scanZip(file, report)
  if (isNpy(head)) return scanNpy(file, report)
  const compression = compressionOf(head)
  if (compression === 'gzip' || compression === 'zlib') {
    return scanPickles(() => unpack(path, compression, file.size), report)
  }
  if (await isInert(file, head)) {
    // Its own loader runs nothing. One that takes it for a pickle must not either.
    await scanUnlikely(new ByteReader(file.from(0)), 0, report)
    return
  }
  if (head[0] === 0x80) return scanPickles(() => file.from(0), report)
  if (compression !== undefined) return report.doubt(`compressed with ${compression}, which is not looked into`)
  await scanOther(file, name, report)
}

async function isInert(file: OpenFile, head: Buffer): Promise<boolean> {
  if (head[8] === 0x7b && (await isSafetensors(file)) === true) return true
  if (head[0] === 0x08 && (await isOnnx(file))) return true
  const opens = /^(?:\u00ef\u00bb\u00bf)?\s*[[{]/.test(head.toString('latin1'))
  if (!opens) return false
  return (await isJson(new ByteReader(file.from(0)))) || (await isJson(new ByteReader(file.from(0)), true))
}

async function scanNpy(file: OpenFile, report: Report): Promise<void> {
  const header = await npyOfFile(file)
  if (header === undefined) report.doubt('the header of the NumPy file is not one that numpy writes')
  else if (header.hasObject) await scanPickles(() => file.from(header.data), report)
}

/** Text, a pickle of protocol 0 or 1, or something unknown. */
async function scanOther(file: OpenFile, name: string, report: Report): Promise<void> {
  const kind = await textKind(new ByteReader(file.from(0)), name)
  const asPickle = new Report()
  await scanPickles(() => file.from(0), asPickle)
  // A whole pickle, however plain it looks.
  if (!asPickle.doubtful) return report.add(asPickle)
  await scanUnlikely(new ByteReader(file.from(0)), kind === undefined ? file.size : 0, report)
  if (kind === 'program') report.danger('source code')
  else if (kind === 'unsafe yaml') report.danger('a YAML tag that makes Python objects')
  else if (kind === undefined) report.doubt('a format that is not known')
  else if (kind === 'unknown') report.doubt('text of a kind that is not known')
}
