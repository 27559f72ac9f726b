/** `--report FILE`: the form follows the ending, the file is there whole or not at all. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertReportPaths, reportFor, writeReports } from '../../../../src/ui/reports/write.ts'
import { check, wholeCheck, wideCheck } from './fixture.ts'

describe('--report FILE', () => {
  let cwd: string
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'mlops-reports-'))
  })
  afterEach(() => rmSync(cwd, { recursive: true, force: true }))
  const place = (env: Record<string, string> = {}) => ({ cwd, env })
  const read = (file: string): string => readFileSync(join(cwd, file), 'utf8')

  it('writes the form that the ending asks for, in upper case too', async () => {
    const paths = ['a.html', 'a.md', 'a.xml', 'a.prom', 'a.json', 'B.HTML']
    assert.deepEqual(
      await writeReports(place(), paths, wholeCheck()),
      paths.map((path) => join(cwd, path)),
    )
    assert.match(read('a.html'), /^<!doctype html>/)
    assert.match(read('a.md'), /^## /)
    assert.match(read('a.xml'), /^<\?xml version="1\.0" encoding="UTF-8"\?>/)
    assert.match(read('a.prom'), /^# HELP mlops_drift_verdict /)
    assert.deepEqual(JSON.parse(read('a.json')), JSON.parse(JSON.stringify(wholeCheck())))
    assert.equal(read('B.HTML'), read('a.html'))
    assert.equal(reportFor('x.html', wholeCheck()), read('a.html'))
  })

  it('writes a fleet as a list', async () => {
    await writeReports(place(), ['fleet.json'], [check(), check({ model: 'fraud' })])
    assert.deepEqual(
      JSON.parse(read('fleet.json')).map(({ model }: { model: string }) => model),
      ['churn-model', 'fraud'],
    )
  })

  for (const path of ['drift.pdf', 'drift', '-', 'a.html.bak']) {
    it(`refuses ${path} before any work, naming the endings that it knows`, async () => {
      await assert.rejects(
        assertReportPaths(place(), [path]),
        (error: Error & { code: string; exit: string }) =>
          error.code === 'REPORT_FORM_UNKNOWN' && error.exit === 'usage',
      )
    })
  }

  it('names every ending in the refusal', async () => {
    await assert.rejects(assertReportPaths(place(), ['x.pdf']), /\.html, \.json, \.md, \.prom or \.xml/)
  })

  it('refuses a folder that is not there, and writes nothing of the others', async () => {
    await assert.rejects(
      writeReports(place(), ['a.html', 'gone/b.md'], check()),
      (error: Error & { code: string; hint: string }) =>
        error.code === 'REPORT_FOLDER_MISSING' && error.hint.includes('mkdir -p "gone"'),
    )
    assert.deepEqual(readdirSync(cwd), [])
  })

  it('replaces a file whole and leaves nothing else behind', async () => {
    writeFileSync(join(cwd, 'a.prom'), 'old')
    await writeReports(place(), ['a.prom'], check())
    assert.match(read('a.prom'), /mlops_drift_verdict/)
    assert.deepEqual(readdirSync(cwd), ['a.prom'])
  })

  it('says what is in the way, and leaves it as it was', async () => {
    mkdirSync(join(cwd, 'a.html'))
    await assert.rejects(writeReports(place(), ['a.html'], check()), /could not be written: it is a folder/)
    assert.deepEqual(readdirSync(cwd), ['a.html'])
  })

  it('a reader of the file never sees a part of it', async () => {
    const [small, large] = [reportFor('x.prom', check()), reportFor('x.prom', wideCheck(200))]
    await writeReports(place(), ['a.prom'], check())
    let reads = 0
    let isDone = false
    const reader = (async () => {
      while (!isDone) {
        const text = read('a.prom')
        assert.ok(text === small || text === large, `a part of ${text.length} characters`)
        reads += 1
        await new Promise(setImmediate)
      }
    })()
    for (let round = 0; round < 20; round++)
      await writeReports(place(), ['a.prom'], round % 2 ? check() : wideCheck(200))
    isDone = true
    await reader
    assert.ok(reads > 0)
  })

  it('appends Markdown to the step summary of GitHub, which has no ending', async () => {
    const summary = join(cwd, 'step_summary_1f2e')
    writeFileSync(summary, '# Before\n')
    const env = { GITHUB_STEP_SUMMARY: summary }
    await writeReports(place(env), [summary], check())
    assert.match(read('step_summary_1f2e'), /^# Before\n\n## ❌ Drift/)
    await assert.rejects(assertReportPaths(place(), [summary]), /names no form/)
  })

  it('stays below GitHub’s limit together with what is there already', async () => {
    const summary = join(cwd, 'summary')
    writeFileSync(summary, 'x'.repeat(1024 * 1024 - 5000))
    await writeReports(place({ GITHUB_STEP_SUMMARY: summary }), [summary], wideCheck(200))
    const text = read('summary')
    assert.ok(Buffer.byteLength(text) <= 1024 * 1024)
    assert.match(text, /## ❌ Drift/)
    assert.ok(existsSync(summary))
  })
})
