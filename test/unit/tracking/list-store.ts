/** A store with runs as a test describes them. No expectations belong here. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { ParamValue, RunEnd, RunStart } from '../../../src/store/run-records.ts'
import type { Store } from '../../../src/store/store.ts'

export interface Described {
  readonly model?: string
  readonly metrics?: Readonly<Record<string, number | string>>
  readonly params?: Readonly<Record<string, ParamValue>>
  readonly tags?: readonly string[]
  readonly status?: RunEnd['status']
  readonly start?: Partial<RunStart>
  /** It has written no end; its heart beat just now. */
  readonly isRunning?: boolean
}

export interface Shelf {
  readonly root: string
  readonly store: Store
  readonly ctx: Context & { readonly warnings: string[] }
  /** One minute after the other. @returns its id */
  run(of: Described): Promise<string>
  remove(): void
}

export const FIRST = Date.parse('2026-11-20T12:00:00Z')

export async function shelf(now = FIRST + 3_600_000): Promise<Shelf> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-runs-')))
  const root = join(folder, '.mlops')
  await createStore(root)
  const store = await openStore(root, { write: true, now: () => new Date(now) })
  const warnings: string[] = []
  let count = 0
  return {
    root,
    store,
    ctx: {
      ...{ cwd: folder, env: {}, actor: { name: 'ada@test', origin: 'local' }, tool: 'mlops test' },
      ...{ now: () => new Date(now), warn: (message: string) => void warnings.push(message), warnings },
    },
    async run({ model, metrics = {}, params = {}, tags = [], status = 'finished', start, isRunning = false }) {
      const at = FIRST + 60_000 * count++
      const started = new Date(at).toISOString()
      const record: RunStart = {
        ...{ format: 1, id: ulid(at), started, command: ['python', 'train.py'], cwd: '.', env: {}, data: [] },
        ...{ host: { name: 'box', platform: 'linux', cpus: 2, memory: 1 }, params, tags, source: 'track' },
        ...{ actor: { name: 'ada@test', origin: 'local' }, tool: 'mlops test' },
        ...(model === undefined ? {} : { model }),
        ...start,
      }
      const writer = await store.runs.create(record)
      if (isRunning) {
        await writer.append(
          'metrics',
          Object.entries(metrics).map(([key, value]) => ({ t: started, key, value })),
        )
        return record.id
      }
      await writer.end({
        ...{ format: 1, status, exit: status === 'failed' ? 1 : 0, signal: null, ended: started, duration: 30 },
        ...{ metrics, params, tags, artifacts: [], warnings: [] },
      })
      return record.id
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
