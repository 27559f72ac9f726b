/** A rollback to a version that does not fit today's data, where nobody can be asked: no, why, and how to insist. */
import assert from 'node:assert/strict'
import { tempProject } from '../harness.ts'

const rows = (season: (index: number) => number): string =>
  `rides,season\n${Array.from({ length: 400 }, (_, i) => `${(i * 7) % 100},${season(i)}`).join('\n')}\n`

describe('A rollback to what does not fit, without a terminal', () => {
  it('is answered with 3, moves nothing, and --yes goes back all the same', async () => {
    const project = tempProject({
      'mlops.yaml': 'models:\n  bike:\n    schema: {columns: {season: categorical}}\n',
      'train.csv': rows((i) => (i % 4) + 1),
      'today.csv': rows(() => 3),
      'one.bin': 'one',
      'two.bin': 'two',
    })
    await project.mlops(['init', '--yes', '--name', 'bike'])
    for (const [at, file] of ['one.bin', 'two.bin'].entries()) {
      await project.mlops(['register', 'bike', '--artifact', file, '--baseline', 'train.csv'])
      await project.mlops(['promote', `bike@${at + 1}`, '--to', 'production', '--approve', 'ada'])
    }
    const back = ['rollback', 'bike', '--current', 'today.csv', '--reason', 'odd scores']
    const { stderr, json } = await project.mlops([...back, '--json'], { code: 3 })
    assert.equal(stderr, '')
    assert.equal(json.error?.code, 'ROLLBACK_UNFIT')
    assert.equal(
      json.error?.message,
      `bike@2 stays in production: @1 does not fit today's data: 1 of 2 columns drifted on 400 rows (season: "3" 25 % -> 100 %); production now (@2): does not fit either: 1 of 2 columns drifted on 400 rows (season).`,
    )
    // A category that looks like a number stands in quotes: `season: 3 25 %` reads as one number.
    assert.match(json.error?.details.problems[0], /^season: "3" 25 % -> 100 %/)
    const hint = json.error?.hint ?? ''
    assert.match(hint, /mlops rollback bike --current today\.csv --reason 'odd scores' --yes$/)
    const status = await project.mlops(['status', '--json'])
    assert.equal(status.json.data.models[0].production.version, 2)
    const done = await project.mlops([...back, '--yes'])
    assert.match(done.stdout, /forward again: mlops promote bike@2 --to production --approve NAME/)
  })
})
