/** Mini histograms of one line. */

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const ASCII = ['_', '.', ':', '-', '=', '+', '*', '#']

/**
 * One character per value, scaled to the largest; zero, negative and non-finite values are the lowest mark.
 * @param unicode block characters, else ASCII of the same length
 */
export function sparkline(values: readonly number[], unicode: boolean): string {
  const marks = unicode ? BLOCKS : ASCII
  const heights = values.map((value) => (Number.isFinite(value) && value > 0 ? value : 0))
  const most = heights.reduce((max, height) => Math.max(max, height), 0)
  return heights
    .map((height) => {
      if (most === 0 || height === 0) return marks[0]
      return marks[Math.max(1, Math.round((height / most) * (marks.length - 1)))]
    })
    .join('')
}
