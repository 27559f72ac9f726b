/** What pip is asked in one command, told by an interpreter that writes down how it was called. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { pipOf } from '../../../src/doctor/pip.ts'

/** Its index has everything for Python 3.11 but what is called lost, and nothing for another Python. */
const PYTHON = `#!/bin/sh
PATH=/usr/bin:/bin
echo "$*" >> "$CALLS"
case "$*" in *sys.version_info*) echo 3.11; exit 0 ;; esac
for list; do :; done
case "$*" in *--python-version*) lost=$(head -1 "$list") ;; *) lost=$(grep '^lost' "$list" | head -1) ;; esac
[ -z "$lost" ] || { echo "ERROR: No matching distribution found for $lost" >&2; exit 1; }
`

describe('The environments that the doctor asks pip about', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-pip-'))
    writeFileSync(join(folder, 'python3'), PYTHON)
    chmodSync(join(folder, 'python3'), 0o755)
    writeFileSync(join(folder, 'calls'), '')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const pip = () => pipOf({ cwd: folder, env: { PATH: folder, CALLS: join(folder, 'calls') } } as unknown as Context)
  const calls = (what: RegExp): number =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .split('\n')
      .filter((line) => what.test(line)).length

  it('share one look for an interpreter and one for the index', async () => {
    const asked = pip()
    const answers = await Promise.all([
      asked.installable(['numpy==2', 'lost==1', 'lost-too==2'], '3.11.2'),
      asked.installable(['pandas==2', 'lost==3'], '3.11.9'),
      asked.installable(['pandas==2'], '3.11.9'),
    ])
    assert.deepEqual(answers, [
      { kind: 'missing', packages: ['lost==1', 'lost-too==2'] },
      { kind: 'missing', packages: ['lost==3'] },
      { kind: 'installs' },
    ])
    assert.equal(calls(/version_info/), 1)
    // Three questions of the first, two of the second, one of the third, and one for the index.
    assert.equal(calls(/pip install/), 7)
  })

  it('ask for another Python by its number, and take an index without that one for no answer', async () => {
    assert.deepEqual(await pip().installable(['numpy==2'], '3.9.1'), {
      kind: 'unknown',
      why: 'the package index cannot be reached',
    })
    assert.equal(calls(/--python-version 3\.9 --only-binary :all:/), 2)
  })

  it('name a package once that pip names in another way than the list does', async () => {
    assert.deepEqual(await pip().installable(['lost==1 ; python_version > "3"', 'numpy==2'], '3.11.2'), {
      kind: 'missing',
      packages: ['lost==1'],
    })
  })

  it('are not known where no Python has pip', async () => {
    rmSync(join(folder, 'python3'))
    assert.deepEqual(await pip().installable(['numpy==2'], '3.11.2'), {
      kind: 'unknown',
      why: 'there is no Python with pip here to ask',
    })
  })
})
