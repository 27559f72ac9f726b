/** Every command of the manifest under --json on one real project: its envelope and data match the committed schemas. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertMatchesSchema, type Envelope, ROOT, type TempProject, tempProject } from '../harness.ts'
import { churnProject } from './fixture/churn.ts'

interface Case {
  /** What is typed after the command. */
  readonly works: readonly string[]
  /** Exit code of `works`; default 0. */
  readonly code?: number
  readonly fails: readonly string[]
  /** Exit code of `fails`. */
  readonly failure: number
  /** A whole command that goes before. */
  readonly after?: readonly string[]
}

const M = 'churn-model'
const NODE = process.execPath

/** In the order in which they run on one project. */
const CASES: Readonly<Record<string, Case>> = {
  init: { works: ['--yes'], fails: ['--name', ''], failure: 2 },
  track: { works: ['--model', M, '--', NODE, 'train.js'], fails: ['--', 'no-such-command-anywhere'], failure: 127 },
  'run list': { works: [], fails: ['--bogus'], failure: 2 },
  'run show': { works: ['@last'], fails: ['01AAAAAAAAAAAAAAAAAAAAAAAA'], failure: 4 },
  'run reproduce': { works: ['@last', '--dry-run'], code: 4, fails: ['01AAAAAAAAAAAAAAAAAAAAAAAA'], failure: 4 },
  'run compare': { works: ['@last', '@last'], fails: ['@last'], failure: 2 },
  'run tag': { works: ['@last', '--add', 'keep'], fails: ['@last', '--add', ''], failure: 2 },
  'run note': { works: ['@last', 'fine'], fails: ['@last', ' '], failure: 2 },
  'run delete': { works: ['--where', 'tags has never', '--yes'], fails: [], failure: 2 },
  'run restore': {
    works: ['@last'],
    after: ['run', 'delete', '@last'],
    fails: ['01AAAAAAAAAAAAAAAAAAAAAAAA'],
    failure: 4,
  },
  'run purge': { works: ['--dry-run'], fails: ['01AAAAAAAAAAAAAAAAAAAAAAAA'], failure: 4 },
  'run apply': { works: ['@last'], fails: ['01AAAAAAAAAAAAAAAAAAAAAAAA'], failure: 4 },
  register: { works: [M, '--run', '@last', '--idempotency-key', 'job'], fails: [M, '--artifact', 'gone'], failure: 4 },
  'gate check': {
    works: [`${M}@2`, '--to', 'production', '--without-approval'],
    fails: [M, '--to', 'nowhere'],
    failure: 2,
  },
  'gate propose': {
    works: [`${M}@2`, '--to', 'production', '--output', 'promotions/2.json'],
    fails: [M, '--to', 'nowhere', '--output', 'promotions/2.json'],
    failure: 2,
  },
  'gate confirm': { works: ['promotions/2.json'], fails: ['gone.json'], failure: 4 },
  approve: {
    works: [`${M}@2`, '--to', 'production', '--as', 'eve', '--reason', 'better on June data'],
    fails: [M, '--to', 'production'],
    failure: 2,
  },
  promote: {
    works: [`${M}@2`, '--to', 'production', '--approve', 'ada', '--proposal', 'promotions/2.json'],
    fails: [`${M}@1`, '--to', 'production'],
    failure: 3,
  },
  drift: { works: [M, '--current', 'june.csv'], code: 3, fails: [M, '--current', 'gone.csv'], failure: 4 },
  'drift calibrate': {
    works: [M, '--data', 'same.csv', '--rows', '20'],
    code: 6,
    fails: [M, '--data', 'gone.csv'],
    failure: 4,
  },
  'drift report': { works: [M], fails: [M, '--check', 'ffffffff'], failure: 4 },
  retrain: { works: [M, '--plan', '--reason', 'labels of June'], fails: [M, '--plan'], failure: 2 },
  'rollout status': {
    after: ['promote', `${M}@1`, '--to', 'production', '--rollout', '5,100', '--approve', 'ada'],
    works: [M],
    code: 6,
    fails: ['no-such-model'],
    failure: 4,
  },
  'rollout advance': { works: [M, '--auto'], code: 6, fails: [M, '--force'], failure: 2 },
  'rollout abort': { works: [M, '--reason', 'latency doubled'], fails: [M, '--reason', 'twice'], failure: 4 },
  rollback: { works: [M, '--reason', 'odd scores'], fails: [M], failure: 4 },
  status: { works: [], fails: ['no-such-model'], failure: 4 },
  doctor: { works: ['--offline'], fails: ['no-such-model'], failure: 4 },
  'model list': { works: [], fails: ['surplus'], failure: 2 },
  'model show': { works: [`${M}@1`], fails: [`${M}@99`], failure: 4 },
  'model history': { works: [M], fails: ['no-such-model'], failure: 4 },
  'model diff': { works: [`${M}@1`, `${M}@2`], fails: [`${M}@1`, `${M}@99`], failure: 4 },
  'model verify': { works: [`${M}@1`], fails: [`${M}@99`], failure: 4 },
  'model export': { works: [`${M}@1`, '--output', 'v1.tar'], fails: [`${M}@99`], failure: 4 },
  'model import': { works: ['v1.tar', '--as', 'churn-eu'], fails: ['gone.tar'], failure: 4 },
  'model tag': { works: [`${M}@1`, '--add', 'gold'], fails: [`${M}@1`, '--add', ''], failure: 2 },
  'predictions stats': { works: [M, '--window', '7d'], fails: ['No Name'], failure: 2 },
  'predictions query': { works: [M, 'SELECT id, time, output FROM predictions'], fails: [M, 'SELEC 1'], failure: 2 },
  'predictions label': { works: [M, 'labels.csv'], fails: [M, 'gone.csv'], failure: 4 },
  trace: { works: ['a'], fails: ['nobody'], failure: 4 },
  'predictions compact': { works: [M], fails: [M, '--grace', '1s'], failure: 2 },
  'predictions prune': { works: [M, '--keep', '30d', '--yes'], fails: [M, '--keep', 'soon'], failure: 2 },
  'notify test': { works: ['stdout', 'file:alerts.jsonl'], fails: ['slak:#ml'], failure: 2 },
  'scaffold fastapi': {
    works: [M, '--dir', 'svc', '--flavour', 'callable', '--unlocked'],
    fails: ['no-such-model', '--unlocked'],
    failure: 4,
  },
  'scaffold github-actions': {
    works: ['--unlocked', '--current', '/data/june.csv', '--runner', 'self-hosted', '--runner-store', '/srv/.mlops'],
    fails: ['no-such-model', '--unlocked'],
    failure: 4,
  },
  'scaffold cron': { works: [M], fails: ['no-such-model'], failure: 2 },
  'scaffold airflow': { works: [M], fails: ['--schedule', 'sometimes'], failure: 2 },
  'scaffold prefect': { works: [], fails: ['--schedule', '* * *'], failure: 2 },
  'scaffold docker': {
    works: [M, '--dir', 'svc', '--base-image', 'python:3.11-slim'],
    fails: ['no-such-model', '--dir', 'svc'],
    failure: 2,
  },
  'scaffold status': { works: [], fails: ['surplus'], failure: 2 },
  'audit export': { works: [M, '--output', 'audit.jsonl'], fails: ['--since', 'yesterday'], failure: 2 },
  'store pull': { works: ['--store', 'shared/.mlops'], fails: [], failure: 2 },
  'store gc': { works: [], fails: ['--grace', '1h'], failure: 2 },
  'store verify': { works: ['--against', 'audit.jsonl'], fails: ['--store', 'nowhere'], failure: 4 },
  completion: { works: ['bash'], fails: ['tcsh'], failure: 2 },
  'help exit-codes': { works: [], fails: ['surplus'], failure: 2 },
  'help configuration': { works: [], fails: ['surplus'], failure: 2 },
}

