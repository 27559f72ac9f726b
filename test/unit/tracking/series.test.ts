/** The history of each metric of a run. */
import assert from 'node:assert/strict'
import type { MetricLine } from '../../../src/store/run-records.ts'
import { collectSeries, type MetricSeries } from '../../../src/tracking/records/series.ts'
import { Column } from '../../../src/tracking/records/series-column.ts'

const BEGIN = Date.UTC(2026, 10, 21, 9)
const at = (milliseconds: number): string => new Date(BEGIN + milliseconds).toISOString()
const line = (n: number, value: number | string, more: Partial<MetricLine> = {}): MetricLine => ({
  t: at(n),
  key: 'loss',
  value,
  ...more,
})

function only(lines: readonly (readonly MetricLine[])[], points?: number): MetricSeries {
  const collected = collectSeries()
  for (const batch of lines) collected.take(batch)
  const [series, ...others] = collected.series(points)
  assert.ok(series !== undefined && others.length === 0)
  return series
}
const xs = ({ points }: MetricSeries) => points.map(({ x }) => x)
const values = ({ points }: MetricSeries) => points.map(({ value }) => value)

describe('The history of a metric', () => {
  it('is in order of steps, however they were logged; values of one step stay in order of time', () => {
    const series = only([
      [line(0, 5, { step: 5 }), line(1, 1, { step: 1 }), line(2, 15, { step: 5 }), line(3, 3, { step: 3 })],
    ])
    assert.deepEqual(
      [xs(series), values(series)],
      [
        [1, 3, 5, 5],
        [1, 3, 5, 15],
      ],
    )
    assert.deepEqual([series.first, series.last, series.min, series.max], [5, 3, 1, 15])
    assert.equal(series.hasSteps, true)
  })

  it('counts values where one of them has no step', () => {
    const series = only([[line(0, 7, { step: 100 }), line(1, 8), line(2, 9, { step: 300 })]])
    assert.deepEqual([xs(series), values(series), series.hasSteps], [[0, 1, 2], [7, 8, 9], false])
  })

  it('of several writers is merged by time', () => {
    const even = [line(0, 0), line(2, 2), line(4, 4)]
    const odd = [line(1, 1), line(3, 3), line(5, 5)]
    const series = only([odd, even])
    assert.deepEqual(values(series), [0, 1, 2, 3, 4, 5])
    assert.deepEqual([series.first, series.last], [0, 5])
  })

  it('keeps what is not finite, and counts it; integers beyond doubles are numbers', () => {
    const series = only([
      [line(0, 'NaN'), line(1, 2), line(2, 'Infinity'), line(3, '-Infinity'), line(4, '9007199254740993')],
    ])
    assert.deepEqual(values(series), ['NaN', 2, 'Infinity', '-Infinity', 9007199254740992])
    assert.deepEqual([series.count, series.nonFinite, series.min, series.max], [5, 3, 2, 9007199254740992])
    assert.deepEqual([series.first, series.last], ['NaN', 9007199254740992])
    const none = only([[line(0, 'NaN'), line(1, 'NaN')]])
    assert.deepEqual([none.min, none.max, none.nonFinite], [null, null, 2])
  })

  it('thinned keeps its ends and every extreme of a stretch', () => {
    const many = Array.from({ length: 100_000 }, (_, n) =>
      line(n, n === 77_777 ? 1000 : Math.sin(n / 5000), { step: n }),
    )
    const series = only([many], 400)
    assert.ok(series.points.length <= 400 && series.points.length > 300, String(series.points.length))
    assert.deepEqual([xs(series)[0], xs(series).at(-1)], [0, 99_999])
    assert.ok(
      series.points.some(({ x, value }) => x === 77_777 && value === 1000),
      'the one that stands out',
    )
    for (const [n, x] of xs(series).entries()) assert.ok(n === 0 || x > (xs(series)[n - 1] ?? 0))
    assert.equal(series.count, 100_000)
  })

  it('that was logged and printed at once is what was logged; one stated at the end hides no history', () => {
    const both = [1, 2, 3].flatMap((n) => [line(n, n + 0.123), line(n, n, { from: 'printed' })])
    assert.deepEqual(values(only([both])), [1.123, 2.123, 3.123])
    const stated = [line(1, 1, { from: 'printed' }), line(2, 2, { from: 'printed' }), line(3, 2.5, { from: 'file' })]
    assert.deepEqual(values(only([stated])), [1, 2])
  })

  it('reads times of lines as Date.parse does', () => {
    const times = [0, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000].map((n) => line(n, n))
    assert.deepEqual(
      values(only([times.toReversed()])),
      times.map(({ value }) => value),
    )
    const odd = [
      { ...line(0, 2), t: '2026-11-21T09:00:02Z' },
      { ...line(0, 1), t: '2026-11-21T09:00:01.5Z' },
    ]
    assert.deepEqual(values(only([odd])), [1, 2])
  })

  it('leaves out lines that hold no value', () => {
    const foreign = [
      { t: at(0), key: 'loss', value: null },
      { t: at(0), key: 3, value: 1 },
      { t: at(0), key: 'loss', value: 'high' },
    ]
    assert.deepEqual(values(only([[line(1, 1), ...(foreign as unknown as MetricLine[])]])), [1])
  })

  it('of five million values is thinned on the way, without a bias to its end', () => {
    const column = new Column()
    const count = 5_000_000
    for (let n = 0; n < count; n++) column.push(n % 1000 === 0 ? n : 0.5, BEGIN + n, undefined)
    const points = column.thinned(200)
    assert.ok(points.length <= 200)
    assert.equal(column.count, count)
    assert.deepEqual([points[0]?.x, points[0]?.value], [0, 0])
    for (const { x, value } of points) {
      if (value > 1) assert.ok(Math.abs(x - value) < count / 1000, `${value} stands at ${x}`)
    }
  })
})
