/** `mlops trace`: from the id that a service answered with to the data and the people. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, utimesSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { churnProject } from '../cli/fixture/churn.ts'
import { assertMatchesSchema, ROOT, type TempProject } from '../harness.ts'

const M = 'churn-model'
const DAY = 864e5
const dateAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString().slice(0, 10)
const today = new Date().toISOString()

interface Logged {
  readonly id: string
  readonly time?: string
  readonly [member: string]: unknown
}

const record = (members: Logged): string =>
  JSON.stringify({
    ...{ v: 1, model: M, version: 1, features: { age: 40, plan: 'a' }, output: 0.2, latency_ms: 3 },
    ...{ time: today, ...members },
  })

/** As a service leaves it; of days that are over, hours ago. */
function log(project: TempProject, date: string, lines: readonly string[], writer = '0123456789abcdef-0001'): void {
  const file = `.mlops/predictions/${M}/date=${date}/py-${writer}.jsonl`
  project.write(file, `${lines.join('\n')}\n`)
  const written = date === today.slice(0, 10) ? new Date() : new Date(Date.now() - DAY)
  utimesSync(project.path(file), written, written)
}

describe('mlops trace', function () {
  this.timeout(120_000)
  let project: TempProject

  before(async () => {
    project = await churnProject()
    const git = (...args: string[]) => execFileSync('git', args, { cwd: project.dir, stdio: 'ignore' })
    git('init', '-q', '-b', 'main')
    git('remote', 'add', 'origin', 'https://ada:s3cret@example.org/team/churn.git')
    git('add', 'train.js', 'mlops.yaml')
    git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '-qm', 'train')
    const track = ['track', '--model', M, '--data', 'train=train.csv', '--artifact', 'model.json', '--param', 'depth=6']
    await project.mlops([...track, '--seed', '7', '--', process.execPath, 'train.js'])
    await project.mlops(['register', M, '--run', '@last', '--message', 'deeper trees'])
    const promote = ['promote', `${M}@3`, '--to', 'production', '--approve', 'eve', '--reason', 'better on June']
    await project.mlops(promote)
  })

  it('goes from an answer of today to the run, the commit, the data and the people', async () => {
    const now = new Date().toISOString()
    log(project, now.slice(0, 10), [record({ id: 'today-1', time: now, version: 3, user: 'u1' })])
    project.write('truth.csv', 'id,churned\ntoday-1,1\n')
    await project.mlops(['predictions', 'label', M, 'truth.csv'])
    const { stdout } = await project.mlops(['trace', 'today-1'])
    assert.match(stdout, /^churn-model@3 answered today-1\n/)
    assert.match(stdout, /features +age 40, plan a/)
    assert.match(stdout, /label +1, recorded/)
    assert.match(stdout, /held then +production since .*, and still does/)
    assert.match(stdout, /command +\S*node train\.js/)
    assert.match(stdout, /seed +7/)
    assert.match(stdout, /parameters +depth 6/)
    assert.match(stdout, /metrics then +auc 0\.81/)
    assert.match(stdout, /commit +[0-9a-f]{40} on main/)
    assert.match(stdout, /remote +https:\/\/example\.org\/team\/churn\.git/)
    assert.match(stdout, /train +train\.csv, 400 rows, 3 columns/)
    assert.match(stdout, /approved .*by eve.*for production/)
    assert.match(stdout, /promoted .*in production, in place of @1: "better on June"/)
    assert.match(stdout, /mlops run reproduce 0/)
    assert.doesNotMatch(stdout, /s3cret/)
    const { json } = await project.mlops(['trace', 'today-1', '--json'])
    assertMatchesSchema('trace', json)
    const { version, label } = json.data
    assert.deepEqual([version.version, version.run.seed, label.value], [3, 7, 1])
    assert.deepEqual(
      version.people.map(({ what }: { what: string }) => what),
      ['trained', 'registered', 'approved', 'promoted'],
    )
  })

  it('fits a terminal of 80 columns', async function () {
    const python = join(ROOT, '.cache/venv/bin/python')
    if (!existsSync(python)) skipBecause(this, 'the Python environment of the tests is not set up')
    const code = `import os,pty,sys,fcntl,termios,struct
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 80, 0, 0))
out = b''
while True:
    try: part = os.read(fd, 65536)
    except OSError: break
    if not part: break
    out += part
sys.stdout.buffer.write(out)
os.waitpid(pid, 0)`
    const shown = execFileSync(python, ['-c', code, process.execPath, join(ROOT, 'bin/run.js'), 'trace', 'today-1'], {
      cwd: project.dir,
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', PATH: process.env.PATH?.split(delimiter).join(delimiter) },
      encoding: 'utf8',
    })
    // A command to copy, a path and a digest are never broken.
    const long = shown.split(/\r?\n/).filter((line) => line.length > 80 && line.trim().split(' ').length > 4)
    assert.match(shown, /answered today-1/)
    assert.deepEqual(long, [])
  })

  it('says what held the stage when another version answered, and who went back afterwards', async () => {
    const early = new Date(Date.now() - 3 * DAY).toISOString()
    log(project, early.slice(0, 10), [record({ id: 'early-1', time: early, version: 1 })])
    const { stdout, json } = await both('early-1')
    assert.match(stdout, /held then +no stage when it answered/)
    assert.match(stdout.replace(/\s+/g, ' '), /was registered here after this prediction was answered/)
    assert.ok(json.data.version.holdings.every(({ atThatTime }: { atThatTime: boolean }) => !atThatTime))
    const held = json.data.version.holdings.map(({ stage, until }: { stage: string; until: string | null }) => [
      stage,
      until !== null,
    ])
    assert.deepEqual(held, [['production', true]])
  })

  it('shows every time that one id was logged: a retry beside midnight too', async () => {
    const [first, second] = [dateAgo(9), dateAgo(8)]
    log(project, first, [record({ id: 'twice', time: `${first}T23:59:59.000Z`, output: 0.1 })])
    log(project, second, [record({ id: 'twice', time: `${second}T00:00:01.000Z`, version: 2, output: 0.7 })])
    const { stdout, json } = await both('twice')
    assert.match(stdout, /^churn-model@2 answered twice/)
    assert.match(stdout, /logged too +\d{4}-\d{2}-\d{2} 23:59:59 UTC by @1: 0\.1/)
    assert.equal(json.data.repeats.length, 1)
  })

  it('finds it in a compacted day, and with what no column holds', async () => {
    const date = dateAgo(5)
    const odd = record({ id: 'packed/é"1', time: `${date}T10:00:00Z`, extra: 'kept', tags: { region: 'eu' } })
    log(project, date, [record({ id: 'packed-0', time: `${date}T09:00:00Z` }), odd, '{"id":"packed-torn","mod'])
    await project.mlops(['predictions', 'compact', M])
    const { stdout, json } = await both('packed/é"1')
    assert.match(stdout, /logged in +\S*compacted-0001\/records\.parquet/)
    assert.deepEqual(json.data.prediction.tags, { region: 'eu' })
    assert.deepEqual(json.data.prediction.features, { age: 40, plan: 'a' })
    const torn = await project.mlops(['trace', 'packed-torn', '--json'], { code: 4 })
    assert.equal(torn.json.error?.code, 'PREDICTION_REJECTED')
    assert.match(torn.json.error?.details.problems[0], /rejected\.txt, line 1: it is no whole line of JSON/)
  })

  it('hides what is configured never to be logged, and secrets', async () => {
    const date = dateAgo(4)
    const features = { age: 3, email: 'ada@example.org', api_key: 'hunter2hunter2' }
    log(project, date, [record({ id: 'private', time: `${date}T10:00:00Z`, features, user: 'ada@example.org' })])
    const before = project.read('mlops.yaml')
    project.write(
      'mlops.yaml',
      before.replace('  churn-model:\n', '  churn-model:\n    predictions: {drop: [email, user]}\n'),
    )
    const { stdout, json } = await both('private')
    project.write('mlops.yaml', before)
    assert.doesNotMatch(stdout + JSON.stringify(json), /ada@example|hunter2/)
    assert.deepEqual(json.data.prediction.hidden, ['api_key', 'email', 'user'])
    assert.equal(json.data.prediction.features.age, 3)
  })

  it('says that a version or the version number is not known', async () => {
    const date = dateAgo(3)
    const time = `${date}T10:00:00Z`
    log(project, date, [record({ id: 'v99', time, version: 99 }), record({ id: 'v0', time, version: 0 })], 'a-0001')
    const unknown = await both('v99')
    assert.match(unknown.stdout.replace(/\s+/g, ' '), /churn-model@99 is not in this store, which has @1 to @3/)
    assert.equal(unknown.json.data.version, null)
    assert.match((await both('v0')).stdout, /The service did not say which version answered/)
  })

  it('names the check whose window it lies in', async () => {
    const checks = ['drift', M, '--since', dateAgo(0), '--until', dateAgo(-1), '--fail-on', 'never']
    await project.mlops(checks)
    const { stdout, json } = await both('today-1')
    assert.match(stdout, /Checked\n +\w+ +\d{4}-\d{2}-\d{2} 00:00 UTC to/)
    assert.equal(json.data.checks.length, 1)
    assert.doesNotMatch(stdout, /no check has looked/)
  })

  it('says where it looked and since when for an id that is not there, and takes no id for another', async () => {
    const { json } = await project.mlops(['trace', 'nobody', '--json'], { code: 4 })
    assert.equal(json.error?.code, 'PREDICTION_NOT_FOUND')
    assert.match(
      json.error?.message ?? '',
      new RegExp(`log of churn-model \\(.*\\), which goes back to ${dateAgo(9)} `),
    )
    const part = await project.mlops(['trace', 'today-'], { code: 4 })
    assert.match(part.stderr, /There is an id that begins with it: today-1/)
    assert.match(part.stderr, /mlops trace "today-1"/)
    const other = await project.mlops(['trace', 'today-1', '--model', 'churn-modle'], { code: 4 })
    assert.match(other.stderr, /churn-model/)
    await project.mlops(['trace', ''], { code: 2 })
  })

  it('knows the share of a rollout that it was answered in, and what became of the version afterwards', async () => {
    await project.mlops(['promote', `${M}@2`, '--to', 'production', '--rollout', '10,100', '--approve', 'eve'])
    const time = new Date().toISOString()
    const file = `.mlops/predictions/${M}/date=${time.slice(0, 10)}/py-0123456789abcdef-0002.jsonl`
    project.write(file, `${record({ id: 'tenth', time, version: 2, variant: 'rollout' })}\n`)
    await project.mlops(['rollout', 'abort', M, '--reason', 'latency doubled'])
    await project.mlops(['rollback', M, '--reason', 'odd scores', '--no-verify'])
    const { stdout, json } = await both('tenth')
    assert.match(stdout.replace(/\s+/g, ' '), /held then 10 % of production since .* \(rollout aborted by /)
    const now = json.data.version.holdings.filter(({ atThatTime }: { atThatTime: boolean }) => atThatTime)
    assert.deepEqual(
      now.map(({ stage, weight }: { stage: string; weight: number | null }) => [stage, weight]),
      [
        ['staging', null],
        ['production', 10],
      ],
    )
    const deeds = json.data.version.people.map(({ what, after }: { what: string; after: boolean }) => [what, after])
    assert.deepEqual(deeds.slice(-2), [
      ['rolled out', false],
      ['rolled out', true],
    ])
    assert.match(stdout.replace(/\s+/g, ' '), /after this answer by .*: "latency doubled"/)
    const production = (await both('today-1')).json.data.version
    assert.deepEqual([production.people.at(-1).what, production.people.at(-1).reason], ['rolled back', 'odd scores'])
    assert.deepEqual(production.stages, [])
  })

  it('asks for the model when two logs have the id', async () => {
    const file = `.mlops/predictions/other/date=${dateAgo(0)}/py-0123456789abcdef-0001.jsonl`
    project.write(file, `${record({ id: 'today-1', model: 'other' })}\n`)
    const both = await project.mlops(['trace', 'today-1'], { code: 2 })
    assert.match(both.stderr, /in the logs of churn-model and other/)
    const one = await project.mlops(['trace', 'today-1', '--model', 'other'])
    assert.match(one.stdout.replace(/\s+/g, ' '), /This store knows no version of other/)
  })

  async function both(id: string) {
    const [{ stdout }, { json }] = await Promise.all([
      project.mlops(['trace', id, '--model', M]),
      project.mlops(['trace', id, '--model', M, '--json']),
    ])
    assertMatchesSchema('trace', json)
    return { stdout, json }
  }
})
