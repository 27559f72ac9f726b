/** Segments that `register` keeps with the baseline (`drift.by` of mlops.yaml): the built binary, real files. */
import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { assertMatchesSchema, type TempProject, tempProject } from '../harness.ts'
import { customersCsv, log, MODEL } from './logged.ts'

const config = (drift: string): string =>
  `models:\n  ${MODEL}:\n    schema: {target: churned, prediction: churn_probability}\n    drift: ${drift}\n`

/** Customers among whom those in the south are of another kind. */
function southShifted(count: number): string {
  const rows = (shifted: boolean) =>
    customersCsv(count, shifted ? 5 : 6, shifted)
      .trim()
      .split('\n')
  const [header = '', ...north] = rows(false)
  const south = rows(true).slice(1)
  const of = (lines: readonly string[], region: string) => lines.filter((line) => line.includes(`,${region},`))
  return `${[header, ...of(north, 'north'), ...of(south, 'south')].join('\n')}\n`
}

describe('drift.by of mlops.yaml', function () {
  this.timeout(120_000)
  let project: TempProject

  const register = async (words: readonly string[] = [], input?: string) => {
    const asked = ['register', MODEL, '--artifact', 'model.bin', ...words, '--json']
    return (await project.mlops(asked, input === undefined ? {} : { input })).json
  }
  const drift = async (words: readonly string[], code = 0) =>
    (await project.mlops(['drift', ...words, '--json'], { code })).json
  const object = (sha256: string) => project.path('.mlops', 'objects', 'sha256', sha256.slice(0, 2), sha256.slice(2))

  before(async () => {
    project = tempProject({
      'mlops.yaml': config('{by: region}'),
      'train.csv': customersCsv(4_000, 11),
      'june.csv': southShifted(2_000),
      'model.bin': 'weights',
    })
    await project.mlops(['init', '--yes'])
  })

  it('keeps the counts of each value with the version, also of standard input', async () => {
    const json = await register(['--baseline', '-'], project.read('train.csv'))
    const { by, values, size } = json.data.baseline.segments
    assert.deepEqual([by, values], ['region', 2])
    assert.ok(size > 0)
    assertMatchesSchema('register', json)
    const shown = await project.mlops(['model', 'show', `${MODEL}@1`, '--json'])
    assert.equal(shown.json.data.baseline.segments.by, 'region')
    assertMatchesSchema('model show', shown.json)
    assert.equal((await register(['--baseline', 'train.csv'])).data.created, false, 'the same content')
    const text = await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    assert.match(text.stdout, /baseline .*by region \(2 values\)/)
  })

  it('looks at them where the training data are gone, as if they were there', async () => {
    const asked = [MODEL, '--current', 'june.csv']
    const counted = (await drift([...asked, '--by', 'region', '--against', 'train.csv'], 3)).data.segments
    rmSync(project.path('train.csv'))
    const json = await drift(asked, 3)
    assertMatchesSchema('drift', json)
    assert.deepEqual(json.data.segments, counted)
    assert.deepEqual(
      json.data.segments.results.map(({ value, verdict }: { value: string; verdict: string }) => [value, verdict]),
      [
        ['south', 'drift'],
        ['north', 'stable'],
      ],
    )
    const typed = await drift([...asked, '--by', 'region'], 3)
    assert.equal(typed.data.key, json.data.key, 'typed or configured, it is the same check')
    assert.equal(typed.data.alreadyChecked, json.data.time)
  })

  it('holds for a window of the log', async () => {
    log(project, { days: [2, 1] })
    const { data } = await drift([MODEL, '--window', '4d'])
    assert.deepEqual(data.segments.results.map(({ value }: { value: string }) => value).sort(), ['north', 'south'])
  })

  it('says of another column which are kept, and how to keep it', async () => {
    const { error } = await drift([MODEL, '--current', 'june.csv', '--by', 'plan'], 2)
    assert.equal(error?.code, 'SEGMENT_ROWS_MISSING')
    assert.match(error?.message ?? '', /keeps counts of whole columns and by region/)
    assert.match(error?.hint ?? '', /drift: \{by: plan\} in mlops\.yaml/)
  })

  it('compares with those of the version that is named', async () => {
    project.write('shifted.csv', southShifted(4_000))
    const json = await register(['--baseline', 'shifted.csv', '--metric', 'auc=0.9'])
    assert.equal(json.data.version, 2)
    const { data } = await drift([`${MODEL}@1`, '--current', 'june.csv', '--against', '@2'])
    assert.equal(data.reference.name, `baseline of ${MODEL}@2`)
    assert.ok(data.segments.results.every(({ verdict }: { verdict: string }) => verdict === 'stable'))
  })

  it('does not lose the check of the whole where it cannot look', async () => {
    project.write('mlops.yaml', config('{by: country}'))
    const json = await register(['--baseline', 'shifted.csv'])
    assert.equal(json.data.baseline.segments, undefined)
    assert.ok(json.data.baseline.notes.some((note: string) => /^no segments by country \(drift\.by/.test(note)))
    const version = `${MODEL}@${json.data.version}`
    const { data } = await drift([version, '--current', 'june.csv'])
    assert.deepEqual([data.verdict, data.segments], ['stable', undefined])
    assert.ok(data.notes.some((note: string) => /^not looked at by country \(drift\.by of mlops\.yaml\)/.test(note)))
    assert.equal(
      (await drift([version, '--current', 'june.csv', '--by', 'country'], 4)).error?.code,
      'SEGMENT_COLUMN_MISSING',
    )
  })

  it('store verify misses them, and names the version', async () => {
    project.write('mlops.yaml', config('{by: region}'))
    assert.equal((await project.mlops(['store', 'verify', '--json'])).json.data.damages.length, 0)
    const shown = await project.mlops(['model', 'show', `${MODEL}@1`, '--json'])
    const { sha256 } = shown.json.data.baseline.segments
    chmodSync(object(sha256), 0o644)
    writeFileSync(object(sha256), '{}')
    const changed = await project.mlops(['store', 'verify', '--json'], { code: 1 })
    assert.match(JSON.stringify(changed.json), new RegExp(`${MODEL}@1: baseline segments`))
    assert.match((await drift([`${MODEL}@1`, '--current', 'june.csv'], 1)).error?.code ?? '', /^OBJECT_/)
    rmSync(object(sha256))
    const lost = await project.mlops(['store', 'verify', '--json'], { code: 1 })
    assert.match(JSON.stringify(lost.json), /the object is gone/)
  })
})
