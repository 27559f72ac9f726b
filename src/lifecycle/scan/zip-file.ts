/** Zip files that hold models: PyTorch's, and NumPy's `.npz`. Every entry must have its place in the layout. */
import { Unpackable } from './compressed.ts'
import { readNpyHeader } from './npy.ts'
import { walkPickle } from './pickle.ts'
import { scanPickles } from './pickle-file.ts'
import { ByteReader, type OpenFile } from './reader.ts'
import type { Report } from './report.ts'
import { entrySource, readZipDirectory, type ZipEntry } from './zip.ts'

/** Beside data.pkl and data/<n>: what torch.save writes, plain words and numbers. */
const TORCH_PLAIN = /^(?:version|byteorder|\.data\/serialization_id|\.format_version|\.storage_alignment)$/
const TORCH_TENSOR = /^(?:data|tensors|constants)\/\d+$/

export async function scanZip(file: OpenFile, report: Report): Promise<void> {
  const directory = await readZipDirectory(file)
  if ('problem' in directory) {
    report.doubt(directory.problem)
    return
  }
  const { entries } = directory
  const main = entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name) || name === 'data.pkl')
  if (main !== undefined) return scanTorch(file, entries, main.name.slice(0, -'data.pkl'.length), report)
  if (entries.length > 0 && entries.every(({ name }) => name.endsWith('.npy'))) {
    for (const entry of entries) await scanNpyEntry(file, entry, report)
    return
  }
  report.doubt('a zip file of a kind that is not known')
}

async function scanTorch(file: OpenFile, entries: readonly ZipEntry[], prefix: string, report: Report): Promise<void> {
  for (const entry of entries) {
    const name = entry.name.startsWith(prefix) ? entry.name.slice(prefix.length) : entry.name
    if (/\.pkl$/i.test(name)) await scanTensorPickle(file, entry, report)
    else if (name.startsWith('code/')) report.danger(`TorchScript code (${entry.name})`)
    else if (!TORCH_TENSOR.test(name) && !TORCH_PLAIN.test(name)) report.doubt(`the zip entry ${entry.name}`)
  }
}

async function scanTensorPickle(file: OpenFile, entry: ZipEntry, report: Report): Promise<void> {
  const reader = new ByteReader(open(file, entry))
  const end = await walkPickle(reader, { report, arrays: 'opcodes', persistent: 'tensor' })
  if (end.how !== 'stop') report.doubt(`${entry.name} is no whole pickle`)
  else if (!(await reader.atEnd())) report.doubt(`bytes follow the pickle in ${entry.name}`)
}

async function scanNpyEntry(file: OpenFile, entry: ZipEntry, report: Report): Promise<void> {
  // The header must be read from the start of the unpacked bytes; it is short.
  const reader = new ByteReader(open(file, entry))
  await reader.fill(Math.min(entry.size, 1 << 16))
  const head = reader.peek(Math.min(entry.size, 1 << 16))
  const header = await readNpyHeader(async (offset, length) => head.subarray(offset, offset + length))
  if (header === undefined) report.doubt(`the header of ${entry.name} is not one that numpy writes`)
  else if (header.hasObject) {
    await scanPickles(async () => {
      const again = new ByteReader(open(file, entry))
      await again.skip(header.data)
      return again.rest()
    }, report)
  }
}

const open = (file: OpenFile, entry: ZipEntry) =>
  entrySource(file, entry, () => new Unpackable(`the zip entry ${entry.name} is larger than it says`))
