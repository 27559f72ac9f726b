/**
 * Heartbeats of claims where several clones share a store. A heartbeat is the modification time of a local file and
 * does not travel: pushing one every few seconds would bury the history. So a clone that sees another's newest claim
 * takes its holder for alive for a time that is longer than any job is meant to take.
 */
import type { Backend, Stat } from './backend.ts'
import { numbered, numberOf } from './layout.ts'
import { openSealed } from './sealed.ts'

/** Milliseconds; also the longest that a job on a hosted runner may take. */
export const HOLDER_LIFETIME = 6 * 3600_000
/** Milliseconds by which a holder's own heartbeat may be older than its newest claim. */
const BEAT_SLACK = 60_000

/** @param key of a heartbeat, `models/<model>/<scope>/alive` */
export async function claimStat(local: Backend, key: string): Promise<Stat | undefined> {
  const beat = await local.stat(key)
  const folder = key.slice(0, key.lastIndexOf('/'))
  // Sending an alert takes less than the time after which its claim is old by itself.
  if (!folder.includes('/jobs/')) return beat
  const number = (await local.list(folder)).reduce((max, { name }) => Math.max(max, numberOf(name) ?? 0), 0)
  if (number === 0) return beat
  const newest = `${folder}/${numbered(number)}`
  const arrived = (await local.stat(newest))?.modified ?? 0
  if (beat !== undefined && beat.modified > arrived - BEAT_SLACK) return beat
  const bytes = await local.get(newest)
  const record = bytes && (openSealed(bytes)?.record as { time?: unknown } | undefined)
  const claimed = typeof record?.time === 'string' ? Date.parse(record.time) : Number.NaN
  return Number.isNaN(claimed) ? beat : { kind: 'file', size: 0, modified: claimed + HOLDER_LIFETIME }
}
