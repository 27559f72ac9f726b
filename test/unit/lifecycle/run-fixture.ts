/** Runs as `mlops track` and the Python client leave them, for the tests of registering and of intents. */
import { ulid } from '../../../src/core/ulid.ts'
import type { Intent, RunEnd, RunEvidence, RunStart } from '../../../src/store/run-records.ts'
import type { World } from './fixture.ts'

export interface RunSpec {
  /** Text by path. */
  readonly artifacts?: Readonly<Record<string, string>>
  readonly start?: Partial<RunStart>
  readonly end?: Partial<RunEnd>
  readonly intents?: readonly Intent[]
  /** What the script logged: its lines of JSON, and what the record says of them. */
  readonly evidence?: readonly (Partial<RunEvidence> & { readonly kind: RunEvidence['kind']; readonly text: string })[]
  /** It has not ended. */
  readonly running?: boolean
}

/** @returns the id of the run */
export async function addRun({ store, ctx }: World, spec: RunSpec = {}): Promise<string> {
  const id = ulid(ctx.now().getTime())
  const writer = await store.runs.create({
    format: 1,
    id,
    started: ctx.now().toISOString(),
    command: ['python', 'train.py'],
    cwd: '.',
    env: {},
    host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 8e9 },
    data: [],
    params: {},
    tags: [],
    actor: ctx.actor,
    tool: ctx.tool,
    source: 'track',
    ...spec.start,
  })
  await writeRecords(writer.dir, 'intents', spec.intents ?? [])
  const evidence = (spec.evidence ?? []).map(async ({ text, ...record }) => {
    const rows = text.split('\n').length - 1
    const data = await store.objects.put(Buffer.from(text))
    return { format: 1, time: ctx.now().toISOString(), rows, columns: 2, data, ...record }
  })
  await writeRecords(writer.dir, 'evidence', await Promise.all(evidence))
  if (spec.running === true) return id
  const artifacts = await Promise.all(
    Object.entries(spec.artifacts ?? {}).map(async ([path, text]) => ({
      path,
      ...(await store.objects.put(Buffer.from(text))),
    })),
  )
  await writer.end({
    format: 1,
    status: 'finished',
    exit: 0,
    signal: null,
    ended: ctx.now().toISOString(),
    duration: 1,
    metrics: {},
    params: {},
    tags: [],
    artifacts,
    warnings: [],
    ...spec.end,
  })
  return id
}

/** As the client writes them: one sealed file each. */
async function writeRecords(dir: string, kind: string, records: readonly object[]): Promise<void> {
  const { mkdir, writeFile } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const { seal } = await import('../../../src/store/sealed.ts')
  if (records.length === 0) return
  await mkdir(join(dir, kind), { recursive: true })
  for (const [i, record] of records.entries()) {
    await writeFile(join(dir, kind, `w-${i + 1}.json`), seal({ ...record }))
  }
}
