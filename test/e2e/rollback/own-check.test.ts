/** A rollback compares a batch that somebody picked with the old version: no evidence of how production fares. */
import assert from 'node:assert/strict'
import { tempProject } from '../harness.ts'

const rows = (season: (index: number) => number, more = 0): string =>
  `rides,season\n${Array.from({ length: 400 + more }, (_, i) => `${(i * 7) % 100},${season(i)}`).join('\n')}\n`

describe('The check that a rollback makes', () => {
  it('is no part of a series of alerts: after it one bad batch of two is one', async () => {
    const project = tempProject({
      'mlops.yaml': `models:
  bike:
    schema: {columns: {season: categorical}}
    drift: {alert_after: 2 of 3}
    notify: ["file:told.jsonl"]
`,
      'train.csv': rows((i) => (i % 4) + 1),
      'picked.csv': rows(() => 3),
      'monday.csv': rows(() => 3, 1),
      'tuesday.csv': rows(() => 3, 2),
      'one.bin': 'one',
      'two.bin': 'two',
    })
    await project.mlops(['init', '--yes', '--name', 'bike'])
    for (const [at, file] of ['one.bin', 'two.bin'].entries()) {
      await project.mlops(['register', 'bike', '--artifact', file, '--baseline', 'train.csv'])
      await project.mlops(['promote', `bike@${at + 1}`, '--to', 'production', '--approve', 'ada'])
    }
    await project.mlops(['rollback', 'bike', '--current', 'picked.csv', '--yes', '--reason', 'odd scores'])
    const alertOf = async (batch: string) => {
      const { json } = await project.mlops(['drift', 'bike', '--current', batch, '--alert', '--json'], { code: 3 })
      const [alert] = json.data.alerts
      return [alert.state, alert.reason]
    }
    assert.deepEqual(await alertOf('monday.csv'), [
      null,
      '1 of the last 1 disjoint windows in trouble; alerted from 2 of 3',
    ])
    assert.deepEqual(await alertOf('tuesday.csv'), ['firing', '2 of the last 2 disjoint windows in trouble'])
  })
})
