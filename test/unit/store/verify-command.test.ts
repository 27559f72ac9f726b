/** `mlops store verify` as a script and a person meet it: exit code, envelope, the damaged file by name. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../../../src/core/digest.ts'
import { objectKey } from '../../../src/store/layout.ts'
import { promote, register, temporaryFolder, temporaryStore } from './support.ts'

const DEV = fileURLToPath(new URL('../../../bin/dev.js', import.meta.url))

function verify(
  root: string,
  ...flags: string[]
): { readonly code: number | null; readonly out: string; readonly err: string } {
  const args = [DEV, 'store', 'verify', '--store', root, ...flags]
  const done = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    cwd: dirname(root),
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

describe('mlops store verify', () => {
  it('exits 0 on a whole store, and 1 on a damaged one with the file and the version in production it hurts', async () => {
    const store = await temporaryStore()
    await register(store, 'a model')
    await promote(store, 1)
    const whole = verify(store.root)
    assert.equal(whole.code, 0, whole.err)
    assert.match(whole.out, /The store is whole\.\nRead \d+ files/)

    const file = objectKey(sha256('a model'))
    chmodSync(join(store.root, file), 0o644)
    writeFileSync(join(store.root, file), 'a modem')
    const damaged = verify(store.root)
    assert.equal(damaged.code, 1)
    assert.ok(damaged.out.includes(file), damaged.out)
    assert.match(damaged.out, /1 file damaged/)
    assert.match(damaged.out, /affects churn-model@1 \(production\): file model\.bin/)

    const { code, out, err } = verify(store.root, '--json')
    const envelope = JSON.parse(out)
    assert.deepEqual([code, err, envelope.status, envelope.data.ok], [1, '', 'ok', false])
    assert.equal(envelope.data.damages[0].file, file)
  })

  it('exits 4 where there is no store', () => {
    const { code, out, err } = verify(join(temporaryFolder(), 'none'))
    assert.deepEqual([code, out], [4, ''])
    assert.match(err, /There is no store at/)
  })
})
