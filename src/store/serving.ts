/**
 * What running services say that they serve: `models/<name>/serving/<instance>.json` (docs/store-format.md, section 4).
 * Hints, never the truth: they may be stale, torn or forged, and nothing is decided by them but what to tell a person.
 */
import type { Digest } from '../core/digest.ts'
import { isDigest } from '../core/digest.ts'
import type { Backend } from './backend.ts'
import { servingFolder } from './layout.ts'

export interface ServingHint {
  readonly instance: string
  readonly model: string
  readonly stage: string
  /** The stage as the service last read it; null before it could. */
  readonly wanted: { readonly version: number; readonly manifest: Digest; readonly seq: number } | null
  /** What answers requests; null while nothing does. */
  readonly serving: { readonly version: number; readonly manifest: Digest } | null
  readonly rollout: {
    readonly version: number
    readonly manifest: Digest
    readonly seq: number
    /** Percent of its traffic. */
    readonly weight: number
  } | null
  readonly state: 'starting' | 'serving' | 'keeping' | 'draining'
  /** Why another version answers than the stage wants. */
  readonly why: string | null
  readonly host: string
  readonly pid: number
  readonly started: string
  /** When it said so. RFC 3339, UTC. */
  readonly time: string
  /** Set by the reader: it has missed three of its beats, so that it is gone or hangs. */
  readonly silent?: boolean
}

/** Milliseconds after which a service that says nothing more is not there any more. */
export const HINT_LIFETIME = 30_000
/** After which it counts as running no more: three of the beats that are due every 5 s. */
const SILENT_AFTER = 15_000

/** Who serves `model` now, by instance. Unreadable and stale hints are left out. */
export async function readServing(backend: Backend, model: string, now: Date): Promise<ServingHint[]> {
  const folder = servingFolder(model)
  const names = (await backend.list(folder)).filter(({ name, kind }) => kind === 'file' && FILE.test(name))
  const files = await backend.getMany(names.map(({ name }) => `${folder}/${name}`))
  return files.flatMap((bytes) => {
    const hint = parseHint(bytes)
    if (hint === undefined || hint.model !== model || !isFresh(hint, now)) return []
    return [{ ...hint, silent: now.getTime() - Date.parse(hint.time) > SILENT_AFTER }]
  })
}

const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.json$/
const STATES = ['starting', 'serving', 'keeping', 'draining']

const isFresh = ({ time }: ServingHint, now: Date): boolean => {
  const age = now.getTime() - Date.parse(time)
  // A service on a host whose clock is ahead is alive all the same.
  return age <= HINT_LIFETIME && age > -HINT_LIFETIME * 20
}

/** @returns undefined for what is no hint: torn, from a newer format, or not ours */
function parseHint(bytes: Buffer | undefined): ServingHint | undefined {
  if (bytes === undefined || bytes.length > MAX_BYTES) return undefined
  let found: unknown
  try {
    found = JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
  if (!isObject(found) || found.v !== 1 || !STATES.includes(String(found.state))) return undefined
  const { instance, model, stage, host, pid, started, time, why = null } = found
  const texts = [instance, model, stage, host, started, time]
  if (texts.some((text) => typeof text !== 'string') || typeof pid !== 'number') return undefined
  if (why !== null && typeof why !== 'string') return undefined
  const { wanted = null, serving = null, rollout = null } = found
  if (!isVersion(wanted, 'seq') || !isVersion(serving) || !isVersion(rollout, 'seq', 'weight')) return undefined
  return { ...found, why, wanted, serving, rollout } as unknown as ServingHint
}

const MAX_BYTES = 16 << 10

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isVersion = (value: unknown, ...numbers: string[]): boolean =>
  value === null ||
  (isObject(value) &&
    isDigest(value.manifest) &&
    ['version', ...numbers].every((key) => typeof value[key] === 'number' && Number.isFinite(value[key])))
