/** Canonical JSON against the examples printed in RFC 8785 and the store's rule for numbers JSON cannot hold. */
import assert from 'node:assert/strict'
import { canonicalBytes, canonicalJson, readNumber } from '../../../src/core/canonical-json.ts'

describe('canonical JSON', () => {
  it('prints the example of RFC 8785 section 3.2.3 byte for byte', () => {
    const input = {
      numbers: [JSON.parse('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\u002f',
      literals: [null, true, false],
    }
    assert.equal(
      canonicalJson(input),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('sorts keys by UTF-16 code units, as RFC 8785 section 3.2.3 shows', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((k) => [k, 0])))))
    // Object.keys puts integer-like keys first, so compare positions in the text instead.
    const text = canonicalJson(Object.fromEntries(keys.map((k) => [k, 0])))
    assert.equal(text, '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\ud83d\ude00":0,"\ufb33":0}')
    assert.equal(sorted.length, 7)
  })

  it('writes numbers that JSON cannot hold as strings and reads them back', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 2 ** 53, -(2 ** 60)]) {
      const written: unknown = JSON.parse(canonicalJson(value))
      assert.equal(typeof written, 'string', `${value}`)
      assert.ok(Object.is(readNumber(written), value), `${value} came back as ${readNumber(written)}`)
    }
    assert.equal(canonicalJson(2 ** 53 - 1), '9007199254740991')
    assert.equal(canonicalJson(12345678901234567890n), '"12345678901234567890"')
  })

  it('leaves out undefined members and keeps null ones', () => {
    assert.equal(canonicalJson({ b: undefined, a: null }), '{"a":null}')
  })

  it('refuses what has no JSON form instead of dropping it', () => {
    assert.throws(() => canonicalJson('\ud800'), TypeError)
    assert.throws(() => canonicalJson(() => 1), TypeError)
  })

  it('ends every file with one newline', () => {
    assert.equal(canonicalBytes({}).toString(), '{}\n')
  })

  it('does not take ordinary text for a number', () => {
    for (const text of ['', '1', 'nan', '1e5', '12', ' NaN']) assert.equal(readNumber(text), undefined, text)
  })
})
