/** The HTML form of a check as text; what a browser makes of it is tested in test/e2e/reports/. */
import assert from 'node:assert/strict'
import { renderHtmlReport } from '../../../../src/ui/reports/html.ts'
import { check, column, hostileCheck, stable, wholeCheck, wideCheck } from './fixture.ts'

describe('A report as HTML', () => {
  it('says the verdict, what to do, and what was compared', () => {
    const text = renderHtmlReport(wholeCheck())
    for (const expected of [
      '<title>Drift: churn-model@3</title>',
      'Drift in 2 of 4 columns',
      'mlops model show churn-model@3',
      'Mend the broken columns',
      'Look at the service: errors out of bounds.',
      'baseline of churn-model@3',
      'sha256:c1c57a7723deea5789c603adb04e5c6c2ffcf289d214e87dbe662c408cb429b2',
      '2026-11-14 00:00 to 2026-11-21 00:00 UTC',
      'needs about 340 rows, has 100',
      'Month-to-month',
      '812 of 2,500 predictions have a label',
    ]) {
      assert.ok(text.includes(expected), expected)
    }
  })

  it('takes less than 500 kB for 200 columns, whether 20 or all of them drift', () => {
    for (const drifted of [20, 200]) {
      const size = Buffer.byteLength(renderHtmlReport(wideCheck(drifted)))
      assert.ok(size < 500_000, `${drifted} in drift: ${size} bytes`)
    }
  })

  it('names every column, also where many drift', () => {
    const text = renderHtmlReport(wideCheck(200))
    for (const at of [0, 39, 40, 199]) {
      assert.ok(text.includes(`customer_feature_number_${String(at).padStart(3, '0')}<`), String(at))
    }
  })

  it('lets no name become markup, run, reorder text or push the page apart', () => {
    const text = renderHtmlReport(hostileCheck())
    assert.doesNotMatch(text, /<script/i)
    assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u)
    assert.ok(!text.includes('x'.repeat(400)), 'a name of 100,000 letters is cut')
    assert.ok(Buffer.byteLength(text) < 120_000)
  })

  it('forbids scripts and everything from elsewhere', () => {
    const text = renderHtmlReport(check())
    assert.match(text, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:/)
    assert.doesNotMatch(text, /https?:|@import|<script|\son\w+=/i)
  })

  it('closes what it opens', () => {
    for (const each of [check(), wholeCheck(), hostileCheck(), check({ columns: [] })]) {
      const tags = [...renderHtmlReport(each).matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)]
      const open: string[] = []
      for (const [whole, end, name = '', self] of tags) {
        if (['meta', 'link', 'br'].includes(name) || self === '/') continue
        if (end !== '/') open.push(name)
        else assert.equal(open.pop(), name, whole)
      }
      assert.deepEqual(open, [])
    }
  })

  it('shows a fleet on one page with an index', () => {
    const text = renderHtmlReport([wholeCheck(), check({ model: 'fraud', verdict: 'stable', columns: [stable('a')] })])
    assert.ok(text.includes('Drift in 1 of 2 checks'))
    assert.ok(text.includes('href="#m2-top"') && text.includes('id="m2-top"'))
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    assert.equal(new Set(ids).size, ids.length, 'each anchor once')
  })

  it('has a target for each of its anchors', () => {
    const text = renderHtmlReport(check({ columns: [...check().columns, { ...stable('p'), role: 'prediction' }] }))
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.has(id), `#${id}`)
  })

  it('tells the nulls from a category that is called missing', () => {
    const groups = [
      { label: 'missing', kind: 'category', before: 0.5, after: 0.2 },
      { label: 'basic', kind: 'category', before: 0.3, after: 0.1 },
      { label: 'missing', kind: 'missing', before: 0.1, after: 0.4 },
      { label: 'new categories', kind: 'new', before: 0.1, after: 0.3 },
    ] as const
    const text = renderHtmlReport(check({ columns: [column('plan', { groups })] }))
    const rows = [...text.matchAll(/<th scope="row" class="(n[^"]*)">([^<]*)</g)].map(([, kind, name]) => [kind, name])
    assert.deepEqual(rows.slice(0, 4), [
      ['n', 'missing'],
      ['n', 'basic'],
      ['n x', '(missing)'],
      ['n x', '(new categories)'],
    ])
  })

  it('is the same text for the same check', () => {
    assert.equal(renderHtmlReport(wholeCheck()), renderHtmlReport(wholeCheck()))
  })
})
