/**
 * When a scheduled workflow begins. GitHub starts what is due at the full hour late, or not at all on a busy day, so each
 * model has a minute of its own, made from its name: the same on every machine, and not that of the other models.
 */
import { sha256 } from '../../core/digest.ts'

export const SCHEDULES = ['hourly', 'daily', 'weekly'] as const
export type Schedule = (typeof SCHEDULES)[number]

/** Not the quarters of an hour, which people choose. */
const MINUTES = Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => minute % 15 !== 0)
/** Before the working day in Europe, after the day in America. */
const HOURS = [2, 3, 4, 5]

/** @returns five fields of cron, UTC */
export function cronOf(model: string, schedule: Schedule): string {
  const digest = sha256(`schedule of ${model}`)
  const pick = (from: readonly number[], at: number): number =>
    from[Number.parseInt(digest.slice(at, at + 8), 16) % from.length] ?? 0
  const minute = pick(MINUTES, 0)
  if (schedule === 'hourly') return `${minute} * * * *`
  return `${minute} ${pick(HOURS, 8)} * * ${schedule === 'weekly' ? '1' : '*'}`
}
