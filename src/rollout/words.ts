/** Figures in the sentences of a comparison, and the two confidences that all of them are judged with. */

import type { Finding } from './types.ts'

/** Of a breach, and of what is beyond chance better: on both sides. */
export const SURELY = 0.999
/** Of what holds: on both sides, so that one has 95 %. */
export const LIKELY = 0.9

export const count = (n: number): string => Math.round(n).toLocaleString('en-US')

/** `1.2 %` */
export function share(value: number): string {
  const percent = 100 * value
  if (percent === 0) return '0 %'
  const size = Math.abs(percent)
  return `${size >= 10 ? percent.toFixed(0) : size >= 0.1 ? percent.toFixed(1) : percent.toPrecision(1)} %`
}

/** `0.8 points`: a difference of two shares. */
export function points(value: number): string {
  const size = Number((100 * value).toPrecision(2))
  return `${size} point${size === 1 ? '' : 's'}`
}

export const ms = (value: number): string => `${value >= 100 ? value.toFixed(0) : Number(value.toPrecision(2))} ms`

/** All that is beyond its margin is that the answers are others: which of the two is right is not known. */
export const onlyDiffers = (findings: readonly Finding[]): boolean => {
  const breaches = findings.filter(({ verdict }) => verdict === 'breach')
  return breaches.length > 0 && breaches.every(({ what }) => what === 'predictions')
}

export const figure = (value: number): string => String(Number(value.toPrecision(3)))
