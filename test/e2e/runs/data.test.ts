/** Data of runs through the built program: folders on their thread, snapshots, what is said of both. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { assertMatchesSchema, buildOnce, type TempProject, tempProject } from '../harness.ts'

describe('mlops track with data', () => {
  let project: TempProject
  before(() => buildOnce())
  beforeEach(async () => {
    project = tempProject({
      'mlops.yaml': 'models:\n  churn-model: {snapshot: true}\n',
      'imgs/a.png': 'a',
      'imgs/sub/b.png': 'bb',
      'rows.csv': 'x\n1\n',
    })
    await project.mlops(['init', '--yes', '--no-input'])
  })
  const data = ['--data', 'images=imgs', '--data', 'rows=rows.csv']
  const track = async (...words: string[]) => {
    const { json, stderr } = await project.mlops(['track', '--json', ...words, '--', 'true'])
    assertMatchesSchema('track', json)
    return { ...json.data, stderr }
  }
  const recorded = async () => (await project.mlops(['run', 'show', '@last', '--json'])).json.data.data

  it('keeps a list of the files of a folder, and with --snapshot the bytes', async () => {
    assert.equal((await track(...data)).snapshot, null)
    const [images, rows] = await recorded()
    assert.deepEqual([images.files, images.manifest.sha256, images.snapshot], [2, images.sha256, undefined])
    assert.equal(rows.rows, 1)
    assert.deepEqual((await track(...data, '--snapshot')).snapshot, { files: 3, bytes: 7, addedBytes: 7 })
    assert.deepEqual((await track(...data, '--snapshot', '--rehash')).snapshot, { files: 3, bytes: 7, addedBytes: 0 })
    assert.deepEqual(
      (await recorded()).map(({ snapshot }: { snapshot: unknown }) => snapshot),
      [true, true],
    )
    rmSync(project.path('rows.csv'))
    const kept = project.path(`.mlops/objects/sha256/${rows.sha256.slice(0, 2)}/${rows.sha256.slice(2)}`)
    assert.equal(readFileSync(kept, 'utf8'), 'x\n1\n')
  })

  it('does what mlops.yaml says of the model, unless it is told otherwise', async () => {
    assert.equal((await track(...data, '--model', 'churn-model')).snapshot?.files, 3)
    assert.equal((await track(...data, '--model', 'churn-model', '--no-snapshot')).snapshot, null)
  })

  it('says what a snapshot is, and of data that is not what DVC says', async () => {
    project.write('rows.csv.dvc', 'outs:\n- md5: 00000000000000000000000000000000\n  hash: md5\n  path: rows.csv\n')
    const { stderr } = await project.mlops(['track', ...data, '--snapshot', '--', 'true'])
    assert.match(stderr, /data rows: rows\.csv is not what rows\.csv\.dvc says/)
    assert.match(stderr, /snapshot {3}3 files, 7 B \(7 B new in the store\)/)
  })
})
