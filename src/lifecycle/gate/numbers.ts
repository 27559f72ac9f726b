/** How figures are written in a gate's table. */

/** Five significant digits: what was computed has more than anybody reads. Recorded values are shown as recorded. */
export const figure = (value: number): string => String(Number(value.toPrecision(5)))

/** Three, for what is itself uncertain. */
export const roughly = (value: number): string => String(Number(value.toPrecision(3)))

export const signed = (value: number): string => (value > 0 ? `+${roughly(value)}` : roughly(value))

/** `1,409 rows`, in every language the same. */
export const rowsText = (rows: number): string => `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`

/** `4.1%`; never 0% or 100% when it is not. @param share from 0 to 1 */
export function percent(share: number): string {
  const text = Number((100 * share).toPrecision(3))
  if (share > 0 && text < 0.01) return 'below 0.01%'
  if (share < 1 && text >= 100) return 'above 99.9%'
  return `${text}%`
}

/** `95 % from -0.002 to 0.024` */
export const intervalText = ({
  low,
  high,
  confidence,
}: {
  readonly low: number
  readonly high: number
  readonly confidence: number
}): string => `${roughly(100 * confidence)} % from ${roughly(low)} to ${roughly(high)}`
