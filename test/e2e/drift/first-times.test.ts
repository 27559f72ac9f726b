/** What `mlops drift` says to somebody who has not got there yet: what is the matter, and what to type next. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { type TempProject, tempProject } from '../harness.ts'
import { customersCsv, dayStart, log } from './logged.ts'

const M = 'm'
const date = (days: number): string => new Date(dayStart(days)).toISOString().slice(0, 10)

describe('mlops drift for the first time', function () {
  this.timeout(120_000)
  let project: TempProject

  const refused = async (words: readonly string[], code: number, expected: string, message: RegExp, hint: RegExp) => {
    const { error } = (await project.mlops(['drift', ...words, '--json'], { code })).json
    assert.equal(error?.code, expected)
    assert.match(error?.message ?? '', message)
    assert.match(error?.hint ?? '', hint)
  }
  const empty = async (words: readonly string[], summary: RegExp, next: RegExp) => {
    const { data } = (await project.mlops(['drift', ...words, '--json'], { code: 6 })).json
    assert.match(data.summary, summary)
    assert.match(data.next, next)
  }
  const register = (...words: string[]) => project.mlops(['register', M, '--artifact', 'model.bin', ...words])

  before(() => {
    project = tempProject({ 'train.csv': customersCsv(1_000, 3), 'june.csv': customersCsv(1_000, 4), 'model.bin': 'w' })
  })

  it('without a store', async () => {
    await refused([M, '--current', 'june.csv'], 4, 'STORE_NOT_FOUND', /There is no store at/, /mlops init/)
    project.write('mlops.yaml', 'models:\n  m: {}\n')
    await refused([M], 4, 'STORE_NOT_FOUND', /There is no store at/, /mlops init/)
  })

  it('without a model', async () => {
    await project.mlops(['init', '--yes'])
    await refused(
      [M],
      4,
      'MODEL_NOT_FOUND',
      /There is no model m/,
      /mlops register m .*--artifact FILE --baseline DATA/,
    )
    await refused(
      ['--all'],
      6,
      'STAGE_EMPTY',
      /No model has a version in production/,
      /mlops register MODEL --artifact/,
    )
  })

  it('of a version without a baseline', async () => {
    await register()
    const hint = /mlops drift m@1 --current june\.csv --against TRAINING\.csv; next time register with --baseline/
    await refused([M, '--current', 'june.csv'], 4, 'BASELINE_MISSING', /m@1 was registered without a baseline/, hint)
    log(project, { model: M, days: [1], rows: 5 })
    await refused([M], 4, 'BASELINE_MISSING', /m@1 was/, /mlops drift m@1 --against previous; next time/)
  })

  it('with nothing in production: the newest version is meant, and --all says so', async () => {
    await register('--baseline', 'train.csv')
    const { data } = (await project.mlops(['drift', M, '--current', 'june.csv', '--json'])).json
    assert.equal(data.version, 2)
    await refused([`${M}@production`, '--current', 'june.csv'], 4, 'STAGE_EMPTY', /No version of m/, /mlops status m/)
    const next = /mlops promote m --to production --approve NAME; or check its newest version: mlops drift m$/
    await refused(['--all'], 6, 'STAGE_EMPTY', /No model has a version/, next)
  })

  it('with a slip of the pen', async () => {
    await refused(['mm', '--current', 'june.csv'], 4, 'MODEL_NOT_FOUND', /no model mm/, /Did you mean m\?/)
    await refused([`${M}@7`], 4, 'VERSION_NOT_FOUND', /it has 1 to 2/, /mlops model history m/)
    await refused([M, '--current', 'jun.csv'], 4, 'DATA_NOT_FOUND', /no file jun\.csv/, /Did you mean june\.csv\?/)
    const by = [M, '--current', 'june.csv', '--by', 'regio']
    await refused(by, 4, 'SEGMENT_COLUMN_MISSING', /The baseline of m@2 has no column "regio"/, /--by region\?/)
    await refused([M, '--current', '/dev/null'], 2, 'DATA_NOT_A_FILE', /not a regular file/, /cat \/dev\/null \|/)
  })

  it('with a log of another version only, that of long ago, or only failures', async () => {
    await empty(
      [M],
      /^m@2 answered nothing in this window, @1 did: nothing can be said of m@2\.$/,
      /^mlops predictions stats m --since /,
    )
    const past = ['--since', date(9), '--until', date(8)]
    const range = new RegExp(`The predictions in the log are of ${date(1)} 00:00 to ${date(1)} \\d\\d:\\d\\d UTC`)
    await empty([M, ...past], range, /^mlops predictions stats m --window 30d$/)
    log(project, { model: M, version: 2, days: [12], rows: 5, errors: 1 })
    await empty([M, '--since', date(12), '--until', date(11)], /^All requests to m@2 failed in this window/, /^mlops /)
  })

  it('with an empty log, or none: says where it looked', async () => {
    await project.mlops(['register', 'other', '--artifact', 'model.bin', '--baseline', 'train.csv'])
    const where =
      /^Which rows shall be checked\? No data was named, and \.mlops\/predictions\/other holds no prediction of other\.$/
    const hint = /mlops drift other --current DATA; or log predictions/
    await refused(['other'], 2, 'CURRENT_MISSING', where, hint)
    mkdirSync(project.path('.mlops', 'predictions', 'other', `date=${date(1)}`), { recursive: true })
    project.write(`.mlops/predictions/other/date=${date(1)}/py-0123456789abcdef-0001.jsonl`, '')
    await refused(['other'], 2, 'CURRENT_MISSING', where, hint)
  })
})
