/** What is generated from the code and committed is as the code is now. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildOnce, ROOT } from '../../e2e/harness.ts'

const check = (script: string): string => {
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, script), '--check'], { encoding: 'utf8' })
  return stdout + stderr
}

describe('Generated files', () => {
  it('docs/schemas/ matches what the commands declare', () => {
    assert.equal(check('.ci/schemas.js'), '')
  })

  it('docs/commands/ matches the commands', () => {
    buildOnce()
    assert.equal(check('.ci/docs-commands.js'), '')
  })
})
