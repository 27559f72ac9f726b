/**
 * One run's folder, open for writing by one process: its streams, its heartbeat and its end. The Python client writes
 * the same files (docs/store-format.md, "Runs").
 */
import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../core/canonical-json.ts'
import { sha256 } from '../core/digest.ts'
import { conflict } from '../core/errors.ts'
import type { Appender, Backend } from './backend.ts'
import { runFolder } from './layout.ts'
import type { RunEnd } from './run-records.ts'
import { openSealed, seal } from './sealed.ts'
import type { RunWriter, StreamLine, StreamName } from './store.ts'

/** Files of a run that its end does not pin: the end itself, its witness, and the heartbeat. */
const UNPINNED = ['end.json', 'ended', 'alive'] as const

export function runWriter(backend: Backend, id: string, now: () => Date): RunWriter {
  const folder = runFolder(id)
  const writer = `mlops-${randomBytes(6).toString('hex')}`
  const streams = new Map<StreamName, Promise<Appender>>()
  let [ended, beating] = [false, Promise.resolve()]
  const appender = (stream: StreamName): Promise<Appender> => {
    const open = streams.get(stream) ?? backend.appender(`${folder}/${stream}/${writer}.jsonl`)
    streams.set(stream, open)
    return open
  }
  return {
    id,
    dir: backend.path(folder),
    outputPath: backend.path(`${folder}/output.log`),
    async append<S extends StreamName>(stream: S, lines: readonly StreamLine[S][]) {
      if (lines.length === 0) return
      const text = lines.map((line) => `${canonicalJson(line)}\n`).join('')
      await (await appender(stream)).append(Buffer.from(text, 'utf8'))
    },
    async beat() {
      if (ended) return
      beating = backend.touch(`${folder}/alive`, now())
      await beating
    },
    async end(record) {
      for (const open of streams.values()) await (await open).close()
      streams.clear()
      // One under way would bring the heartbeat back.
      ended = true
      await beating.catch(() => {})
      return endRun(backend, id, record)
    },
  }
}

/** Files of a run on their way to the disk at a time: it settles several as fast as one. */
const AT_ONCE = 4

/** Pins every file of the run as it is now and writes `end.json`. @throws conflict `RUN_ENDED` */
async function endRun(backend: Backend, id: string, record: Omit<RunEnd, 'files'>): Promise<RunEnd> {
  const folder = runFolder(id)
  const files: Record<string, { sha256: string; size: number }> = {}
  const left = (await filesOfRun(backend, id)).reverse()
  const worker = async (): Promise<void> => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      // The script and its children wrote some of these; what is pinned must be durable.
      await backend.sync(`${folder}/${path}`)
      files[path] = await pinOf(backend, `${folder}/${path}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const bytes = seal({ ...record, files })
  if (!(await backend.putIfAbsent(`${folder}/end.json`, bytes))) {
    throw conflict({
      code: 'RUN_ENDED',
      message: `Run ${id} has ended already; its end cannot be written twice.`,
      hint: `See it: mlops run show ${id}`,
    })
  }
  await witness(backend, folder, bytes).catch(() => {})
  return openSealed(bytes) as unknown as RunEnd
}

/**
 * `ended` lets `verify` miss a lost end.json. The heartbeat goes last: a run that has an end and no heartbeat has an
 * `ended` too, or somebody lost it. All this is only for `verify`; the run has ended without it.
 */
async function witness(backend: Backend, folder: string, end: Buffer): Promise<void> {
  const line = Buffer.from(`${sha256(end)}\n`)
  await backend.putIfAbsent(`${folder}/ended`, line)
  await backend.remove(`${folder}/alive`)
}

/** Paths, relative to the run, of every file an end pins. */
export async function filesOfRun(backend: Backend, id: string): Promise<string[]> {
  const paths: string[] = []
  for (const { name, kind } of await backend.list(runFolder(id))) {
    if (kind === 'file' && !UNPINNED.some((unpinned) => unpinned === name)) paths.push(name)
    if (kind !== 'folder' || name === 'annotations') continue
    for (const inner of await backend.list(`${runFolder(id)}/${name}`)) {
      if (inner.kind === 'file') paths.push(`${name}/${inner.name}`)
    }
  }
  return paths
}

async function pinOf(backend: Backend, key: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of (await backend.read(key)) ?? []) {
    hash.update(chunk)
    size += chunk.length
  }
  return { sha256: hash.digest('hex'), size }
}
