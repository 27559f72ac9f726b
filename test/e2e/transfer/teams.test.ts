/** Two teams, two stores, the built program: a version goes from one to the other, and is watched and promoted there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { treeOf } from '../../unit/transfer/archives.ts'
import { churnProject } from '../cli/fixture/churn.ts'
import { assertMatchesSchema, type TempProject, tempProject } from '../harness.ts'

const M = 'churn-model'

describe('A version that goes to another team', function () {
  this.timeout(120_000)
  let ours: TempProject
  let theirs: TempProject
  before(async () => {
    ours = await churnProject()
    theirs = tempProject()
    await theirs.mlops(['init', '--yes'])
  })

  it('is one file, the same every time', async () => {
    const { json } = await ours.mlops(['model', 'export', `${M}@1`, '--json'])
    assertMatchesSchema('model export', json)
    assert.equal(json.data.archive.file, `${M}@1.tar`)
    await ours.mlops(['model', 'export', `${M}@1`, '--output', 'again.tar'])
    assert.ok(readFileSync(ours.path(`${M}@1.tar`)).equals(readFileSync(ours.path('again.tar'))))
    const { stderr } = await ours.mlops(['model', 'export', `${M}@1`], { code: 2 })
    assert.match(stderr, /exists already; nothing is overwritten/)
  })

  it('is looked at before anything is written', async () => {
    const tree = treeOf(theirs.path('.mlops'))
    const { stdout } = await theirs.mlops(['model', 'import', ours.path('again.tar'), '--dry-run'])
    assert.match(stdout, /is sound, and would be the next version of churn-model; nothing was written/)
    assert.equal(treeOf(theirs.path('.mlops')), tree)
  })

  it('arrives with its origin, in no stage', async () => {
    const { stdout } = await theirs.mlops(['model', 'import', ours.path('again.tar')])
    assert.match(stdout, /again\.tar is churn-model@1 now; no stage was moved/)
    assert.match(stdout, /It says it was churn-model@1 in store [0-9a-f]{12}, registered by /)
    const show = await theirs.mlops(['model', 'show', `${M}@1`])
    assert.match(show.stdout, /imported\s+churn-model@1 of store [0-9a-f]{12}, registered there .* by /)
    const history = await theirs.mlops(['model', 'history', M])
    assert.match(history.stdout, /import\s+churn-model@1/)
    const again = await theirs.mlops(['model', 'import', ours.path('again.tar')])
    assert.match(again.stdout, /is churn-model@1 already; nothing was registered/)
  })

  it('is compared with the baseline it brought', async () => {
    const home = await ours.run(['drift', `${M}@1`, '--current', 'june.csv', '--json'])
    const { code, json } = await theirs.run(['drift', `${M}@1`, '--current', ours.path('june.csv'), '--json'])
    assert.equal(code, home.code)
    assert.equal(json.data.verdict, 'drift')
    assert.deepEqual(json.data.columns, home.json.data.columns)
    // The same version, rows and question are the same check, in every store.
    assert.equal(json.data.key, home.json.data.key)
  })

  it('is promoted through the gates there', async () => {
    await theirs.mlops(['promote', `${M}@1`, '--to', 'production', '--approve', 'eve'])
    const { json } = await theirs.mlops(['model', 'list', '--json'])
    assert.equal(json.data.models[0].stages.production.version, 1)
    const verify = await theirs.mlops(['store', 'verify', '--json'])
    assert.deepEqual([verify.json.data.ok, verify.json.data.warnings], [true, []])
  })

  it('gets tags, which are listed, and no event for what is so already', async () => {
    const tag = (...words: string[]) => theirs.mlops(['model', 'tag', `${M}@1`, ...words, '--json'])
    const { json } = await tag('--add', 'gold', '--add', 'for emea')
    assertMatchesSchema('model tag', json)
    assert.deepEqual(json.data.tags, ['gold', 'for emea'])
    const again = await tag('--add', 'gold')
    assert.deepEqual([again.json.data.event, again.json.data.added], [null, []])
    const off = await tag('--remove', 'gold', '--remove', 'never there')
    assert.deepEqual([off.json.data.tags, off.json.data.removed], [['for emea'], ['gold']])
    assert.match((await theirs.mlops(['model', 'list'])).stdout, /TAGS[\s\S]*@1 for emea/)
    assert.match((await theirs.mlops(['model', 'show', `${M}@1`])).stdout, /tags\s+for emea/)
    assert.equal((await theirs.mlops(['model', 'tag', M])).stdout, 'churn-model@1: for emea\n')
    for (const words of [
      ['--add', 'a', '--remove', 'a'],
      ['--add', ''],
      ['--add', 'x'.repeat(200)],
    ]) {
      const { json: refused } = await theirs.mlops(['model', 'tag', `${M}@1`, ...words, '--json'], { code: 2 })
      assert.ok(refused.error?.hint)
    }
    await theirs.mlops(['model', 'tag', `${M}@9`, '--add', 'x'], { code: 4 })
  })
})
