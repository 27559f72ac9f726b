/** `mlops drift calibrate` as a user sees it: real rows, real periods of a log, mlops.yaml with comments, a terminal. */
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { assertMatchesSchema, ROOT, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux } from '../terminal.ts'
import { customersCsv, log, loggedProject, MODEL } from './logged.ts'

const DATA = join(ROOT, '../shared/data')
const CONFIG = `# Whoever changes this: ask ada first
models:
  bike:     # hourly
    risk: low

    drift:
      window: 14d   # two weeks are a window
      columns:
        hum: { threshold: 0.2 }  # wet autumn
    schema:
      columns: {instant: id, dteday: ignore, season: ignore, mnth: ignore, yr: ignore}
  # the end
`

describe('mlops drift calibrate', function () {
  this.timeout(120_000)

  describe('on a year and a half of real bicycle rides', () => {
    let project: TempProject
    const calibrate = ['drift', 'calibrate', 'bike@1', '--data', 'bike-sharing-hourly.csv', '--rows', '336']

    before(async function () {
      const file = join(DATA, 'bike-sharing-hourly.csv')
      if (!existsSync(file)) skipBecause(this, 'the real data sets are not here')
      project = tempProject({ 'mlops.yaml': CONFIG, 'model.bin': 'weights' })
      copyFileSync(file, project.path('bike-sharing-hourly.csv'))
      chmodSync(project.path('bike-sharing-hourly.csv'), 0o644)
      await project.mlops(['init', '--yes'])
      await project.mlops(['register', 'bike', '--artifact', 'model.bin', '--baseline', 'bike-sharing-hourly.csv'])
    })

    it('shows the season as alarms, names what always differs and writes nothing by itself', async () => {
      const before = project.read('mlops.yaml')
      const { json } = await project.mlops([...calibrate, '--json'])
      assertMatchesSchema('drift calibrate', json)
      const { data } = json
      assert.deepEqual([data.chunks.length, data.alarms.events, data.data.isOwn], [51, 51, true])
      const always = data.columns.filter((column: { always: boolean }) => column.always)
      assert.ok(always.some(({ column }: { column: string }) => column === 'temp'))
      assert.equal(data.change.written, false)
      assert.equal(project.read('mlops.yaml'), before)
      assert.match(data.next, /^mlops drift calibrate bike@1 .* --write$/)
      const { stdout } = await project.mlops(calibrate)
      assert.match(stdout, /51 of 51 checks would have fired: 100 %/)
      assert.match(stdout, /hum: \{ threshold: 0\.2 \}/)
    })

    it('shows with --shuffle that sampling alone fires hardly ever', async () => {
      const { json } = await project.mlops([...calibrate, '--shuffle', '--json'])
      assert.ok(json.data.alarms.events <= 5, JSON.stringify(json.data.alarms))
      assert.equal(json.data.proposal.isChanged, json.data.alarms.events > 2)
      const again = await project.mlops([...calibrate, '--shuffle', '--json'])
      assert.deepEqual(again.json.data.columns, json.data.columns)
      const other = await project.mlops([...calibrate, '--shuffle', '--seed', '2', '--json'])
      assert.notDeepEqual(other.json.data.columns, json.data.columns)
    })

    it('writes thresholds that keep every comment, are used by checks and are proposed once', async () => {
      chmodSync(project.path('mlops.yaml'), 0o640)
      const { json } = await project.mlops([...calibrate, '--write', '--json'])
      assert.equal(json.data.change.written, true)
      const text = project.read('mlops.yaml')
      for (const kept of CONFIG.split('\n').filter((line) => !line.includes('hum:')))
        assert.ok(text.includes(kept), kept)
      assert.match(text, /hum: \{ threshold: [\d.]+ \} {2}# wet autumn/)
      assert.equal(statSync(project.path('mlops.yaml')).mode & 0o777, 0o640)
      const wanted = json.data.proposal.columns as Record<string, number>
      const check = await project.mlops(['drift', 'bike@1', '--current', 'bike-sharing-hourly.csv', '--json'])
      for (const { column, threshold } of check.json.data.columns) {
        if (column in wanted) assert.equal(threshold, wanted[column])
      }
      const second = await project.mlops([...calibrate, '--write', '--json'])
      assert.deepEqual([second.json.data.proposal.isChanged, second.json.data.change.lines], [false, []])
      assert.ok(second.json.data.alarms.events <= 2)
      assert.equal(project.read('mlops.yaml'), text)
    })
  })

  it('finds the training data of the run, notices when they changed, and says what is missing', async () => {
    const script = "require('node:fs').writeFileSync('model.bin', 'w')"
    const project = tempProject({
      'mlops.yaml': 'models: {}\n',
      'train.csv': customersCsv(4_000, 3),
      'train.js': script,
    })
    await project.mlops(['init', '--yes'])
    const track = ['track', '--data', 'train=train.csv', '--artifact', 'model.bin', '--', process.execPath, 'train.js']
    await project.mlops(track)
    await project.mlops(['register', MODEL, '--run', '@last'])
    const { json } = await project.mlops(['drift', 'calibrate', `${MODEL}@1`, '--json'])
    assert.equal(json.data.data.kind, 'training data')
    assert.equal(json.data.data.isOwn, true)
    assert.match(json.data.data.rowsFrom, /^assumed/)
    assert.ok(json.data.alarms.events <= 3)
    const few = await project.mlops(['drift', 'calibrate', `${MODEL}@1`, '--rows', '500', '--json'], { code: 6 })
    assertMatchesSchema('drift calibrate', few.json)
    assert.deepEqual(
      [few.json.data.proposal, few.json.data.needed],
      [null, { chunks: 19, rows: 9_500, chunkRows: null }],
    )
    assert.equal(few.json.data.next, 'mlops drift calibrate churn-model@1 --rows 210')
    const told = await project.mlops(['drift', 'calibrate', `${MODEL}@1`, '--rows', '500'], { code: 6 })
    assert.match(told.stdout, /at least 19 are needed/)
    await project.mlops(['drift', `${MODEL}@1`, '--current', 'train.csv'])
    const checked = await project.mlops(['drift', 'calibrate', `${MODEL}@1`, '--json'], { code: 6 })
    assert.match(checked.json.data.data.rowsFrom, /last check/)
    project.write('train.csv', customersCsv(4_000, 4))
    const changed = await project.mlops(['drift', 'calibrate', `${MODEL}@1`, '--rows', '100', '--json'], { code: 2 })
    assert.equal(changed.json.error?.code, 'CALIBRATION_DATA_MISSING')
    assert.match(changed.json.error?.message ?? '', /train\.csv has changed since/)
  })

  it('gives no all-clear on chunks too small to say anything, and says how large they have to be', async () => {
    const project = tempProject({ 'mlops.yaml': 'models: {}\n', 'model.bin': 'w', 'train.csv': customersCsv(4_000, 3) })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    const words = ['drift', 'calibrate', `${MODEL}@1`, '--data', 'train.csv']
    const small = ['--rows', '15', '--chunks', '40']
    const { json } = await project.mlops([...words, ...small, '--json'], { code: 6 })
    assertMatchesSchema('drift calibrate', json)
    const { inconclusive, alarms, proposal, needed, next } = json.data
    assert.ok(inconclusive > 20, `${inconclusive}`)
    assert.deepEqual([alarms.of, proposal], [40 - inconclusive, null])
    assert.ok(needed.chunkRows > 15 && needed.chunkRows * 19 === needed.rows)
    assert.match(next, new RegExp(`--rows ${needed.chunkRows}$`))
    const { stdout } = await project.mlops([...words, ...small], { code: 6 })
    assert.match(stdout, new RegExp(`Chunks of at least ${needed.chunkRows} rows are needed`))
    assert.doesNotMatch(stdout, /✔|can stay/)
    const larger = await project.mlops([...words, '--rows', String(needed.chunkRows), '--json'], { code: 0 })
    assert.ok(larger.json.data.inconclusive < larger.json.data.chunks.length / 2)
  })

  it('proposes nothing where the target differs in every chunk, and says so first', async () => {
    const rows = (target: (i: number) => string) =>
      `x,y\n${Array.from({ length: 5_000 }, (_, i) => `${(i * 7_919) % 1_000},${target(i)}`).join('\n')}\n`
    const project = tempProject({
      'mlops.yaml': `models:\n  ${MODEL}:\n    schema: {target: y}\n`,
      'model.bin': 'w',
      'train.csv': rows((i) => (i % 3 === 0 ? 'Yes' : 'No')),
      'churned.csv': rows(() => 'Yes'),
    })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    const words = ['drift', 'calibrate', `${MODEL}@1`, '--data', 'churned.csv', '--rows', '200']
    const { stdout } = await project.mlops([...words, '--write'], { code: 6 })
    const said = stdout.indexOf('no threshold keeps this promise: y fires in 25 of 25 chunks')
    assert.ok(said > 0 && said < stdout.indexOf('25 of 25 checks would have fired'), stdout)
    assert.doesNotMatch(stdout, /ignore|--write|PROPOSED|Proposed/)
    assert.doesNotMatch(project.read('mlops.yaml'), /threshold/)
    const { json } = await project.mlops([...words, '--json'], { code: 6 })
    assertMatchesSchema('drift calibrate', json)
    const { proposal, change, next } = json.data
    assert.deepEqual([proposal.isPossible, proposal.beyondHelp, proposal.columns], [false, ['y'], {}])
    assert.deepEqual([change.lines, next], [[], `mlops drift ${MODEL}@1 --current churned.csv`])
  })

  it('takes periods of the prediction log, and as many rows as its windows have', async () => {
    const project = await loggedProject()
    log(project, { days: Array.from({ length: 26 }, (_, day) => day), rows: 300 })
    const periods = ['drift', 'calibrate', MODEL, '--window', '25d', '--every', '1d']
    const { json } = await project.mlops([...periods, '--json'])
    assertMatchesSchema('drift calibrate', json)
    const { data } = json
    assert.deepEqual([data.data.kind, data.data.rowsEach, data.needed], ['prediction log', 300, null])
    assert.ok(data.chunks.length >= 24 && data.chunks.every(({ rows }: { rows: number }) => rows === 300))
    assert.equal(data.alarms.events, 0)
    assert.deepEqual((await project.mlops(['drift', 'report', MODEL, '--json'])).json.data.trend.checks, [])
    const sized = await project.mlops(['drift', 'calibrate', MODEL, '--data', 'train.csv', '--json'], { code: 6 })
    assert.match(sized.json.data.data.rowsFrom, /windows? of 7d of the log/)
    assert.equal(sized.json.data.data.rowsEach, 2_100)
    const weeks = await project.mlops(['drift', 'calibrate', MODEL, '--every', '7d', '--json'], { code: 6 })
    assert.equal(weeks.json.data.needed.chunks, 19)
    const empty = await project.mlops(['drift', 'calibrate', MODEL, '--until', '2020-01-01', '--json'], { code: 6 })
    assert.equal(empty.json.error?.code, 'CALIBRATION_EMPTY')
  })

  it('says what to put where without a mlops.yaml, and refuses to write there', async () => {
    const project = tempProject({ 'model.bin': 'w', 'train.csv': seasonal(4_000) })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    rmSync(project.path('mlops.yaml'))
    const words = ['drift', 'calibrate', `${MODEL}@1`, '--data', 'train.csv', '--rows', '100']
    const { stdout } = await project.mlops(words)
    assert.match(
      stdout,
      /Put this into a mlops\.yaml:\nmodels:\n {2}churn-model:\n {4}drift:\n {6}columns:\n {8}x: \{threshold: /,
    )
    const { json } = await project.mlops([...words, '--write', '--json'], { code: 1 })
    assert.equal(json.error?.code, 'CONFIG_NOT_WRITABLE')
    const { json: looked } = await project.mlops([...words, '--json'])
    assert.deepEqual([looked.data.change.file, looked.data.change.written], [null, false])
  })

  it('asks on a terminal, and no is the answer to Enter', async function () {
    skipWithoutTmux(this)
    const project = tempProject({
      'mlops.yaml': 'models: {} # none yet\n',
      'model.bin': 'w',
      'train.csv': seasonal(4_000),
    })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    const before = project.read('mlops.yaml')
    const terminal = openTerminal({ cwd: project.dir })
    try {
      const typed = `${process.execPath} ${join(ROOT, 'bin/run.js')} drift calibrate ${MODEL}@1 --data train.csv --rows 100`
      terminal.type(typed)
      terminal.press('Enter')
      await terminal.waitFor(/Write these thresholds to mlops\.yaml\?.*y\/N/)
      terminal.press('Enter')
      await terminal.waitFor(/nothing was written/)
      assert.equal(project.read('mlops.yaml'), before)
      terminal.type(`clear; ${typed}`)
      terminal.press('Enter')
      await terminal.waitFor(/\+.*threshold[\s\S]*Write these thresholds to mlops\.yaml\?.*y\/N/)
      terminal.type('y')
      terminal.press('Enter')
      await terminal.waitFor(/written to mlops\.yaml/)
      assert.match(project.read('mlops.yaml'), /columns: \{x: \{threshold: .*# none yet/)
    } finally {
      terminal.close()
    }
  })

  it('refuses flags that contradict each other, and data of another kind', async () => {
    const project = tempProject({ 'mlops.yaml': 'models: {}\n', 'model.bin': 'w', 'train.csv': customersCsv(500, 1) })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', 'calibrate', '--artifact', 'model.bin', '--baseline', 'train.csv'])
    project.write('other.csv', 'a,b\n1,2\n')
    const cases: [string[], number, string][] = [
      [['--data', 'train.csv', '--window', '7d'], 2, 'FLAGS_EXCLUSIVE'],
      [['--every', '1d', '--rows', '100'], 2, 'FLAGS_EXCLUSIVE'],
      [['--query', 'SELECT 1'], 2, 'FLAGS_EXCLUSIVE'],
      [['--false-alarms', '5'], 2, 'FALSE_ALARMS_INVALID'],
      [['--data', 'gone.csv'], 4, 'DATA_NOT_FOUND'],
      [['--data', 'other.csv'], 1, 'DATA_UNRELATED'],
      [['--data', 'train.csv', '--rows', '501'], 6, 'CALIBRATION_EMPTY'],
      [['--window', '30d'], 2, 'CURRENT_MISSING'],
      [[], 2, 'CALIBRATION_DATA_MISSING'],
    ]
    for (const [words, code, name] of cases) {
      const { json } = await project.mlops(['drift', 'calibrate', 'calibrate@1', ...words, '--json'], { code })
      assert.equal(json.error?.code, name, words.join(' '))
    }
    // A model that has the name of this command is checked by its version.
    await project.mlops(['drift', 'calibrate@1', '--current', 'train.csv'])
  })
})

/** Rows whose x drifts up and down with the season, and a y that does not. */
function seasonal(rows: number): string {
  let state = 5
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const lines = Array.from({ length: rows }, (_, i) => {
    const season = Math.sin((2 * Math.PI * i) / 800)
    return `${(season + next()).toFixed(4)},${next().toFixed(4)}`
  })
  return `x,y\n${lines.join('\n')}\n`
}
