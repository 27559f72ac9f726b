/** `mlops predictions …` as people type it, on a log that a service wrote. */
import assert from 'node:assert/strict'
import { readdirSync, utimesSync } from 'node:fs'
import { assertMatchesSchema, type TempProject, tempProject } from '../harness.ts'

const M = 'churn-model'
const DAY = 864e5
const dateAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString().slice(0, 10)

/** Ten requests on each of some days, the last of them failed; files look untouched for a day. */
function service(project: TempProject, days: readonly number[]): void {
  for (const day of days) {
    const date = dateAgo(day)
    const lines = Array.from({ length: 10 }, (_, i) => {
      const base = { v: 1, id: `${date}-${i}`, time: `${date}T00:00:0${i}.000Z`, model: M, version: 1 + (i % 2) }
      const answer = i === 9 ? { status: 'error', error: 'timeout' } : { output: i / 10 }
      return JSON.stringify({
        ...base,
        features: { plan: i < 5 ? 'basic' : 'pro, "gold"' },
        ...answer,
        latency_ms: i + 1,
      })
    })
    const file = `.mlops/predictions/${M}/date=${date}/py-0123456789abcdef-0001.jsonl`
    project.write(file, `${lines.join('\n')}\n{"torn`)
    const time = new Date(Date.now() - DAY)
    utimesSync(project.path(file), time, time)
  }
}

describe('mlops predictions', () => {
  let project: TempProject
  beforeEach(async () => {
    project = tempProject({ 'mlops.yaml': `models: {${M}: {schema: {target: churned}}}\n` })
    await project.mlops(['init', '--yes'])
    service(project, [120, 3, 2])
  })

  it('stats shows volume, errors and latency by version, and what could not be read', async () => {
    const { stdout } = await project.mlops(['predictions', 'stats', M, '--window', '7d'])
    assert.match(stdout, /@1 +10 +0 \(0 %\) +5 +9/)
    assert.match(stdout, /@2 +10 +2 \(20 %\)/)
    assert.match(stdout, /all +20 +2 \(10 %\)/)
    assert.match(stdout, /timeout +2 \(100 %\)/)
    assert.match(stdout, /2 lines could not be read/)
    const { json } = await project.mlops(['predictions', 'stats', M, '--json'])
    assertMatchesSchema('predictions stats', json)
    assert.deepEqual([json.data.requests, json.data.torn, json.data.versions.length], [30, 3, 2])
  })

  it('query prints a table, CSV or JSON, and says when rows were cut', async () => {
    const sql = "SELECT features->>'plan' AS plan, count(*) AS n FROM predictions GROUP BY plan ORDER BY plan"
    assert.equal(
      (await project.mlops(['predictions', 'query', M, sql])).stdout,
      'plan          n\nbasic        15\npro, "gold"  15\n',
    )
    const csv = await project.mlops(['predictions', 'query', M, sql, '--csv', '--limit', '2'])
    assert.deepEqual([csv.stdout, csv.stderr], ['plan,n\nbasic,15\n"pro, ""gold""",15\n', ''])
    const cut = await project.mlops(['predictions', 'query', M, 'SELECT id FROM predictions', '--limit', '5', '--json'])
    assert.equal(cut.json.data.rows.length, 5)
    assert.match(cut.json.warnings[0] ?? '', /first 5 rows/)
    const wrong = await project.mlops(['predictions', 'query', M, 'SELECT plan FROM predictions'], { code: 2 })
    assert.match(wrong.stderr, /^✖ The SQL cannot be run: .*plan.*\n.*features->>'name'/)
  })

  it('label joins the truth, counts what is unknown, and the same file again changes nothing', async () => {
    project.write('truth.csv', `id,churned\n${dateAgo(3)}-0,1\n${dateAgo(2)}-1,0\nnobody,1\n`)
    const first = await project.mlops(['predictions', 'label', M, 'truth.csv'])
    assert.match(first.stdout, /2 predictions of churn-model have labels from truth.csv \(2 new\)/)
    assert.match(first.stdout, /1 id not in the log \(nobody\)/)
    const second = await project.mlops(['predictions', 'label', M, 'truth.csv', '--json'])
    assert.deepEqual([second.json.data.labelled, second.json.data.unchanged, second.json.data.unknown], [0, 2, 1])
    const { json } = await project.mlops(['predictions', 'query', M, 'SELECT count(label) FROM predictions', '--json'])
    assert.deepEqual(json.data.rows, [[2]])
  })

  it('compact makes Parquet of days that are over, and nothing that can be asked changes', async () => {
    const ask = async () => (await project.mlops(['predictions', 'stats', M, '--json'])).json.data
    const before = await ask()
    const { stdout } = await project.mlops(['predictions', 'compact', M])
    assert.equal(stdout.split('\n').filter((line) => /^\d{4}-/.test(line)).length, 3)
    assert.deepEqual(await ask(), before)
    assert.deepEqual(readdirSync(project.path(`.mlops/predictions/${M}/date=${dateAgo(3)}`)), ['compacted-0001'])
    assert.match((await project.mlops(['predictions', 'compact', M])).stdout, /^Nothing to compact/)
  })

  it('prune shows what would go, asks, and deletes only with --yes', async () => {
    const old = project.path(`.mlops/predictions/${M}`)
    const dry = await project.mlops(['predictions', 'prune', M, '--dry-run'])
    assert.match(dry.stdout, /kept for 90d.*\nTo be deleted: 1 day/)
    const refused = await project.mlops(['predictions', 'prune', M], { code: 2 })
    assert.match(refused.stderr, /Pass --yes/)
    assert.equal(readdirSync(old).length, 3)
    assert.match((await project.mlops(['predictions', 'prune', M, '--yes'])).stdout, /Deleted 1 day/)
    assert.equal(readdirSync(old).length, 2)
    assert.match((await project.mlops(['predictions', 'prune', M, '--yes'])).stdout, /Nothing is that old/)
  })

  it('store verify leaves the log alone, and status does not mind a damaged one', async () => {
    project.write(`.mlops/predictions/${M}/date=${dateAgo(2)}/junk.bin`, 'junk')
    const { json } = await project.mlops(['store', 'verify', '--json'])
    assert.deepEqual([json.data.ok, json.data.findings ?? []], [true, []])
    await project.mlops(['status'])
  })
})
