/** The summary of a run lists what was skipped and why: a test that skips says its reason through test/support/skip.ts. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const TESTS = dirname(import.meta.dirname)
const SILENT = /\bthis\.skip\(|\b(?:it|describe|context)\.skip\(|\bx(?:it|describe)\(/

describe('A test that is skipped', () => {
  it('says why, in every file', () => {
    const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && join(TESTS, file) !== import.meta.filename)
      .filter((file) => SILENT.test(readFileSync(join(TESTS, file), 'utf8')))
    assert.deepEqual(files, [], 'use skipBecause(this, reason)')
  })

  it('is found by the rule above when it does not', () => {
    for (const line of ['this.skip()', "it.skip('x')", "describe.skip('x')", "xit('x')"]) assert.match(line, SILENT)
    assert.doesNotMatch("skipBecause(this, 'no tmux')", SILENT)
  })
})
