/** The check of a window in which the version answered nothing: no row is read, and what the log has instead is said. */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { sha256 } from '../core/digest.ts'
import { versionName } from '../core/names.ts'
import { compareCounted, type PreparedCheck } from '../drift/check.ts'
import type { CheckResult } from '../drift/types.ts'
import type { LogStats, PredictionLog, TimeWindow } from '../predictions/types.ts'
import { isoWindow } from '../predictions/window.ts'

/** @param stats of the window, of all versions */
export async function emptyWindow(
  ctx: Context,
  prepared: PreparedCheck,
  log: PredictionLog,
  window: TimeWindow,
  stats: LogStats,
): Promise<CheckResult> {
  const { profile } = prepared.reference
  const { model } = prepared.state
  const { version } = prepared.version
  const data = { source: log.home, sha256: sha256(canonicalJson({ ...isoWindow(window) })), rows: 0, columns: 0 }
  const nothing = { profile: { ...profile, rows: 0, absent: [], extra: [] }, data, notes: [] }
  const summary = await summaryOf(versionName(model, version), version, log, stats)
  return { ...compareCounted(ctx, prepared, nothing), summary }
}

async function summaryOf(name: string, version: number, log: PredictionLog, { versions }: LogStats): Promise<string> {
  const own = versions.find((each) => each.version === version)
  if (own !== undefined && own.records > 0) {
    return `All requests to ${name} failed in this window: there is no answer to compare.`
  }
  const others = versions.filter(({ records }) => records > 0).map((each) => nameOf(each.version))
  if (others.length > 0) {
    return `${name} answered nothing in this window, ${others.join(' and ')} did: nothing can be said of ${name}.`
  }
  const [oldest, newest] = [await log.oldest(), await log.newest()]
  const said = `${name} answered nothing in this window: nothing can be said.`
  return oldest === null || newest === null
    ? said
    : `${said} The predictions in the log are of ${minute(oldest)} to ${minute(newest)} UTC.`
}

/** A record without a version is of version 0. */
const nameOf = (version: number): string => (version === 0 ? 'an unknown version' : `@${version}`)

const minute = (time: string): string => time.slice(0, 16).replace('T', ' ')
