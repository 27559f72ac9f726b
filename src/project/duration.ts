/** Durations as they are written in configuration and flags: `45s`, `30m`, `24h`, `7d`, `2w`. */

/** Milliseconds. A day is 24 hours: days are UTC. */
export const MINUTE = 6e4
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const WEEK = 7 * DAY

export const DURATION = /^([1-9]\d{0,5})(s|m|h|d|w)$/
const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: MINUTE, h: HOUR, d: DAY, w: WEEK }

/** @returns milliseconds, or undefined for what is not a duration */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}

/** A length of time for a person: `3 days`, `5 hours`, `1 minute`; rounded down, at least one second. */
export function describeDuration(milliseconds: number): string {
  const units = [
    [DAY, 'day'],
    [HOUR, 'hour'],
    [MINUTE, 'minute'],
  ] as const
  const [size, name] = units.find(([unit]) => milliseconds >= unit) ?? ([1e3, 'second'] as const)
  const count = Math.max(1, Math.floor(milliseconds / size))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
