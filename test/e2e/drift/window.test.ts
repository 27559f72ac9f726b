/** `mlops drift` over a window of the prediction log: the built binary, a real log, real files. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { assertMatchesSchema, type TempProject } from '../harness.ts'
import { customersCsv, dayStart, log, loggedProject, MODEL } from './logged.ts'

const date = (days: number): string => new Date(dayStart(days)).toISOString().slice(0, 10)
const range = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('mlops drift over the prediction log', function () {
  this.timeout(120_000)
  let project: TempProject
  before(async () => {
    project = await loggedProject()
    log(project, { days: range(12, 0) })
  })

  const drift = (words: readonly string[], code = 0) => project.mlops(['drift', MODEL, ...words], { code })
  const json = async (words: readonly string[], code = 0) => (await drift([...words, '--json'], code)).json

  it('looks at seven days when nothing is said, and says what it looked at', async () => {
    const { data } = await json([])
    assert.equal(data.verdict, 'stable')
    const length = Date.parse(data.window.until) - Date.parse(data.window.since)
    assert.equal(length, 7 * 864e5)
    assert.match(data.current.source, /^prediction log, /)
    assert.ok(data.current.rows > 2_500, `${data.current.rows} rows`)
    assert.deepEqual(
      data.health.findings.map(({ what, verdict }: { what: string; verdict: string }) => [what, verdict]).slice(0, 2),
      [
        ['errors', 'ok'],
        ['latency', 'ok'],
      ],
    )
    assertMatchesSchema('drift', await json([]))
  })

  it('cuts by event time: whole UTC days, until itself being no part', async () => {
    const { data } = await json(['--since', date(4), '--until', date(2)])
    assert.equal(data.current.rows, 800)
    assert.deepEqual(data.window, { since: `${date(4)}T00:00:00.000Z`, until: `${date(2)}T00:00:00.000Z` })
    assert.equal((await json(['--until', date(2), '--window', '1d'])).data.current.rows, 400)
  })

  it('says of a window that was checked that it was, and stores it once', async () => {
    const words = ['--since', date(6), '--until', date(5)]
    const first = (await json(words)).data
    const second = (await json(words)).data
    assert.equal(first.alreadyChecked, null)
    assert.equal(second.alreadyChecked, first.time)
    assert.equal(second.key, first.key)
    assert.match((await drift(words)).stdout, /already checked/)
    const running = ['--since', date(2), '--until', date(-1)]
    await json(running)
    const again = (await json(running)).data
    assert.notEqual(again.alreadyChecked, null, 'also while the window is not over')
    const other = (await json([...words, '--threshold', '0.2'])).data
    assert.equal(other.alreadyChecked, null, 'another configuration is another check')
  })

  it('compares with the window of the same length directly before', async () => {
    const { data } = await json(['--since', date(4), '--until', date(2), '--against', 'previous'])
    assert.equal(data.reference.rows, 800)
    assert.equal(data.reference.name, `the window before (${date(6)} to ${date(4)})`)
    assert.equal(data.verdict, 'stable')
    const { error } = await json(['--since', date(20), '--until', date(15), '--against', 'previous'], 6)
    assert.equal(error?.code, 'WINDOW_EMPTY')
  })

  it('counts only the rows that the checked version answered, and says how many it left out', async () => {
    log(project, { days: [3], version: 2, rows: 50, shifted: true, batch: 'bb' })
    const { data } = await json(['--since', date(3), '--until', date(2)])
    assert.deepEqual([data.current.rows, data.leftOut, data.verdict], [400, 50, 'stable'])
    assert.ok(data.notes.some((note: string) => /50 rows of the window were answered by @2 and left out/.test(note)))
  })

  it('looks at each value of a column by itself, against the same value before', async () => {
    const { stdout } = await drift(['--since', date(4), '--until', date(2), '--against', 'train.csv', '--by', 'region'])
    assert.match(stdout, /REGION\s+VERDICT/)
    assert.match(stdout, /north\s+stable/)
    const { data } = await json(['--since', date(4), '--until', date(2), '--against', 'previous', '--by', 'plan'])
    assert.deepEqual(data.segments.results.map(({ value }: { value: string }) => value).sort(), [
      'basic',
      'plus',
      'pro',
    ])
    const { error } = await json(['--by', 'region'], 2)
    assert.equal(error?.code, 'SEGMENT_ROWS_MISSING')
    assert.match(error?.hint ?? '', /--against TRAINING.csv/)
  })

  it('orders columns by importances from a file', async () => {
    project.write('weights.csv', 'region,0.9\nplan,0.1\ntenur,0.1\n')
    const { data } = await json(['--since', date(4), '--until', date(2), '--importances', 'weights.csv'])
    const columns = data.columns.map(({ column }: { column: string }) => column)
    assert.ok(columns.indexOf('region') < columns.indexOf('plan'))
    assert.ok(data.notes.some((note: string) => /did you mean "tenure"/.test(note)))
    assert.equal((await json(['--importances', 'nowhere.csv'], 4)).error?.code, 'IMPORTANCES_NOT_FOUND')
  })

  it('refuses what makes no sense before any work', async () => {
    const cases: readonly (readonly [words: string[], code: string])[] = [
      [['--window', '7d', '--current', 'train.csv'], 'WINDOW_OF_DATA'],
      [['--every', '1d', '--current', 'train.csv'], 'EVERY_WITHOUT_LOG'],
      [['--every', 'daily'], 'WINDOW_INVALID'],
      [['--since', 'last week'], 'WINDOW_INVALID'],
      [['--alert'], 'CHANNELS_MISSING'],
      [['--report', 'drift.pdf'], 'REPORT_FORM_UNKNOWN'],
      [['--stage', 'staging'], 'FLAGS_EXCLUSIVE'],
      [['--query', 'SELECT 1'], 'FLAGS_EXCLUSIVE'],
      [['--all'], 'FLAGS_EXCLUSIVE'],
    ]
    for (const [words, code] of cases) {
      const { error } = await json(words, 2)
      assert.equal(error?.code, code, words.join(' '))
      assert.ok(error?.hint, `${code} names nothing to type next`)
    }
  })

  it('names both ways to a model without a log', async () => {
    await project.mlops(['register', 'other', '--artifact', 'model.bin', '--baseline', 'train.csv'])
    const { error } = (await project.mlops(['drift', 'other', '--json'], { code: 2 })).json
    assert.equal(error?.code, 'CURRENT_MISSING')
    assert.match(error?.hint ?? '', /--current DATA.*watch\(X\)/)
  })

  it('shows the trend of the periods and exits by any that drifted', async () => {
    log(project, { days: [1], rows: 400, shifted: true, batch: 'a' })
    const { data } = await json(['--since', date(4), '--until', date(0), '--every', '1d'], 3)
    assert.deepEqual(
      data.periods.map(({ verdict }: { verdict: string }) => verdict),
      ['stable', 'stable', 'stable', 'drift'],
    )
    assert.deepEqual(data.periods.at(-1).drifted.slice().sort(), ['churn_probability', 'tenure'])
    assert.equal(data.window.since, `${date(1)}T00:00:00.000Z`, 'the check is that of the newest period')
    const { stdout } = await drift(['--since', date(4), '--until', date(0), '--every', '1d'], 3)
    assert.match(stdout, /FROM \(UTC\)\s+ROWS\s+VERDICT/)
    assert.match(stdout, /effect .+ {3}rows /)
    await drift(['--since', date(4), '--until', date(0), '--every', '1d', '--fail-on', 'never'])
    assertMatchesSchema('drift', await json(['--since', date(4), '--until', date(0), '--every', '1d'], 3))
  })

  it('writes every form of report', async () => {
    mkdirSync(project.path('out'), { recursive: true })
    const files = ['out/d.html', 'out/d.md', 'out/d.json', 'out/d.xml', 'out/d.prom']
    const { stdout } = await drift(
      ['--since', date(1), '--until', date(0), ...files.flatMap((f) => ['--report', f])],
      3,
    )
    for (const file of files) assert.ok(project.read(file).length > 100, file)
    assert.match(stdout, /Report: .*out\/d\.html/)
  })

  it('answers quietly, and about data from standard input', async () => {
    const quiet = await drift(['--since', date(1), '--until', date(0), '--quiet'], 3)
    assert.match(quiet.stdout, /^✖ drift|^x drift/)
    assert.ok(!quiet.stdout.includes('Next:'))
    const csv = customersCsv(1_000, 99)
    const { data } = (await project.mlops(['drift', MODEL, '--current', '-', '--json'], { input: csv })).json
    assert.deepEqual([data.verdict, data.current.rows], ['stable', 1_000])
  })
})
