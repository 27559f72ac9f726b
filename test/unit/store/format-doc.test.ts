/** docs/store-format.md names tests for its invariants; they must exist. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const TEST = fileURLToPath(new URL('../../', import.meta.url))
const DOC = fileURLToPath(new URL('../../../docs/store-format.md', import.meta.url))

describe('docs/store-format.md', () => {
  it('links every invariant to tests that exist', () => {
    const titles = ['unit/store', 'unit/store/trash', 'unit/tracking', 'crash']
      .flatMap((folder) => readdirSync(join(TEST, folder)).map((file) => join(TEST, folder, file)))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
    const invariants = readFileSync(DOC, 'utf8').split('## 5. Invariants')[1]?.split('## 6.')[0] ?? ''
    const named = [...invariants.matchAll(/\*"([^"]+)"\*/g)].map((match) => match[1] ?? '')
    assert.ok(named.length >= 15)
    for (const title of named) {
      // What follows ": " or stands for N is filled in by a loop.
      const fixed = title.replace(/^… /, '').split(/: (?:…|store|run)| N /)[0] ?? ''
      assert.ok(titles.includes(fixed), `no test is called "${title}"`)
    }
    const numbers = [...invariants.matchAll(/^(\d+)\. /gm)].map((match) => Number(match[1]))
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    )
  })
})
