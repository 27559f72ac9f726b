/** Lines drawn in a terminal. */
import assert from 'node:assert/strict'
import { chartMark, lineChart, miniChart } from '../../../src/ui/chart.ts'
import { displayWidth } from '../../../src/ui/clean.ts'

const line = (values: readonly (number | string)[]) => values.map((value, x) => ({ x, value }))
const falling = line([4, 3, 2, 1, 0])

describe('A line in the terminal', () => {
  it('has the greatest value at the top, the least at the bottom, and the steps below', () => {
    const lines = lineChart([{ points: falling }], { width: 40, height: 5, unicode: false, xTitle: 'step' })
    assert.equal(lines.length, 7)
    assert.match(lines[0] ?? '', /^4 \+\*/)
    assert.match(lines[4] ?? '', /^0 \+ +\*+$/)
    assert.match(lines[6] ?? '', /^ {3}0 +step +4$/)
  })

  it('fits 80 and 200 columns, in Braille and in ASCII', () => {
    const noisy = line(Array.from({ length: 1000 }, (_, n) => Math.sin(n / 30) * 123456.789))
    for (const width of [30, 80, 200]) {
      for (const unicode of [true, false]) {
        const lines = lineChart([{ points: noisy }], { width, unicode, xTitle: 'step' })
        for (const each of lines) assert.ok(displayWidth(each) <= width, `${displayWidth(each)} columns: ${each}`)
        assert.ok(Math.max(...lines.map(displayWidth)) > width - 5)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII alone is what is asked for
        if (!unicode) assert.match(lines.join('\n'), /^[\x00-\x7f]*$/)
      }
    }
  })

  it('leaves a gap where a value is not finite', () => {
    const points = line([1, 1, 'NaN', 'Infinity', 1, 1])
    const middle = lineChart([{ points }], { width: 30, height: 3, unicode: false })[1] ?? ''
    assert.match(middle, /\*+ {3,}\*+$/)
    assert.equal(miniChart(line([1, 'NaN', 2]), 10, true), '▁ █')
  })

  it('of nothing finite is none, and of one value a dot', () => {
    assert.deepEqual(lineChart([{ points: line(['NaN', '-Infinity']) }], { width: 80, unicode: true }), [])
    assert.deepEqual(lineChart([], { width: 80, unicode: true }), [])
    assert.equal(miniChart(line(['NaN']), 10, true), '')
    const dots = lineChart([{ points: line([7]) }], { width: 40, height: 3, unicode: false }).join('')
    assert.equal(dots.split('*').length - 1, 1)
  })

  it('labels the axis so that values that are close can be told apart, and the largest doubles are no infinity', () => {
    const close = lineChart([{ points: line([0.912345, 0.912346]) }], { width: 60, height: 5, unicode: true })
    const labels = close.map((each) => each.split('┤')[0]?.trim()).filter((each) => each !== undefined && each !== '')
    assert.equal(new Set(labels).size, labels.length)
    const huge = lineChart([{ points: line([-1.7e308, 1.7e308]) }], { width: 60, height: 5, unicode: true }).join('\n')
    assert.doesNotMatch(huge, /Infinity|NaN/)
  })

  it('tells several series apart by colour, or by marks where there is none', () => {
    const two = [{ points: falling }, { points: line([0, 1, 2, 3, 4]) }]
    const plain = lineChart(two, { width: 40, unicode: true }).join('\n')
    assert.ok(plain.includes(chartMark(0)) && plain.includes(chartMark(1)))
    const paint = (text: string, series: number): string => `<${series}>${text}</>`
    const coloured = lineChart(two, { width: 40, unicode: true, paint }).join('\n')
    assert.ok(coloured.includes('<0>') && coloured.includes('<1>'))
    assert.ok(!coloured.includes('*'))
  })
})
