/** Windows at the edges: only failures, no baseline, a model's own baseline, a log in PostgreSQL. */
import assert from 'node:assert/strict'
import { utimesSync } from 'node:fs'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { dayStart, draws, log, loggedProject, MODEL } from './logged.ts'

const date = (days: number): string => new Date(dayStart(days)).toISOString().slice(0, 10)
const range = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('mlops drift at the edges of a log', function () {
  this.timeout(120_000)

  it('a service that only fails is a breach, though there is no answer to compare', async () => {
    const project = await loggedProject()
    log(project, { days: range(5, 2) })
    log(project, { days: [1], errors: 1 })
    const { json } = await project.mlops(['drift', MODEL, '--since', date(1), '--until', date(0), '--json'], {
      code: 3,
    })
    assert.deepEqual([json.data.verdict, json.data.current.rows], ['inconclusive', 0])
    const [errors] = json.data.health.findings
    assert.deepEqual([errors.what, errors.verdict, errors.actual], ['errors', 'breach', 1])
  })

  it('a version without a baseline is compared with the window before, or told what it lacks', async () => {
    const project = await loggedProject()
    await project.mlops(['register', 'bare', '--artifact', 'model.bin'])
    log(project, { model: 'bare', days: range(6, 1) })
    const window = ['--since', date(3), '--until', date(0)]
    const refused = await project.mlops(['drift', 'bare', ...window, '--json'], { code: 4 })
    assert.equal(refused.json.error?.code, 'BASELINE_MISSING')
    const { json } = await project.mlops(['drift', 'bare', ...window, '--against', 'previous', '--json'])
    assert.deepEqual([json.data.verdict, json.data.reference.rows], ['stable', 1_200])
  })

  it('a torn last line is counted and costs nothing', async () => {
    const project = await loggedProject()
    log(project, { days: [1] })
    const file = `.mlops/predictions/${MODEL}/date=${date(1)}/py-6100000000000000-0001.jsonl`
    project.write(file, `${project.read(file)}{"v":1,"id":"torn","ti`)
    // Nobody writes it any more; a file of the last minutes may have a line on its way.
    const past = new Date(Date.now() - 864e5)
    utimesSync(project.path(file), past, past)
    const { json } = await project.mlops(['drift', MODEL, '--since', date(1), '--until', date(0), '--json'])
    assert.equal(json.data.current.rows, 400)
    assert.ok(
      json.data.notes.some((note: string) => /1 row of the log could not be read/.test(note)),
      json.data.notes,
    )
  })

  describe('in PostgreSQL', () => {
    let server: PostgresServer
    before(async function () {
      server = await startPostgres(this)
    })
    after(async () => {
      await server?.stop()
    })

    it('is read like files, and status does not wait for it', async () => {
      const project = await loggedProject(`    predictions: ${server.url}\n`)
      await project.mlops(['predictions', 'stats', MODEL, '--create-tables'])
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      const next = draws(5)
      const values = Array.from({ length: 900 }, (_, i) => {
        const tenure = Math.floor(next() * 12) + 1
        const features = { tenure, plan: ['basic', 'plus', 'pro'][i % 3], region: i % 2 === 0 ? 'north' : 'south' }
        const time = new Date(dayStart(1) + i * 60_000).toISOString()
        return `('p${i}', '${time}', '${MODEL}', 1, '${JSON.stringify(features)}', '${1 - tenure / 61}', 12)`
      })
      const into = 'INSERT INTO mlops_predictions (id, time, model, version, features, output, latency_ms) VALUES'
      await client.query(`${into} ${values.join(', ')}`)
      await client.end()
      const { json } = await project.mlops(['drift', MODEL, '--since', date(1), '--until', date(0), '--json'], {
        code: 3,
      })
      assert.equal(json.data.current.rows, 900)
      assert.ok(!JSON.stringify(json).includes(server.password))
      await server.stop()
      const { stdout } = await project.mlops(['status'])
      assert.match(stdout, /drift checked/)
      const fresh = await loggedProject(`    predictions: ${server.url}\n`)
      assert.match((await fresh.mlops(['status'])).stdout, /never checked for drift/)
    })
  })
})
