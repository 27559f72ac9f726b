/** What the checks of a trend have in common, and which are not among them, in words. Plain text. */
import type { Otherness, Series, SeriesOthers } from '../../../drift/series.ts'
import { plural } from '../words.ts'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

/** `7d`, `12h`: as it is typed. */
function lengthText(milliseconds: number): string {
  const rounded = Math.round(milliseconds / 60_000) * 60_000
  const [unit, size] = UNITS.find(([, size]) => rounded % size === 0) ?? ['m', 60_000]
  return `${Math.max(1, rounded / size)}${unit}`
}

/** `windows of 7d of the prediction log, against the baseline of churn-model@3` */
export const seriesText = ({ window, reference }: Series): string =>
  `${window === null ? 'data that were named' : `windows of ${lengthText(window)} of the prediction log`}, against ${reference.startsWith('baseline') ? 'the ' : ''}${reference}`

const WHY: Readonly<Record<Otherness, string>> = {
  'not over': 'of periods that are not over',
  version: 'of other versions',
  data: 'of data of another kind',
  window: 'of other windows',
  reference: 'against other references',
}

/** `3 checks of other windows, 1 check of other versions` */
export const othersText = (others: readonly SeriesOthers[]): string =>
  others.map(({ why, checks }) => `${plural(checks, 'check')} ${WHY[why]}`).join(', ')

/** The newest that is over: a period that still runs says nothing of the whole. @param checks oldest first */
export const newestOver = <Each extends { readonly running: boolean }>(checks: readonly Each[]): Each | undefined =>
  checks.findLast(({ running }) => !running) ?? checks.at(-1)