const manifest = () => JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8'))

describe('Every command with --json', function () {
  this.timeout(120_000)
  let project: TempProject
  before(async () => {
    project = await churnProject()
    const time = new Date().toISOString()
    const record = {
      v: 1,
      id: 'a',
      time,
      model: M,
      version: 1,
      features: { age: 40, plan: 'a' },
      output: 0.2,
      latency_ms: 3,
    }
    project.write(
      `.mlops/predictions/${M}/date=${time.slice(0, 10)}/py-0123456789abcdef-0001.jsonl`,
      `${JSON.stringify(record)}\n`,
    )
    project.write('labels.csv', 'id,churned\na,1\nb,0\n')
    execFileSync('git', ['init', '--quiet', '--bare', project.path('team.git')])
    await project.mlops(['init', 'shared', '--yes', '--remote', project.path('team.git')])
  })

  it('is in this test', () => {
    const commands = Object.values(manifest().commands as Record<string, { id: string; hidden?: boolean }>)
    const visible = commands.filter(({ hidden }) => hidden !== true).map(({ id }) => id.replaceAll(':', ' '))
    assert.deepEqual(Object.keys(CASES).sort(), visible.sort())
  })

  for (const [command, { works, code = 0, fails, failure, after }] of Object.entries(CASES)) {
    const words = command.split(' ')

    it(`mlops ${command}: the result`, async () => {
      if (after !== undefined) await project.mlops(after)
      const { json, stderr } = await project.mlops(['--json', ...words, ...works], { code })
      assert.equal(json.status, 'ok')
      assert.equal(json.command, command)
      assertMatchesSchema(command, json)
      if (command !== 'track') assert.equal(stderr, '')
    })

    it(`mlops ${command}: an error`, async () => {
      const { json } = await project.mlops(['--json', ...words, ...fails], { code: failure })
      assertIsError(command, json)
    })
  }
})

