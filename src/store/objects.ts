/**
 * Immutable bytes under their sha256. Invariant: if an object has its name, its bytes are durable, and whatever leaves
 * the store is hashed again on the way out (a read-only bit proves nothing).
 */
import { createHash, randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { Json } from '../core/canonical-json.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { failed, isMlopsError, type MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import type { Backend, Staged } from './backend.ts'
import { copyHashed } from './copy.ts'
import type { Pin } from './events.ts'
import { fileFailure, quoted } from './failures.ts'
import type { Files } from './files.ts'
import { objectKey } from './layout.ts'
import type { Objects } from './store.ts'

export function objectsOf(backend: Backend, files: Files): Objects {
  return {
    put: (bytes) => put(backend, bytes),
    putFile: (path, progress) => putFile(backend, files, path, progress),
    putChunks: (pin, open) => putChunks(backend, pin, open),
    has: async (digest) => (await backend.stat(objectKey(digest)))?.kind === 'file',
    read: (digest) => read(backend, digest),
    readJson: async <T = Json>(digest: Digest) => parse<T>(backend, digest, await read(backend, digest)),
    chunks: (digest) => chunks(backend, digest),
    verify: (digest) => verify(backend, digest),
    exportTo: (digest, destination) => exportTo(backend, files, digest, destination),
  }
}

async function put(backend: Backend, bytes: Uint8Array): Promise<Pin> {
  const pin = { sha256: sha256(bytes), size: bytes.length }
  // Run after run has the same environment and the same changes: what is there already is not written again.
  if (await isThere(backend, pin)) return pin
  const staged = await backend.stage()
  await staged.write(bytes)
  await publish(backend, staged, pin, async () => {
    const again = await backend.stage()
    await again.write(bytes)
    return again
  })
  return pin
}

async function putFile(backend: Backend, files: Files, path: string, progress?: (bytes: number) => void): Promise<Pin> {
  const [staged, pin] = await stageFile(backend, files, path, progress)
  await publish(backend, staged, pin, async () => {
    const [again, same] = await stageFile(backend, files, path)
    if (same.sha256 === pin.sha256) return again
    await again.discard()
    throw changedMeanwhile(path)
  })
  return pin
}

async function putChunks(backend: Backend, pin: Pin, open: () => AsyncIterable<Uint8Array>): Promise<Pin> {
  if (await isThere(backend, pin)) return pin
  const stage = async (): Promise<Staged> => {
    const staged = await backend.stage()
    const hash = createHash('sha256')
    try {
      for await (const chunk of open()) {
        hash.update(chunk)
        await staged.write(chunk)
      }
      if (hash.digest('hex') !== pin.sha256) throw bytesChanged(pin.sha256)
      return staged
    } catch (error) {
      await staged.discard()
      throw error
    }
  }
  await publish(backend, await stage(), pin, stage)
  return pin
}

async function stageFile(
  backend: Backend,
  files: Files,
  path: string,
  progress?: (bytes: number) => void,
): Promise<[Staged, Pin]> {
  const source = await openSource(files, path)
  try {
    const staged = await backend.stage()
    try {
      return [staged, await copyHashed(files, source, (bytes) => staged.write(bytes), progress)]
    } catch (error) {
      await staged.discard()
      throw fileFailure(error, path, 'read')
    }
  } finally {
    await files.close(source)
  }
}

async function openSource(files: Files, path: string): Promise<number> {
  try {
    // Opening a FIFO would wait for a writer for ever, so look first.
    const info = files.target(path)
    if (info.kind !== 'file') {
      throw usage({
        code: 'NOT_A_FILE',
        message: `${path} is ${info.kind === 'folder' ? 'a folder' : 'no regular file'}; only files can be stored.`,
        hint: info.kind === 'folder' ? `Name its files, for example: ${quoted(path)}/*` : 'Name a regular file',
      })
    }
    return await files.open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw notFound({
        code: 'FILE_NOT_FOUND',
        message: `There is no file ${path}.`,
        hint: `Look: ls ${quoted(dirname(path))}`,
      })
    }
    throw fileFailure(error, path, 'read')
  }
}

/** When the object is there already its bytes are hashed and made durable; damaged ones are replaced by ours. */
async function publish(backend: Backend, staged: Staged, pin: Pin, again: () => Promise<Staged>): Promise<void> {
  const key = objectKey(pin.sha256)
  if (await staged.publish(key, { addressed: true })) return
  if ((await hashOf(backend, pin.sha256))?.sha256 !== pin.sha256) await (await again()).replace(key)
  else if (!(await isKept(backend, key))) await (await again()).publish(key, { addressed: true, over: true })
}

const isThere = async (backend: Backend, { sha256: digest }: Pin): Promise<boolean> =>
  (await hashOf(backend, digest))?.sha256 === digest && (await isKept(backend, objectKey(digest)))

