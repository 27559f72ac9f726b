/** Alerts of checks: the built binary, a real log, a real HTTP receiver. */
import assert from 'node:assert/strict'
import type { TempProject } from '../harness.ts'
import { dayStart, log, loggedProject, MODEL, type Receiver, receiver } from './logged.ts'

const date = (days: number): string => new Date(dayStart(days)).toISOString().slice(0, 10)
const range = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('mlops drift --alert', function () {
  this.timeout(120_000)
  let project: TempProject
  let hook: Receiver
  beforeEach(async () => {
    hook = await receiver()
  })
  afterEach(() => hook.close())

  const day = (days: number): string[] => ['drift', MODEL, '--since', date(days), '--until', date(days - 1), '--alert']
  const setUp = async (settings = ''): Promise<void> => {
    project = await loggedProject(`    notify: ["webhook:${hook.url}"]\n${settings}`)
  }

  it('sends one message per check and kind, none again for the same window, and tells the end', async () => {
    await setUp('    drift: {cool_down: 1s}\n')
    log(project, { days: range(6, 5) })
    log(project, { days: [4], shifted: true })
    log(project, { days: range(3, 1) })
    await project.mlops(day(5))
    assert.equal(hook.bodies.length, 0, 'nothing is wrong yet')
    await project.mlops(day(4), { code: 3 })
    assert.equal(hook.bodies.length, 1)
    const [alert] = hook.bodies
    assert.deepEqual([alert.kind, alert.state, alert.stage, alert.version], ['drift', 'firing', 'production', 1])
    assert.equal(alert.title, `${MODEL}@1 in production: 2 of 4 columns drifted`)
    assert.ok(
      alert.findings.some((line: string) => /^tenure: median \d+ -> \d+$/.test(line)),
      'before and after',
    )
    assert.equal(alert.since, `${date(4)}T00:00:00.000Z`)
    const labels = alert.evidence.map(({ label }: { label: string }) => label)
    assert.deepEqual(labels, ['manifest', 'in production', 'trained on', 'looked at', 'check'])
    assert.match(alert.next, /^mlops retrain churn-model /)
    const again = await project.mlops(day(4), { code: 3 })
    assert.equal(hook.bodies.length, 1, 'the same window is alerted once')
    assert.match(again.stdout, /already checked/)
    assert.match(again.stdout, /no drift alert: this window was alerted already/)
    await project.mlops(day(3))
    assert.deepEqual([hook.bodies.length, hook.bodies[1]?.state], [2, 'recovered'])
    await project.mlops(day(2))
    assert.equal(hook.bodies.length, 2, 'the end is told once')
  })

  it('made four times at once tells once', async () => {
    await setUp()
    log(project, { days: [2], shifted: true })
    const runs = await Promise.all([1, 2, 3, 4].map(() => project.run(day(2))))
    assert.deepEqual(
      runs.map(({ code }) => code),
      [3, 3, 3, 3],
      runs.map(({ stderr }) => stderr).join('\n'),
    )
    assert.equal(hook.bodies.length, 1)
  })

  it('waits for k of n windows', async () => {
    await setUp('    drift: {alert_after: 2 of 3}\n')
    log(project, { days: range(4, 3), shifted: true })
    const first = await project.mlops(day(4), { code: 3 })
    assert.equal(hook.bodies.length, 0)
    assert.match(first.stdout, /no drift alert: 1 of the last 1 disjoint windows in trouble; alerted from 2 of 3/)
    await project.mlops(day(3), { code: 3 })
    assert.equal(hook.bodies.length, 1)
    assert.equal(hook.bodies[0].since, `${date(4)}T00:00:00.000Z`, 'since the first of them')
  })

  it('tells of silence: no traffic where there was some', async () => {
    await setUp()
    log(project, { days: range(9, 3) })
    const { stdout } = await project.mlops(day(2), { code: 3 })
    assert.match(stdout, /no traffic \(400 a (week|day) ago\)/)
    assert.deepEqual(
      hook.bodies.map(({ kind, title }) => [kind, title]),
      [['silence', `${MODEL}@1 in production: no traffic`]],
    )
    const { stdout: status } = await project.mlops(['status'])
    assert.match(status, /no traffic \(400 a (week|day) ago\)/)
  })

  it('tells of failing and slow requests apart from drift, against bounds and against before', async () => {
    await setUp('    health: {max_error_rate: 0.02}\n')
    log(project, { days: range(9, 3) })
    log(project, { days: [2], errors: 0.2, latency: 90 })
    const { json } = await project.mlops([...day(2), '--json'], { code: 3 })
    assert.equal(json.data.verdict, 'stable', 'the verdict of drift is its own')
    assert.deepEqual([json.data.health.verdict, hook.bodies.length, hook.bodies[0]?.kind], ['breach', 1, 'health'])
    assert.match(
      hook.bodies[0].title,
      /failed requests: \d+ % of 400 \(at most 2\.0 %\); p95 latency: \d+ ms \(\d+ ms [a-z0-9 ]+\)/,
    )
    assert.match(hook.bodies[0].next, /^mlops predictions stats churn-model --since/)
  })

  it('tells when the labels say that the answers are wrong', async () => {
    await setUp()
    log(project, { days: range(4, 2) })
    const labels = Array.from({ length: 400 }, (_, i) => `2-a-${i},${i % 2}`)
    project.write('labels.csv', `id,label\n${labels.join('\n')}\n`)
    await project.mlops(['predictions', 'label', MODEL, 'labels.csv'])
    const { stdout } = await project.mlops(day(2), { code: 3 })
    assert.match(stdout, /quality: accuracy 0\.\d+ \(0\.8 when registered\); 400 of 400 predictions have a label/)
    assert.deepEqual([hook.bodies.length, hook.bodies[0]?.kind], [1, 'quality'])
  })

  it('fails audibly when a channel does not take it, after trying the others; the check is stored and sent later', async () => {
    await setUp()
    project.write('mlops.yaml', project.read('mlops.yaml').replace('notify: [', 'notify: ["file:alerts.jsonl", '))
    log(project, { days: [2], shifted: true })
    hook.answer = 400
    const failed = await project.mlops([...day(2), '--json'], { code: 1 })
    assert.equal(failed.json.data.verdict, 'drift')
    assert.ok(failed.json.warnings.some((warning) => /NOT delivered to webhook:/.test(warning)))
    assert.equal(project.read('alerts.jsonl').trim().split('\n').length, 1, 'the other channel was told')
    assert.equal((await project.mlops(['status', '--json'])).json.data.models[0].health.checked, failed.json.data.time)
    hook.answer = 200
    await project.mlops(day(2), { code: 3 })
    assert.equal(hook.bodies.length, 1, 'what was not delivered is delivered with the next check')
    assert.equal(project.read('alerts.jsonl').trim().split('\n').length, 1, 'and not twice to whom it reached')
  })

  it('delivers late also with a check that cannot say anything, and then no more', async () => {
    await setUp('    health: {min_requests: 1}\n')
    log(project, { days: [3], shifted: true })
    log(project, { days: [2], rows: 3 })
    hook.answer = 400
    await project.mlops(day(3), { code: 1 })
    assert.equal(hook.bodies.length, 0)
    hook.answer = 200
    const late = await project.mlops([...day(2), '--json'], { code: 6 })
    assert.equal(late.json.data.verdict, 'inconclusive')
    assert.deepEqual(
      late.json.data.alerts
        .filter(({ state }: { state: string | null }) => state !== null)
        .map(({ kind, trouble, state, decision }: Record<string, unknown>) => [kind, trouble, state, decision]),
      [['drift', false, 'firing', 'redeliver']],
    )
    assert.deepEqual([hook.bodies.length, hook.bodies[0]?.state], [1, 'firing'])
    assert.equal(hook.bodies[0].since, `${date(3)}T00:00:00.000Z`, 'the message of that day')
    await project.mlops(day(2), { code: 6 })
    assert.equal(hook.bodies.length, 1)
  })

  it('takes thresholds and channels that code asked for, where mlops.yaml is silent', async () => {
    project = await loggedProject()
    log(project, { days: [4], shifted: true })
    assert.equal((await project.mlops([...day(4), '--json'], { code: 2 })).json.error?.code, 'CHANNELS_MISSING')
    const { spawnSync } = await import('node:child_process')
    const script = `import mlops
m = mlops.monitor("${MODEL}")
m.drift_threshold = 50
m.on_drift(action="alert", channel="file:from-code.jsonl")
`
    const { ROOT } = await import('../harness.ts')
    const python = spawnSync('python3', ['-c', script], {
      cwd: project.dir,
      env: { ...process.env, PYTHONPATH: `${ROOT}/templates/python` },
      encoding: 'utf8',
    })
    assert.equal(python.status, 0, python.stderr)
    const { json } = await project.mlops([...day(4), '--json'])
    assert.deepEqual([json.data.verdict, json.data.columns[0].threshold], ['stable', 50])
    await project.mlops([...day(4), '--threshold', '0.1'], { code: 3 })
    assert.match(project.read('from-code.jsonl'), /2 of 4 columns drifted/)
  })
})

