/**
 * Archives of a version, made and taken apart without any code of `src/transfer/`: blocks of tar written by hand from
 * docs/transfer.md, so that the tests see what a second implementation would, and what a hostile one could.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import { ulid } from '../../../src/core/ulid.ts'
import type { World } from '../lifecycle/fixture.ts'

export const BLOCK = 512
export const END = Buffer.alloc(2 * BLOCK)
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface Entry {
  readonly path: string
  readonly bytes: Buffer
}

/** The header of a file, field by field as docs/transfer.md has them. */
export function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(path, 0, 100)
  block.write('000644 \0', 100)
  block.write('000000 \0', 108)
  block.write('000000 \0', 116)
  block.write(`${size.toString(8).padStart(10, '0')} \0`, 124)
  block.write('0000000000 \0', 136)
  block.write('0', 156)
  block.write('ustar\u000000', 257)
  block.write('000000 \0', 329)
  block.write('000000 \0', 337)
  return summed(block)
}

/** With the checksum that its bytes ask for. */
export function summed(block: Buffer): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')} \0`, 148)
  return block
}

/** A header with some bytes changed, as `{ 156: '2' }`: offset to text or bytes. */
export function patched(block: Buffer, changes: Readonly<Record<number, string | Buffer>>): Buffer {
  const copy = Buffer.from(block)
  for (const [offset, value] of Object.entries(changes)) Buffer.from(value).copy(copy, Number(offset))
  return summed(copy)
}

export const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])

export const file = ({ path, bytes }: Entry): Buffer => Buffer.concat([header(path, bytes.length), padded(bytes)])
export const tarOf = (entries: readonly Entry[]): Buffer => Buffer.concat([...entries.map(file), END])

/** The entries of a sound archive. */
export function entriesOf(archive: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; archive[at] !== 0; ) {
    const path = archive.toString('utf8', at, archive.indexOf(0, at))
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8)
    entries.push({ path, bytes: archive.subarray(at + BLOCK, at + BLOCK + size) })
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}

// biome-ignore lint/suspicious/noExplicitAny: records that tests change in ways that no type allows
export type Loose = any

/** An archive as its records and the bytes that they name; records may be anything. */
export interface Parts {
  manifest: Loose
  origin: Loose
  /** Objects by digest; those of records of the run as well. */
  objects: Map<string, Buffer>
  /** False: what was changed in the event keeps the seal that it had. */
  reseal?: boolean
  /** Changes the index just before it is written. */
  index?: (index: Loose) => void
}

export function partsOf(archive: Buffer): Parts {
  const entries = new Map(entriesOf(archive).map(({ path, bytes }) => [path, bytes]))
  const objects = new Map<string, Buffer>()
  for (const [path, bytes] of entries) if (path.startsWith('objects/')) objects.set(path.slice(8), bytes)
  const json = (path: string): Loose => JSON.parse(String(entries.get(path)))
  return { manifest: json('manifest.json'), origin: json('origin.json'), objects }
}

/** `self` of a record, made anew after it was changed. */
export function sealed(record: Loose): Loose {
  const { self: _, ...rest } = record
  return { ...rest, self: digestOf(canonicalBytes(rest)) }
}

/** An archive of `parts` in which everything that is derived fits: digests, seals, sizes, order. */
export function archiveOf({ manifest, origin, objects, reseal = true, index: change }: Parts): Buffer {
  const manifestBytes = bytesOf(manifest)
  const event = origin?.event
  const fitting =
    event?.body === undefined || !reseal
      ? origin
      : { ...origin, event: sealed({ ...event, body: { ...event.body, manifest: digestOf(manifestBytes) } }) }
  const entries: Entry[] = [
    { path: 'manifest.json', bytes: manifestBytes },
    ...[...objects].map(([digest, bytes]) => ({ path: `objects/${digest}`, bytes })),
    { path: 'origin.json', bytes: bytesOf(fitting) },
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
  const index: Loose = {
    format: 1,
    kind: 'mlops model version',
    model: event?.model,
    version: event?.body?.version,
    manifest: digestOf(manifestBytes),
    entries: entries.map(({ path, bytes }) => ({ path, sha256: digestOf(bytes), size: bytes.length })),
  }
  change?.(index)
  return tarOf([{ path: 'archive.json', bytes: canonicalBytes(index) }, ...entries])
}

const bytesOf = (record: Loose): Buffer => (Buffer.isBuffer(record) ? record : canonicalBytes(record))

/** Puts other bytes in the place of an object, and their digest wherever the old one is named. */
export function replaceObject(parts: Parts, digest: string, bytes: Buffer): Parts {
  const next = digestOf(bytes)
  const renamed = (record: Loose): Loose => JSON.parse(JSON.stringify(record).replaceAll(digest, next))
  const objects = new Map([...parts.objects].filter(([each]) => each !== digest))
  const manifest = renamed(parts.manifest)
  const origin = renamed(parts.origin)
  const { body } = origin.event
  for (const pin of [body.run?.run, body.run?.end, manifest.testPredictions, manifest.examples, ...manifest.files]) {
    if (pin?.sha256 === next) pin.size = bytes.length
  }
  return { manifest, origin, objects: objects.set(next, bytes) }
}

/** Every file of a folder with its bytes, as one text to compare. */
export function treeOf(root: string): string {
  const lines = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return `${path.slice(root.length)} ${entry.isFile() ? digestOf(readFileSync(path)) : 'folder'}`
  })
  return lines.sort().join('\n')
}