/** Durable, and not taken by a clean-up before it is referred to. @returns false where only bytes of our own would be */
async function isKept(backend: Backend, key: string): Promise<boolean> {
  if ((await backend.keep(key)) !== 'kept') return false
  try {
    await backend.sync(key)
    return true
  } catch (error) {
    // A clean-up that had looked before we said so has put it aside this instant.
    if (isMlopsError(error) && error.details?.system === 'ENOENT') return false
    throw error
  }
}

async function read(backend: Backend, digest: Digest): Promise<Buffer> {
  const bytes = await backend.get(objectKey(digest))
  if (bytes === undefined) throw await missing(backend, digest)
  if (sha256(bytes) !== digest) throw damaged(backend, digest)
  return bytes
}

function parse<T>(backend: Backend, digest: Digest, bytes: Buffer): T {
  try {
    return JSON.parse(bytes.toString('utf8')) as T
  } catch (error) {
    throw failed({
      code: 'OBJECT_NOT_JSON',
      message: `${backend.path(objectKey(digest))} was expected to be JSON and is not.`,
      hint: 'Look the store over: mlops store verify',
      cause: error,
    })
  }
}

async function hashOf(backend: Backend, digest: Digest): Promise<Pin | undefined> {
  const chunks = await backend.read(objectKey(digest))
  if (chunks === undefined) return undefined
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of chunks) {
    hash.update(chunk)
    size += chunk.length
  }
  return { sha256: hash.digest('hex'), size }
}

async function* chunks(backend: Backend, digest: Digest): AsyncIterable<Uint8Array> {
  const found = await backend.read(objectKey(digest))
  if (found === undefined) throw await missing(backend, digest)
  const hash = createHash('sha256')
  for await (const chunk of found) {
    hash.update(chunk)
    yield chunk
  }
  if (hash.digest('hex') !== digest) throw damaged(backend, digest)
}

async function verify(backend: Backend, digest: Digest): Promise<Pin> {
  const found = await hashOf(backend, digest)
  if (found === undefined) throw await missing(backend, digest)
  if (found.sha256 !== digest) throw damaged(backend, digest)
  return found
}

/** Copies beside the destination first, so that a kill in the middle leaves no half file under its name. */
async function exportTo(backend: Backend, files: Files, digest: Digest, destination: string): Promise<Pin> {
  const chunks = await backend.read(objectKey(digest))
  if (chunks === undefined) throw await missing(backend, digest)
  const partial = join(dirname(destination), `.${basename(destination)}.${randomBytes(6).toString('hex')}`)
  try {
    const pin = await copyOut(files, chunks, partial)
    if (pin.sha256 !== digest) throw damaged(backend, digest)
    await appear(files, partial, destination)
    return pin
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw destinationTaken(destination)
    throw fileFailure(error, destination, 'write')
  } finally {
    await files.unlink(partial).catch(() => {})
  }
}

async function copyOut(files: Files, chunks: AsyncIterable<Uint8Array>, path: string): Promise<Pin> {
  const hash = createHash('sha256')
  let size = 0
  const fd = await files.open(path, 'wx', 0o644)
  try {
    for await (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) done += await files.write(fd, chunk.subarray(done))
      hash.update(chunk)
      size += chunk.length
    }
    await files.fsync(fd)
  } finally {
    await files.close(fd)
  }
  return { sha256: hash.digest('hex'), size }
}

async function appear(files: Files, partial: string, destination: string): Promise<void> {
  try {
    await files.link(partial, destination)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error
    try {
      files.info(destination)
    } catch {
      return files.rename(partial, destination)
    }
    throw destinationTaken(destination)
  }
}

const destinationTaken = (destination: string): MlopsError =>
  usage({
    code: 'DESTINATION_EXISTS',
    message: `${destination} exists already; nothing is overwritten.`,
    hint: 'Name a path that does not exist yet, or move that file away',
  })

const changedMeanwhile = (path: string): MlopsError =>
  failed({
    code: 'FILE_CHANGED',
    message: `${path} changed while it was being stored.`,
    hint: 'Wait until nothing writes it any more and run the command again',
  })

const bytesChanged = (digest: Digest): MlopsError =>
  failed({
    code: 'BYTES_CHANGED',
    message: `Bytes that were to be stored as ${digest} changed while they were read; they were not stored.`,
    hint: 'Wait until nothing writes them any more and run the command again',
  })

const missing = async (backend: Backend, digest: Digest): Promise<MlopsError> =>
  (await backend.whyMissing?.(digest)) ??
  notFound({
    code: 'OBJECT_MISSING',
    message: `The object ${digest} is not in the store: ${backend.path(objectKey(digest))} does not exist.`,
    hint: 'See what else is affected: mlops store verify',
    details: { sha256: digest, file: backend.path(objectKey(digest)) },
  })

const damaged = (backend: Backend, digest: Digest): MlopsError =>
  failed({
    code: 'OBJECT_DAMAGED',
    message: `${backend.path(objectKey(digest))} is damaged: its bytes no longer have the sha256 of its name.`,
    hint: 'See what is affected: mlops store verify. Storing the same file again replaces the damaged copy',
    details: { sha256: digest, file: backend.path(objectKey(digest)) },
  })
