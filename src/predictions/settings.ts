/**
 * What scripts said about the checks of a model (`m.drift_threshold = 0.10`, `m.on_drift(channel=…)`): read from the
 * files that the Python client leaves in the store (docs/prediction-log.md, "Settings made in code"). `mlops.yaml`
 * overrides them; that is the business of whoever asks.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertName } from '../core/names.ts'
import { openSealed, sealProblem } from '../store/sealed.ts'
import type { Store } from '../store/store.ts'

export interface CodeSettings {
  /** The effect (PSI) from which a column counts as drifted; absent when no script said one. */
  readonly threshold?: number
  /** As they stand under `notify:` in mlops.yaml; empty when no script named one. */
  readonly channels: readonly string[]
}

const NAME = /^[0-9a-f]{64}\.json$/
const MAX_BYTES = 65_536

/**
 * Each setting from the newest file that has it: by `time`, then by name. Files that are damaged, or hold what is no
 * setting, are left out.
 * @throws usage `NAME_INVALID`
 */
export async function codeSettings(store: Pick<Store, 'root'>, model: string): Promise<CodeSettings> {
  assertName('model', model)
  const folder = join(store.root, 'predictions', model, 'settings')
  const records = names(folder).flatMap((name) => {
    const record = readRecord(join(folder, name))
    return record === undefined || record.model !== model ? [] : [{ name, record }]
  })
  records.sort((a, b) => compare(a.record.time, b.record.time) || compare(a.name, b.name))
  let settings: CodeSettings = { channels: [] }
  for (const { record } of records) {
    const { threshold, channels } = record
    if (typeof threshold === 'number' && threshold > 0) settings = { ...settings, threshold }
    if (Array.isArray(channels))
      settings = { ...settings, channels: channels.filter((each) => typeof each === 'string') }
  }
  return settings
}

interface SettingsRecord {
  readonly model: unknown
  readonly time: string
  readonly threshold?: unknown
  readonly channels?: unknown
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => NAME.test(name))
  } catch {
    return [] // no script said anything, or not in this store
  }
}

function readRecord(path: string): SettingsRecord | undefined {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_BYTES || sealProblem(bytes) !== undefined) return undefined
    const record = openSealed(bytes)
    return typeof record?.time === 'string' ? { model: record.model, ...record, time: record.time } : undefined
  } catch {
    return undefined
  }
}
