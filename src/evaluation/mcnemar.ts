/**
 * The difference of two accuracies on the same rows, without draws: McNemar's test (Psychometrika 12, 1947, 153) in its
 * exact, two-sided form. Of the rows that only one of the two answers right, each is one by chance like a coin falls.
 */
import { binomialAtLeast } from '../core/binomial.ts'
import type { HeldOut, SecondMethod } from './types.ts'

/** @param one rows that only the challenger answers right. @param other rows that only the champion answers right */
export function exactMcNemar(one: number, other: number): number {
  if (one === other) return 1
  return Math.min(1, 2 * binomialAtLeast(Math.max(one, other), one + other, 0.5))
}

export function mcNemarMethod(challenger: HeldOut, champion: HeldOut): SecondMethod {
  let [one, other] = [0, 0]
  for (let row = 0; row < challenger.rows; row++) {
    const isRight = challenger.answer[row] === challenger.truth[row]
    if (isRight === (champion.answer[row] === champion.truth[row])) continue
    if (isRight) one++
    else other++
  }
  return { method: 'McNemar', gain: (one - other) / challenger.rows, interval: null, p: exactMcNemar(one, other) }
}
