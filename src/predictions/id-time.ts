/** When an id was made, where it says so: only where to look first, never a reason not to look elsewhere. Pure. */
import { isUlid, ulidTime } from '../core/ulid.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
const DATE = /^(\d{4}-\d{2}-\d{2})(?!\d)/
/** Nothing was logged before, or is from the day after tomorrow: digits that only look like a time. */
const EARLIEST = Date.UTC(2015, 0, 1)
const LATER = 2 * 864e5

/** @returns milliseconds since 1970; undefined for an id that holds no time */
export function idTime(id: string, now: Date): number | undefined {
  const time = readTime(id)
  return time !== undefined && time >= EARLIEST && time <= now.getTime() + LATER ? time : undefined
}

function readTime(id: string): number | undefined {
  if (isUlid(id.toUpperCase())) return ulidTime(id.toUpperCase())
  if (UUID.test(id)) return Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  const date = DATE.exec(id)?.[1]
  const time = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`)
  return Number.isNaN(time) ? undefined : time
}
