/** When there is colour, when there are Unicode symbols. */
import assert from 'node:assert/strict'
import { createStyle, wantsColor, wantsUnicode } from '../../../src/ui/style.ts'

describe('Colour', () => {
  it('is for terminals only', () => {
    assert.equal(wantsColor(true, {}, false), true)
    assert.equal(wantsColor(false, {}, false), false)
  })

  it('is switched off by --no-color, NO_COLOR and TERM=dumb, whatever else is said', () => {
    assert.equal(wantsColor(true, { FORCE_COLOR: '1' }, true), false)
    assert.equal(wantsColor(true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false), false)
    assert.equal(wantsColor(true, { TERM: 'dumb' }, false), false)
  })

  it('is not switched off by an empty NO_COLOR', () => {
    assert.equal(wantsColor(true, { NO_COLOR: '' }, false), true)
  })

  it('can be forced into a CI log', () => {
    assert.equal(wantsColor(false, { FORCE_COLOR: '1' }, false), true)
    assert.equal(wantsColor(true, { FORCE_COLOR: '0' }, false), false)
  })

  it('leaves no escape sequence behind when it is off', () => {
    const style = createStyle({ color: false, unicode: true })
    const all = [style.bold, style.dim, style.good, style.bad, style.warn, style.name, style.command, style.heading]
    assert.deepEqual(
      all.map((paint) => paint('x')),
      all.map(() => 'x'),
    )
    assert.ok(createStyle({ color: true, unicode: true }).bad('x').startsWith('\u001b[31mx'))
  })
})

describe('Symbols', () => {
  it('are ASCII unless the locale is UTF-8', () => {
    assert.equal(wantsUnicode({ LANG: 'en_US.UTF-8' }, 'linux'), true)
    assert.equal(wantsUnicode({ LANG: 'C.utf8' }, 'linux'), true)
    assert.equal(wantsUnicode({ LANG: 'C' }, 'linux'), false)
    assert.equal(wantsUnicode({}, 'linux'), false)
    assert.equal(wantsUnicode({ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, 'linux'), false)
    assert.equal(wantsUnicode({}, 'darwin'), true)
  })

  it('have an ASCII form for each', () => {
    const { symbols } = createStyle({ color: false, unicode: false })
    for (const symbol of Object.values(symbols)) assert.match(symbol, /^[\x20-\x7e]+$/)
  })
})
