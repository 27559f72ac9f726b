/** How much worse than the champion a metric may be. Pure; both the comparison and the pairing of rows ask here. */
import type { Gate } from '../../project/gate-config.ts'
import { marginOf } from './rules.ts'

export interface Allowance {
  /** In the unit of the metric; 0: no margin, the numbers themselves decide. */
  readonly value: number
  /** As configured: `0.01`, `2%`; empty without a margin. */
  readonly text: string
}

const NONE: Allowance = { value: 0, text: '' }

/**
 * Of several gates that ask for the comparison the one that allows least. A relative margin is a share of the size of
 * the champion's value: of 0 it leaves no room, and the challenger must not be worse.
 * @param champion its value of the metric
 */
export function allowanceOf(margins: readonly Gate['margin'][], metric: string, champion: number): Allowance {
  const each = margins.map((gate): Allowance => {
    const margin = marginOf(gate, metric)
    if (margin === undefined) return NONE
    if (margin.kind === 'absolute') return { value: margin.value, text: String(margin.value) }
    const percent = Number((100 * margin.value).toPrecision(12))
    return { value: margin.value * Math.abs(champion), text: `${percent}%` }
  })
  return each.reduce((least, next) => (next.value < least.value ? next : least), each[0] ?? NONE)
}
