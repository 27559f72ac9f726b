/** Times and sizes as people say them. The present comes in as an argument. */

const UNITS = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const

/** `3 days ago`, `in 2 hours`, `just now`; the input itself when it is no time. */
export function ago(time: string | Date, now: Date): string {
  const then = typeof time === 'string' ? Date.parse(time) : time.getTime()
  if (Number.isNaN(then)) return String(time)
  const seconds = (now.getTime() - then) / 1000
  for (const [unit, size] of UNITS) {
    const count = Math.floor(Math.abs(seconds) / size)
    if (count < 1) continue
    const words = `${count} ${unit}${count === 1 ? '' : 's'}`
    return seconds < 0 ? `in ${words}` : `${words} ago`
  }
  return 'just now'
}

/** `2026-11-21 09:14 UTC`; the input itself when it is no time. */
export function day(time: string): string {
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? time : `${new Date(parsed).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `2026-11-21 09:14 UTC to 2026-11-21 10:14 UTC`; with seconds where both are of one minute. */
export function span(since: string, until: string): string {
  const [from, to] = [day(since), day(until)]
  return from === to ? `${second(since)} to ${second(until)}` : `${from} to ${to}`
}

function second(time: string): string {
  const parsed = Date.parse(time)
  return Number.isNaN(parsed) ? time : `${new Date(parsed).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. @param seconds not negative */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds)
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** `812 B`, `1.5 kB`, `20 MB`: powers of 1000, as file managers show them. */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = size
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at += 1
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ${units[at]}`
}
