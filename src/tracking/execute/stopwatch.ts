/** How long something took, whatever is done to the clock meanwhile: NTP steps, people, virtual machines that wake up. */
import { uptime } from 'node:os'

/** Seconds by which the two may differ: the uptime is counted in hundredths, and a clock is slewed a little all the time. */
const SLACK = 1

/**
 * @param uptimeOf seconds since the boot, those the machine slept included
 * @returns seconds since this call, with the milliseconds of the clock as long as it runs on
 */
export function stopwatch(now: () => Date, uptimeOf: () => number = uptime): () => number {
  const [began, up] = [now().getTime(), uptimeOf()]
  return () => {
    const byClock = (now().getTime() - began) / 1000
    const byUptime = uptimeOf() - up
    const seconds = Math.abs(byClock - byUptime) > SLACK ? byUptime : byClock
    return Math.max(0, Math.round(seconds * 1000) / 1000)
  }
}
