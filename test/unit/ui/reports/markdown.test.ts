/** The Markdown form of a check, and its escaping. */
import assert from 'node:assert/strict'
import { renderMarkdownReport } from '../../../../src/ui/reports/markdown.ts'
import { code, prose } from '../../../../src/ui/reports/markdown-escape.ts'
import { column, hostileCheck, wholeCheck, wideCheck } from './fixture.ts'

describe('A report as Markdown', () => {
  it('begins with the verdict, the sentence and the command', () => {
    const text = renderMarkdownReport(wholeCheck())
    assert.match(text, /^## ❌ Drift: `churn-model@3`\n\nDrift in 2 of 4 columns/)
    assert.match(text, /```sh\nmlops model show churn-model@3\n```/)
    assert.match(text, /\| ❌ \| `MonthlyCharges` \| drift \| 1\.169 \| 0\.1 \| 0\.011 \| median 70\.6 → 91\.5/)
    assert.match(text, /<details>\n<summary>1 stable of 4 columns<\/summary>\n\n\|/)
  })

  it('gives every row of a table as many cells as its head, whatever the names hold', () => {
    const tables = renderMarkdownReport(hostileCheck())
      .split('\n\n')
      .filter((block) => block.startsWith('| '))
    assert.ok(tables.length >= 5)
    for (const lines of tables.map((block) => block.split('\n'))) {
      const cells = (line: string): number => line.replaceAll('\\\\', '').replaceAll('\\|', '').split('|').length
      for (const line of lines) assert.equal(cells(line), cells(lines[0] ?? ''), line)
    }
  })

  it('escapes what would format, link, tell somebody or become HTML', () => {
    assert.equal(prose('a*b_c[d](e)<f>|`g`'), 'a\\*b\\_c\\[d\\](e)&lt;f&gt;\\|\\`g\\`')
    assert.equal(prose('ask @ada, see #12'), 'ask @&#8203;ada, see #&#8203;12')
    assert.equal(prose('churn-model@3'), 'churn-model@3')
    assert.equal(prose('# no heading'), '\\# no heading')
    assert.equal(prose('1. no list'), '1\\. no list')
    assert.equal(prose('a &lt; b & c'), 'a &amp;lt; b &amp; c')
    assert.equal(code('a`b'), '``a`b``')
    assert.equal(code('`a'), '`` `a ``')
    assert.equal(code('a|b'), '`a\\|b`')
  })

  it('keeps below the limit it is given, and says what it left out', () => {
    const wide = wideCheck(200)
    const whole = renderMarkdownReport(wide)
    assert.ok(Buffer.byteLength(whole) < 100_000)
    const short = renderMarkdownReport(wide, 8000)
    assert.ok(Buffer.byteLength(short) <= 8000)
    assert.match(short, /and 1\d\d columns more/)
    assert.match(renderMarkdownReport(wide, 80), /^- ❌ `churn-model@3`: drift\n$/)
    assert.equal(renderMarkdownReport(wide, 3), '')
  })

  it('stays below GitHub’s 1 MiB with 20,000 columns', () => {
    const columns = Array.from({ length: 20_000 }, (_, at) => column(`column_${at}`))
    assert.ok(Buffer.byteLength(renderMarkdownReport({ ...wholeCheck(), columns })) <= 1_000_000)
  })
})