function assertIsError(command: string, json: Envelope): void {
  assert.equal(json.status, 'error')
  assertMatchesSchema(command, json)
  assert.ok(json.error?.hint, `${json.error?.message} names nothing to type next`)
}

describe('Help and version with --json', () => {
  const cases: readonly (readonly [words: string[], topic: string])[] = [
    [[], ''],
    [['help'], ''],
    [['--help'], ''],
    [['model'], 'model'],
    [['help', 'model'], 'model'],
    [['help', 'status'], 'status'],
    [['status', '--help'], 'status'],
    [['model', 'list', '-h'], 'model list'],
  ]
  for (const [words, topic] of cases) {
    it(`mlops ${[...words, '--json'].join(' ')} is an envelope with the text`, async () => {
      const { json } = await tempProject().mlops([...words, '--json'])
      assert.equal(json.command, 'help')
      assertMatchesSchema('help', json)
      assert.equal(json.data.topic, topic)
      assert.match(json.data.text, /USAGE/)
      const named: string[] = json.data.commands.map(({ command }: { command: string }) => command)
      const expected = topic === '' ? Object.keys(CASES) : Object.keys(CASES).filter((id) => id.startsWith(topic))
      assert.deepEqual(named.sort(), expected.sort())
    })
  }

  it('the text is that which people read', async () => {
    const { json } = await tempProject().mlops(['status', '--help', '--json'])
    assert.equal(json.data.text, (await tempProject().mlops(['status', '--help'])).stdout)
  })

  it('mlops --version --json, in any order and by MLOPS_JSON', async () => {
    const text = (await tempProject().mlops(['--version'])).stdout
    for (const words of [
      ['--version', '--json'],
      ['--json', '--version'],
    ]) {
      const { json } = await tempProject().mlops(words)
      assertMatchesSchema('version', json)
      assert.equal(`mlops ${json.data.version}\n`, text)
    }
    assert.equal((await tempProject().mlops(['--version'], { env: { MLOPS_JSON: '1' } })).json.command, 'version')
  })

  it('an unknown flag is an error also where there is no command', async () => {
    for (const words of [['--bogus'], ['--bogus', '--help'], ['model', '--bogus'], ['--bogus', '--version']]) {
      const { json } = await tempProject().mlops([...words, '--json'], { code: 2 })
      assert.deepEqual([json.command, json.error?.code], ['', 'UNKNOWN_FLAG'])
      assertMatchesSchema('', json)
    }
    const { stdout, stderr } = await tempProject().mlops(['--jsno'], { code: 2 })
    assert.deepEqual([stdout, stderr], ['', '✖ mlops has no flag --jsno.\n  → Did you mean --json?\n'])
  })
})
