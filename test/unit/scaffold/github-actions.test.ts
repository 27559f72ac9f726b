/** What workflows are made from: their time, their secrets, the program they lock. */
import assert from 'node:assert/strict'
import { variablePart } from '../../../src/notify/channel.ts'
import { otherProgram, reasonOf } from '../../../src/scaffold/github-actions/lock.ts'
import { doubtOfLocation } from '../../../src/scaffold/github-actions/next.ts'
import { cronOf } from '../../../src/scaffold/github-actions/schedule.ts'
import { secretsOf } from '../../../src/scaffold/github-actions/secrets.ts'

const NAMES = Array.from({ length: 400 }, (_, number) => `model-${number}`)
const LOG = { isPostgres: false, predictions: 'config' } as const

describe('The schedule of a workflow', () => {
  it('is the same whenever it is made, off the quarters of an hour, at night', () => {
    for (const name of NAMES) {
      assert.equal(cronOf(name, 'daily'), cronOf(name, 'daily'))
      const [minute, hour, ...rest] = cronOf(name, 'daily').split(' ')
      assert.ok(Number(minute) % 15 !== 0 && Number(minute) < 60, name)
      assert.ok(Number(hour) >= 2 && Number(hour) <= 5)
      assert.deepEqual(rest, ['*', '*', '*'])
    }
    assert.match(cronOf('churn-model', 'hourly'), /^\d+ \* \* \* \*$/)
    assert.match(cronOf('churn-model', 'weekly'), /^\d+ \d \* \* 1$/)
  })

  it('spreads models over the hour: no minute has more than its share by far', () => {
    const minutes = new Map<string, number>()
    for (const name of NAMES) {
      const [minute = ''] = cronOf(name, 'hourly').split(' ')
      minutes.set(minute, (minutes.get(minute) ?? 0) + 1)
    }
    assert.ok(minutes.size > 50 && Math.max(...minutes.values()) < 24, JSON.stringify([...minutes]))
  })
})

describe('The secrets of a workflow', () => {
  it('are those that the channels of the model read', () => {
    const channels = ['slack:#ml-alerts', 'pagerduty', 'email:a@b', 'webhook:https://x', 'github', 'file:x', 'stdout']
    assert.deepEqual(
      secretsOf(channels, LOG).map(({ name }) => name),
      [
        `MLOPS_SLACK_WEBHOOK_${variablePart('#ml-alerts')}`,
        'MLOPS_SLACK_WEBHOOK',
        'MLOPS_PAGERDUTY_KEY',
        'MLOPS_SMTP_URL',
        'MLOPS_SMTP_FROM',
        'MLOPS_WEBHOOK_SECRET',
      ],
    )
  })

  it('give the password of PostgreSQL from a secret of its own, each once', () => {
    assert.deepEqual(secretsOf(['slack:#a', 'slack:#a'], { ...LOG, isPostgres: true }), [
      { name: 'MLOPS_SLACK_WEBHOOK_A', secret: 'MLOPS_SLACK_WEBHOOK_A' },
      { name: 'MLOPS_SLACK_WEBHOOK', secret: 'MLOPS_SLACK_WEBHOOK' },
      { name: 'PGPASSWORD', secret: 'MLOPS_PGPASSWORD' },
    ])
  })

  it('never have a key in their name that somebody wrote in the place of one', () => {
    assert.deepEqual(secretsOf([`pagerduty:${'a1'.repeat(16)}`], LOG), [])
  })
})

describe('The lock of the runners', () => {
  const lock = (found: object): string => JSON.stringify({ packages: { 'node_modules/mlops': found } })

  it('says why npm made none, in one line without addresses', () => {
    const said =
      'npm error code ETARGET\nnpm error notarget No matching version found for mlops@0.1.0.\nnpm error A complete log is in x\n'
    assert.equal(reasonOf(said, 1), 'npm says: notarget No matching version found for mlops@0.1.0.')
    assert.equal(
      reasonOf('npm ERR! code E401\nnpm ERR! 401 Unauthorized - GET https://me:pw@x.example/mlops\n', 1),
      'npm says: 401 Unauthorized - GET <address>',
    )
    assert.equal(reasonOf('', 1), 'npm ended with 1')
  })

  it('takes this program and no other of the same name', () => {
    assert.equal(otherProgram(lock({ version: '0.1.0', bin: { mlops: 'bin/run.js' } }), '0.1.0'), undefined)
    assert.match(otherProgram(lock({ version: '0.1.0', bin: { mlops: 'cli.js' } }), '0.1.0') ?? '', /another program/)
    assert.match(otherProgram(lock({ version: '0.2.0', bin: { mlops: 'bin/run.js' } }), '0.1.0') ?? '', /0\.2\.0/)
    assert.match(otherProgram(JSON.stringify({ packages: {} }), '0.1.0') ?? '', /no package/)
  })
})

describe('Where a runner finds the rows to check', () => {
  it('is not doubted for a database, a place outside of the repository, or the log', () => {
    for (const current of ['', '/mnt/rows/{model}.parquet', 'postgres://db/rows', 'postgresql://db/rows'])
      assert.equal(doubtOfLocation(current), undefined, current)
  })

  it('is doubted for an address that mlops drift cannot read, and for a path of the checkout, each in its own words', () => {
    for (const current of ['s3://bucket/day.parquet', 'https://example.org/day.csv', 'gs://bucket/x'])
      assert.match(doubtOfLocation(current) ?? '', /cannot read .* by itself: write .github\/mlops\/fetch\.sh/, current)
    assert.match(doubtOfLocation('data/day.csv') ?? '', /a fresh checkout has no rows there/)
  })
})