describe('mlops drift --all', function () {
  this.timeout(120_000)

  it('checks every model in production, worst first; what goes wrong with one stops no other', async () => {
    const hook = await receiver()
    const models = ['calm', 'drifting', 'silent-log', 'broken']
    const project = await loggedProject(`    notify: ["webhook:${hook.url}"]\n`, models)
    await project.mlops(['register', 'never-promoted', '--artifact', 'model.bin', '--baseline', 'train.csv'])
    log(project, { model: 'calm', days: range(8, 1) })
    log(project, { model: 'drifting', days: range(8, 1), shifted: true })
    log(project, { model: 'broken', days: range(8, 1) })
    project.write('.mlops/models/broken/log/0000000003.json', '{"torn')
    const words = ['drift', '--all', '--since', date(3), '--until', date(1), '--alert']
    const { json } = await project.mlops([...words, '--json'], { code: 1 })
    const rows = json.data.models.map(({ model, verdict, exitCode }: Record<string, unknown>) => [
      model,
      verdict,
      exitCode,
    ])
    assert.deepEqual(rows, [
      ['broken', null, 1],
      ['drifting', 'drift', 3],
      ['silent-log', null, 6],
      ['calm', 'stable', 0],
    ])
    assert.equal(json.data.exitCode, 1)
    assert.equal(hook.bodies.length, 1)
    const { assertMatchesSchema } = await import('../harness.ts')
    assertMatchesSchema('drift', json)
    const { stdout } = await project.mlops(words, { code: 1 })
    assert.match(stdout, /MODEL\s+VERDICT\s+ROWS\s+SERVICE\s+WHAT/)
    assert.match(stdout, /silent-log@1\s+not logged/)
    assert.equal(hook.bodies.length, 1, 'the same window is alerted once')
    await hook.close()
  })

  it('says when no model is there to be checked, and knows the stages', async () => {
    const project = await loggedProject()
    const empty = await project.mlops(['drift', '--all', '--stage', 'staging', '--json'], { code: 6 })
    assert.equal(empty.json.error?.code, 'STAGE_EMPTY')
    const unknown = await project.mlops(['drift', '--all', '--stage', 'stagng', '--json'], { code: 2 })
    assert.match(unknown.json.error?.hint ?? '', /--stage staging/)
  })

  it('prints a line for cron that does just that', async () => {
    const hook = await receiver()
    const project = await loggedProject(`    notify: ["webhook:${hook.url}"]\n    drift: {every: 1d}\n`)
    log(project, { days: range(8, 1), shifted: true })
    const { json } = await project.mlops(['drift', '--all', '--window', '5d', '--alert', '--cron', '--json'])
    const { assertMatchesSchema } = await import('../harness.ts')
    assertMatchesSchema('drift', json)
    const { cron, githubActions } = json.data
    assert.match(cron, /^\d+ 6 \* \* \* cd /)
    assert.match(githubActions, /cron: '\d+ 6 \* \* \*'[\s\S]*run: mlops drift --all --window 5d --alert/)
    // cron hands what follows the five fields to sh, with nearly nothing in the environment.
    const { spawn } = await import('node:child_process')
    const command = cron.split(' ').slice(5).join(' ').replaceAll('\\%', '%')
    const code = await new Promise((resolve) =>
      spawn('/bin/sh', ['-c', command], { cwd: '/', env: { HOME: '/tmp', PATH: '/usr/bin:/bin' } }).on(
        'close',
        resolve,
      ),
    )
    assert.equal(code, 3)
    assert.equal(hook.bodies.length, 1)
    assert.match(project.read('.mlops-drift-all.log'), /drift alert sent to webhook:/)
    const secret = ['drift', MODEL, '--current', 'postgres://ada:hunter2@db/x', '--cron', '--json']
    const refused = await project.mlops(secret, { code: 2 })
    assert.equal(refused.json.error?.code, 'CRON_SECRET')
    assert.ok(!refused.stdout.includes('hunter2'))
    await hook.close()
  })
})