/** A version with everything a version can have, and a model file of `size` random-looking bytes. @returns its number */
export async function fullVersion(world: World, size = 3000, model = 'churn-model'): Promise<number> {
  const { store, ctx } = world
  const put = async (text: string | Buffer) => store.objects.put(Buffer.from(text))
  const weights = Buffer.alloc(size)
  for (let n = 0; n < size; n++) weights[n] = (n * 2654435761) >>> 24
  const pinOf = async (path: string, bytes: Buffer, verdict: string) => ({
    path,
    ...(await put(bytes)),
    scan: { verdict, findings: [] },
  })
  const profile = await put('{"format":1,"what":"a profile"}\n')
  const manifest = {
    format: 1,
    model,
    files: [
      await pinOf('model/config.json', Buffer.from('{"layers": 3}'), 'inert'),
      { ...(await pinOf('model/weights.bin', weights, 'not determined')), scan: await scanOf(weights) },
    ],
    metrics: { auc: 0.84, loss: 'NaN' },
    params: { depth: 4, note: 'x', on: true, nothing: null },
    baseline: {
      profile: profile.sha256,
      data: { name: 'baseline', sha256: digestOf(Buffer.from('train')), rows: 500, columns: 4 },
      segments: { by: 'plan', ...(await put('{"segments":{}}\n')) },
    },
    target: 'churned',
    prediction: 'churn_probability',
    data: [{ name: 'test', sha256: digestOf(Buffer.from('test')), rows: 100 }],
    testPredictions: { ...(await put('id,y,p\n1,0,0.2\n')), format: 'csv' },
    examples: await put('{"x":1}\n'),
  }
  const { sha256: digest } = await store.objects.put(canonicalBytes(manifest))
  const run = await runOf(world, model)
  const state = await store.models.stateOrEmpty(model)
  const version = state.versions.length + 1
  const outcome = await store.models.commit(state, {
    op_id: ulid(ctx.now().getTime()),
    request: digest,
    type: 'register',
    body: { version, manifest: digest, tags: ['candidate'], run, message: 'June labels' },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  })
  if (outcome.kind !== 'committed') throw new Error(`the version was not registered: ${outcome.kind}`)
  return version
}

async function scanOf(bytes: Buffer) {
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { scanFile } = await import('../../../src/lifecycle/scan/scan.ts')
  const folder = mkdtempSync(join(tmpdir(), 'mlops-scan-'))
  writeFileSync(join(folder, 'bytes'), bytes)
  const result = await scanFile(join(folder, 'bytes'), { name: 'model/weights.bin' })
  rmSync(folder, { recursive: true })
  return result
}

async function runOf({ store, ctx }: World, model: string) {
  const patch = await store.objects.put(Buffer.from('diff --git a/train.py b/train.py\n'))
  const lock = await store.objects.put(Buffer.from('numpy==2.0.0\n'))
  const id = ulid(ctx.now().getTime())
  const writer = await store.runs.create({
    format: 1,
    id,
    model,
    started: ctx.now().toISOString(),
    command: ['python', 'train.py'],
    cwd: '.',
    git: {
      commit: 'a'.repeat(40),
      branch: 'main',
      remote: null,
      dirty: true,
      patch: { ...patch, files: ['train.py'] },
    },
    env: { PATH: '/usr/bin' },
    host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 8e9 },
    seed: 7,
    data: [],
    params: {},
    tags: [],
    actor: ctx.actor,
    tool: ctx.tool,
    source: 'track',
  })
  await writer.end({
    format: 1,
    status: 'finished',
    exit: 0,
    signal: null,
    ended: ctx.now().toISOString(),
    duration: 12.5,
    metrics: { auc: 0.84 },
    params: {},
    tags: [],
    artifacts: [],
    late: { python: { executable: '/usr/bin/python3', version: '3.11.2', lock: { sha256: lock.sha256, packages: 1 } } },
    warnings: [],
  })
  return store.runs.pin(id)
}
