/**
 * The records inside an archive, member by member: index, manifest, origin, the records of the run. Types say what they
 * must be; `shape.ts` says how it is checked. Pure.
 */

import type { Actor } from '../core/context.ts'
import { nameProblem } from '../core/names.ts'
import {
  atLeast,
  type Check,
  count,
  digest,
  exactly,
  list,
  map,
  metric,
  one,
  optional,
  positive,
  scalar,
  size,
  text,
} from '../core/shape.ts'
import { isUlid } from '../core/ulid.ts'
import type { ImportedFrom, ModelEvent, Pin, RegisterBody, RunPin } from '../store/events.ts'
import type { DataFact, Manifest, ManifestFile, ScanResult } from '../store/manifest.ts'
import {
  ARCHIVE_FORMAT,
  ARCHIVE_KIND,
  type ArchiveIndex,
  type IndexEntry,
  MOST_ENTRIES,
  type Origin,
} from './format.ts'

const modelName: Check = (value, at) => {
  const problem = typeof value === 'string' ? nameProblem(value) : 'it is no text'
  return problem === undefined ? undefined : `${at} cannot be the name of a model: ${problem}`
}

const pin = exactly<Pin>({ sha256: digest, size })
const runId: Check = (value, at) => (typeof value === 'string' && isUlid(value) ? undefined : `${at} is no run id`)
const storeId: Check = (value, at) =>
  typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? undefined : `${at} is no id of a store`
const time: Check = (value, at) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : `${at} is no time`

export const isIndex = exactly<ArchiveIndex>({
  format: one(ARCHIVE_FORMAT),
  kind: one(ARCHIVE_KIND),
  model: modelName,
  version: positive,
  manifest: digest,
  entries: list(exactly<IndexEntry>({ path: text(200), sha256: digest, size }), MOST_ENTRIES),
})

const dataFact = exactly<DataFact>({
  name: text(256),
  sha256: digest,
  rows: optional(count),
  columns: optional(count),
  of: optional(one('rows')),
})

const tableFormat = one('csv', 'jsonl', 'parquet')

const scan = exactly<ScanResult>({
  verdict: one('inert', 'known globals only', 'can execute code', 'not determined'),
  findings: list(text(1000), 100),
})

type Segments = NonNullable<NonNullable<Manifest['baseline']>['segments']>

/** A member that is new in `Manifest` must be added here: the compiler says so. */
export const isManifest = exactly<Manifest>({
  format: one(1),
  model: modelName,
  files: list(exactly<ManifestFile>({ path: filePath, sha256: digest, size, scan }), 10_000),
  metrics: map(metric),
  params: map(scalar),
  baseline: optional(
    exactly<NonNullable<Manifest['baseline']>>({
      profile: digest,
      data: dataFact,
      segments: optional(exactly<Segments>({ by: text(1000), sha256: digest, size })),
    }),
  ),
  target: optional(text(1000)),
  prediction: optional(text(1000)),
  data: list(dataFact, 1000),
  testPredictions: optional(
    exactly<NonNullable<Manifest['testPredictions']>>({
      sha256: digest,
      size,
      format: optional(tableFormat),
      rowsDigest: optional(digest),
    }),
  ),
  overlap: optional(
    exactly<NonNullable<Manifest['overlap']>>({ rows: count, shared: count, expected: optional(metric) }),
  ),
  examples: optional(
    exactly<NonNullable<Manifest['examples']>>({ sha256: digest, size, format: optional(tableFormat) }),
  ),
  evaluate: optional(text()),
})

const actor = atLeast<Actor>({ name: text(1000), origin: one('local', 'ci'), url: optional(text()) })
const runPin = exactly<RunPin>({ id: runId, run: pin, end: optional(pin) })

const imported = exactly<ImportedFrom>({
  archive: digest,
  store: storeId,
  model: modelName,
  version: positive,
  manifest: digest,
  registered: exactly<ImportedFrom['registered']>({ time, by: actor }),
  origin: pin,
  kept: list(pin, 100),
})

type RegisterEvent = Extract<ModelEvent, { type: 'register' }>

/** What is read of the register event; the rest of it is kept as it is. */
type EventMembers = Pick<RegisterEvent, 'model' | 'type' | 'body' | 'actor' | 'tool' | 'time'>

export const isOrigin = exactly<Origin>({
  format: one(ARCHIVE_FORMAT),
  store: storeId,
  event: atLeast<EventMembers>({
    model: modelName,
    type: one('register'),
    body: exactly<RegisterBody>({
      version: positive,
      manifest: digest,
      tags: list(text(1000), 10_000),
      run: optional(runPin),
      message: optional(text(10_000)),
      imported: optional(imported),
    }),
    actor,
    tool: text(1000),
    time,
  }),
})

/** As `register` takes them: what can be written below a folder on every disk, and nowhere else. */
function filePath(value: unknown, at: string): string | undefined {
  if (typeof value !== 'string' || value === '') return `${at} is no path`
  const where = `${at} ${JSON.stringify(value.slice(0, 120))}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f\ufffd]/.test(value) || !value.isWellFormed()) return `${where} is not plain text`
  if (Buffer.byteLength(value) > 1024) return `${where} has more than 1024 bytes`
  if (/^(?:[/\\]|[A-Za-z]:)/.test(value)) return `${where} is absolute`
  const parts = value.split('/')
  if (value.split(/[/\\]/).includes('..')) return `${where} leads upwards with ".."`
  if (value.includes('\\')) return `${where} has a backslash, which makes a folder on some disks`
  if (parts.some((part) => part === '' || part === '.')) return `${where} has an empty part`
  return undefined
}

/** @returns two files of a manifest that would overwrite each other on some disk, in words */
export function clashingFiles({ files }: Manifest): string | undefined {
  // Disks fold more than the case of one letter: `ß` is `SS` there, and the long `ſ` an `s`.
  const key = (path: string): string => path.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC')
  const seen = new Map<string, string>()
  for (const { path } of files) {
    const other = seen.get(key(path))
    if (other !== undefined)
      return `${JSON.stringify(other)} and ${JSON.stringify(path)} would be one file on some disks`
    seen.set(key(path), path)
  }
  for (const { path } of files) {
    const parts = key(path).split('/')
    for (let n = 1; n < parts.length; n++) {
      const other = seen.get(parts.slice(0, n).join('/'))
      if (other !== undefined)
        return `${JSON.stringify(other)} is both a file and the folder of ${JSON.stringify(path)}`
    }
  }
  return undefined
}
