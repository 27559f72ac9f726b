/** Many people and jobs at once on one store, each a real `mlops` process. */
import assert from 'node:assert/strict'
import { mlops, type TempProject, tempProject } from '../harness.ts'

describe('many at once', function () {
  this.timeout(240_000)

  it('50 parallel `mlops register` give 50 consecutive versions, and none fails', async () => {
    const project = tempProject()
    await project.mlops(['init', '--yes', '--name', 'm'])
    const jobs = Array.from({ length: 50 }, (_, n) => {
      project.write(`model-${n}.bin`, `weights ${n}`)
      return project.run(['register', 'm', '--artifact', `model-${n}.bin`, '--metric', `n=${n}`, '--json'])
    })
    const results = await Promise.all(jobs)
    const failures = results.filter(({ code }) => code !== 0).map(({ stdout, stderr }) => stdout + stderr)
    assert.deepEqual(failures, [])
    const versions = results.map(({ json }) => json.data.version as number).sort((a, b) => a - b)
    assert.deepEqual(
      versions,
      Array.from({ length: 50 }, (_, n) => n + 1),
    )
    await project.mlops(['store', 'verify'])
  })

  it('of people who promote at once, one wins and the others are told who, what and when', async () => {
    const project = await withVersions(4)
    await project.mlops(['promote', 'm@1', '--to', 'production', '--approve', 'ada'])
    const results = await Promise.all(
      [2, 3, 4].map((version) =>
        project.run(['promote', `m@${version}`, '--to', 'production', '--approve', 'ada', '--json']),
      ),
    )
    const winners = results.filter(({ code }) => code === 0)
    const losers = results.filter(({ code }) => code !== 0)
    for (const { code, json } of losers) {
      assert.equal(code, 5)
      assert.match(json.error?.message ?? '', /moved production of m from m@\d to m@\d at \d{4}-/)
    }
    // They may also have come one after the other: then each saw the one before.
    assert.ok(winners.length >= 1)
    const history = await project.mlops(['model', 'history', 'm', '--stage', 'production', '--json'])
    assert.equal(history.json.data.events.length, 1 + winners.length, 'what was not acknowledged did not happen')
  })

  it('the same idempotency key does a thing once, and another request under it is a conflict', async () => {
    const project = await withVersions(2)
    const promote = ['promote', 'm@1', '--to', 'production', '--approve', 'ada', '--idempotency-key', 'job-7', '--json']
    const results = await Promise.all(Array.from({ length: 5 }, () => project.run(promote)))
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0, 0, 0, 0],
    )
    assert.equal(new Set(results.map(({ json }) => json.data.event.seq)).size, 1)
    const other = [...promote]
    other[1] = 'm@2'
    const { code, json } = await project.run(other)
    assert.equal(code, 5)
    assert.equal(json.error?.code, 'IDEMPOTENCY_MISMATCH')
  })
})

/** A project whose model `m` has versions 1 to `count`, behind a gate that asks for nothing but an approval. */
async function withVersions(count: number): Promise<TempProject> {
  const project = tempProject({ 'mlops.yaml': 'models: {m: {gates: {production: {approval: 1}}}}\n' })
  await project.mlops(['init', '--yes', '--name', 'm'])
  for (let n = 1; n <= count; n++) {
    project.write(`model-${n}.bin`, `weights ${n}`)
    await mlops(['register', 'm', '--artifact', `model-${n}.bin`], { cwd: project.dir })
  }
  return project
}
