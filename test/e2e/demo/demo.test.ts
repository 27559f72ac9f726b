/**
 * `npm run demo` ends well, and what the README shows is what it prints: every transcript of the README must stand in
 * the demo's output, line by line. Run ids, times, durations, digests and sizes of model files differ from run to run.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../harness.ts'

describe('the demo', function () {
  this.timeout(240_000)
  let folder: string
  let printed: string

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-demo-test-'))
    const file = join(folder, 'printed.txt')
    const fd = openSync(file, 'w')
    // TMPDIR: the project that the demo leaves for its visitor goes away with the test.
    const env = { ...process.env, TMPDIR: folder }
    const demo = spawn(process.execPath, ['.ci/demo.js'], { cwd: ROOT, env, stdio: ['ignore', fd, fd] })
    const code = await new Promise((resolve) => demo.once('close', resolve))
    closeSync(fd)
    printed = readFileSync(file, 'utf8')
    assert.equal(code, 0, printed)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('plays to its end and says how to go on', () => {
    assert.match(printed, /Yours to explore[\s\S]*mlops status/)
  })

  it('prints what the README shows', () => {
    const lines = normalised(printed)
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const transcripts = [...readme.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
    assert.ok(transcripts.length >= 4, 'the README has its transcripts')
    for (const transcript of transcripts) {
      for (const piece of transcript.split(/^(?=\$ )/m)) {
        const wanted = normalised(piece).join('\n').trim()
        assert.ok(lines.join('\n').includes(wanted), `the demo does not print this piece of the README:\n${wanted}`)
      }
    }
  })
})

function normalised(text: string): string[] {
  return text.split('\n').map((line) =>
    line
      .replace(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, 'RUN')
      .replace(/\b[0-9a-f]{12}\b/g, 'DIGEST')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d(?: UTC)?/g, 'TIME')
      .replace(/\d{4}-\d\d-\d\d/g, 'DAY')
      .replace(/p95 latency: [\d.,]+ ms/g, 'p95 latency: TIME')
      .replace(/^Report: .*\/(?=[^/]+$)/, 'Report: FOLDER/')
      .replace(/finished in [\d.]+ (?:ms|s)/g, 'finished in TIME')
      .replace(/followed within [\d.]+ s/g, 'followed within TIME')
      .replace(/(127\.0\.0\.1:|--port )\d+/g, '$1PORT')
      .replace(/\/\S*\/churn\//g, 'FOLDER/')
      .replace(/\(prediction \S+\)/, '(prediction ID)')
      .replace(/^(✔ (?:code|data|environment|compare) .*) [\d.]+ s$/, '$1 TIME')
      .replace(/(RUN finished) [\d.]+ s$/, '$1 TIME')
      .replace(/\d+ kB/g, 'SIZE')
      .trimEnd(),
  )
}
