/** `mlops doctor` through the built binary: a sound project, then one with everything wrong that it is meant to find. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname } from 'node:path'
import { needsPython, PYTHON } from '../../support/python.ts'
import { assertMatchesSchema, type Envelope, tempProject } from '../harness.ts'

const MODEL = 'churn-model'
const CONFIG = `store: .mlops
stages: [staging, production]
models:
  ${MODEL}:
    train: python train.py
    schema: {target: churned}
    drift: {window: 7d, every: 1d}
    notify: ["file:alerts.jsonl"]
    gates:
      production: {min_auc: 0.8}
`
const TRAIN = `with open("model.txt", "w") as f:
    f.write("a model")
print("auc: 0.9")
`
const POLICY = `policy:
  model: ${MODEL}
  trigger: {type: drift, threshold: 0.15}
  validation: {min_auc: 0.8}
`
const rows = (count: number): string =>
  ['tenure,churned', ...Array.from({ length: count }, (_, at) => `${at % 37},${at % 2}`)].join('\n')

type Found = {
  readonly area: string
  readonly severity: string
  readonly summary: string
  readonly next: string | null
}

const of = (json: Envelope, area: string): string[] =>
  (json.data.findings as Found[])
    .filter((each) => each.area === area)
    .map((each) => `${each.severity}: ${each.summary}`)
const ratings = (json: Envelope): Record<string, string> =>
  Object.fromEntries(
    json.data.models[0].gaps.map(({ name, rating }: { name: string; rating: string }) => [name, rating]),
  )

describe('mlops doctor', function () {
  this.timeout(240_000)
  const project = tempProject({ 'mlops.yaml': CONFIG, 'train.py': TRAIN, 'train.csv': rows(400) })
  /** A package that is installed here and that no index has. */
  project.write(
    'own/never-published-anywhere-0.0.1.dist-info/METADATA',
    'Metadata-Version: 2.1\nName: never-published-anywhere\nVersion: 0.0.1\n',
  )
  const python = { PATH: [dirname(PYTHON), process.env.PATH].join(delimiter) }

  before(async function () {
    needsPython(this)
    await project.mlops(['init', '--yes'])
    project.write('mlops.yaml', CONFIG)
    await project.mlops(['register', MODEL, '--artifact', 'train.py', '--metric', 'auc=0.9'])
    await project.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada'])
  })

  it('in an empty corner finds nothing broken and says what is missing', async () => {
    const { json, code } = await project.run(['doctor', '--offline', '--json'])
    assert.equal(code, 0)
    assertMatchesSchema('doctor', json)
    assert.deepEqual(of(json, 'machine'), [
      'good: the disk of the store links, syncs and has room',
      'good: the clock agrees with the disk and with the log',
    ])
    assert.match(of(json, 'versions').join('\n'), /@1 \(production\) comes from no recorded run/)
    assert.match(of(json, 'versions').join('\n'), /@1 \(production\) has no baseline/)
    assert.equal(ratings(json).monitoring, 'partly')
    assert.equal(ratings(json).versioning, 'open')
    assert.match(json.data.next.command, /--baseline DATA/)
  })

  it('is closed on monitoring and versioning once they are there', async () => {
    const track = ['track', '--model', MODEL, '--data', 'train=train.csv', '--artifact', 'model.txt', '--']
    await project.mlops([...track, 'python', 'train.py'], { env: python })
    await project.mlops(['register', MODEL, '--run', '@last', '--target', 'churned'])
    await project.mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada'])
    await project.mlops(['drift', MODEL, '--current', 'train.csv'])
    project.write('retraining-policy.yaml', POLICY)
    const { json, code } = await project.run(['doctor', '--offline', '--json'])
    assert.equal(code, 0, JSON.stringify(json.data?.findings))
    assert.equal(ratings(json).monitoring, 'closed')
    assert.match(of(json, 'policy').join(), /^good: retraining-policy.yaml can fire$/)
    assert.match(of(json, 'environment').join(), /^unknown: .*not looked up/)
  })

  it('asks pip, and names the package that no index has', async () => {
    const env = { ...python, PYTHONPATH: project.path('own') }
    const track = [
      'track',
      '--model',
      MODEL,
      '--data',
      'train=train.csv',
      '--artifact',
      'model.txt',
      '--param',
      'n=2',
      '--',
    ]
    await project.mlops([...track, 'python', 'train.py'], { env })
    await project.mlops(['register', MODEL, '--run', '@last', '--target', 'churned'])
    await project.mlops(['promote', `${MODEL}@3`, '--to', 'production', '--approve', 'ada'])
    const { json, code } = await project.run(['doctor', '--json'], { env: python })
    const [found] = of(json, 'environment')
    assert.match(
      found ?? '',
      /^bad: churn-model@3: cannot be installed any more: no index has never-published-anywhere==0.0.1/,
    )
    assert.equal(code, 3)
  })

  it('does not take an index that nobody reaches for one that has nothing', async () => {
    const { json } = await project.run(['doctor', '--json'], {
      env: { ...python, PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '0', PIP_EXTRA_INDEX_URL: undefined },
    })
    assert.match(of(json, 'environment').join(), /^unknown: .*the package index cannot be reached/)
  })

  it('names policies that will never fire, channels that do not answer, and clocks that were wrong', async () => {
    const closed = createServer()
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done))
    const address = closed.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((done) => closed.close(done))
    project.write(
      'mlops.yaml',
      CONFIG.replace('"file:alerts.jsonl"', `"webhook:http://127.0.0.1:${port}/x", "slack:#ml"`),
    )
    project.write(
      'retraining-policy.yaml',
      POLICY.replace('threshold: 0.15', 'threshold: 0.15, column: tenur').replace(
        '  validation',
        '  job: {type: command, command: python retrain.py, data: {train: data/gone.csv}}\n  validation',
      ),
    )
    project.write('retraining-policy-2.yaml', POLICY.replace(MODEL, 'chrun-model'))
    const { json, code, stdout } = await project.run(['doctor', '--json'], {
      env: { ...python, PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '0' },
    })
    assert.equal(code, 3)
    const policies = of(json, 'policy').join('\n')
    assert.match(
      policies,
      /bad: retraining-policy.yaml: it looks at the column tenur, which the baseline has not; is tenure meant\?/,
    )
    assert.match(policies, /bad: retraining-policy.yaml: its job runs retrain.py, which does not exist/)
    assert.match(
      policies,
      /bad: retraining-policy.yaml: no data to train on: train=data\/gone.csv: there is no such file/,
    )
    assert.match(policies, /bad: retraining-policy-2.yaml: there is no model chrun-model; is churn-model meant\?/)
    const channels = of(json, 'channels').join('\n')
    assert.match(channels, /bad: webhook:http:\/\/127.0.0.1:\d+\/… does not answer: the connection was refused/)
    assert.match(channels, /bad: slack:#ml does not answer: MLOPS_SLACK_WEBHOOK_ML is not set/)
    assert.doesNotMatch(stdout, /\/x"/)
    assert.equal(ratings(json).retraining, 'partly')
  })

  it('answers a person in words, and knows no other model', async () => {
    const { stdout } = await project.run(['doctor', MODEL, '--offline'])
    assert.match(stdout, /things are broken\.\n/)
    assert.match(stdout, /MODEL\s+DEPLOYMENT PATH\s+MONITORING\s+VERSIONING\s+RETRAINING/)
    assert.match(stdout, /Next: /)
    const { code, stderr } = await project.run(['doctor', 'chrun-model'])
    assert.equal(code, 4)
    assert.match(stderr, /churn-model/)
  })

  it('says that a list of packages is lost, and everything else all the same', async () => {
    const { json: shown } = await project.run(['model', 'show', `${MODEL}@3`, '--json'])
    const digest: string = shown.data.python.lock.sha256
    rmSync(project.path(`.mlops/objects/sha256/${digest.slice(0, 2)}/${digest.slice(2)}`))
    const { json, code } = await project.run(['doctor', '--offline', '--json'])
    assert.equal(code, 3)
    assert.match(of(json, 'environment').join(), /^bad: churn-model@3: .*the list of its packages cannot be read/)
    assert.notDeepEqual(of(json, 'channels'), [])
  })
})
