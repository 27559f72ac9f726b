/** Where `run reproduce` takes data from, in which order, and what it says when they are nowhere. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { ROOT, tempProject } from '../harness.ts'
import { leftOvers, verdicts, world } from './world.ts'

const SCRIPT =
  'echo "rows: $(cat data/train.csv data/parts/*.csv 2>/dev/null | grep -c ,)"; wc data/train.csv > out.txt\n'
const SH = ['sh', 'train.sh']
const CSV = 'a,b\n1,2\n3,4\n'

/** On PATH, or where the benchmarks of tracking have it. */
function dvcProgram(): string | undefined {
  const places = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'dvc'))
  return [...places, join(ROOT, '.cache/track-venv/bin/dvc')].find((path) => existsSync(path))
}

const withoutDvc = (): string =>
  (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !existsSync(join(folder, 'dvc')))
    .join(':')

describe('run reproduce and the data', () => {
  it('copies what lies there still, so that a script which spoils its data spoils a copy', async () => {
    const place = await world({
      'train.sh': 'cat data/train.csv | wc -l > n.txt; sleep 1; echo spoilt >> data/train.csv; echo "n: 1"\n',
    })
    place.write('data/train.csv', CSV)
    const run = await place.track(['--data', 'train=data/train.csv', '--artifact', 'n.txt'], SH)
    place.write('data/train.csv', CSV)
    chmodSync(place.path('data/train.csv'), 0o444)
    const json = await place.reproduce([run])
    assert.equal(json.data.plan.data[0].from, 'present')
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.equal(place.read('data/train.csv'), CSV)
    assert.equal(statSync(place.path('data/train.csv')).mode & 0o777, 0o444)
  })

  it('takes data that changed since from the commit, when a commit has them', async () => {
    const place = await world({ 'train.sh': SCRIPT, '.gitignore': 'out.txt\n', 'data/train.csv': CSV })
    const run = await place.track(['--data', 'train=data/train.csv', '--artifact', 'out.txt'], SH)
    place.write('data/train.csv', 'a,b\n9,9\n')
    place.git('commit', '--quiet', '--all', '--message', 'other data')
    const json = await place.reproduce([run])
    assert.equal(json.data.plan.data[0].from, 'git')
    assert.deepEqual(verdicts(json), { rows: 'equal', 'artifact out.txt': 'equal' })
  })

  it('takes data that changed since from the snapshot, a folder file by file', async () => {
    const place = await world({ 'train.sh': SCRIPT })
    place.write('data/train.csv', CSV)
    place.write('data/parts/1.csv', 'c,d\n')
    place.write('data/parts/deep/2.csv', 'e,f\n')
    const run = await place.track(['--snapshot', '--data', 'all=data', '--artifact', 'out.txt'], SH)
    place.write('data/parts/1.csv', 'changed\n')
    rmSync(place.path('data/train.csv'))
    const json = await place.reproduce([run])
    assert.equal(json.data.plan.data[0].from, 'snapshot')
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.equal(place.read('data/parts/1.csv'), 'changed\n')
  })

  it('says of data that are nowhere which file it was, and takes a copy only with the recorded bytes', async () => {
    const place = await world({ 'train.sh': SCRIPT })
    place.write('data/train.csv', CSV)
    const run = await place.track(['--data', 'train=data/train.csv', '--artifact', 'out.txt'], SH)
    place.write('data/train.csv', `${CSV}5,6\n`)
    const elsewhere = tempProject({ 'copy.csv': CSV, 'other.csv': 'a,b\n0,0\n0,0\n' })
    const { error } = await place.reproduce([run], { code: 4 })
    assert.match(error?.details.missing[0].why, /data\/train\.csv was 12 bytes .*other content now; no snapshot/)
    assert.match(error?.hint ?? '', /--data train=PATH/)
    const wrong = await place.reproduce([run, '--data', `train=${elsewhere.path('other.csv')}`], { code: 2 })
    assert.equal(wrong.error?.code, 'DATA_DIFFERS')
    const unknown = await place.reproduce([run, '--data', `trian=${elsewhere.path('copy.csv')}`], { code: 2 })
    assert.match(unknown.error?.hint ?? '', /Did you mean --data train=/)
    const json = await place.reproduce([run, '--data', `train=${elsewhere.path('copy.csv')}`])
    assert.equal(json.data.outcome.verdict, 'equal')
  })

  it('says of a script that reads what it did not declare which file that is, and takes it when it is named', async () => {
    const place = await world({
      'train.sh': 'set -e\ntr a-z A-Z < data/train.csv > out.txt; echo "n: 1"\n',
    })
    place.write('data/train.csv', CSV)
    const run = await place.track(['--artifact', 'out.txt'], SH)
    const { data } = await place.reproduce([run], { code: 1 })
    assert.equal(data.outcome.verdict, 'failed')
    assert.match(
      data.outcome.failure.cause.text,
      /reads data\/train\.csv, which no commit holds and the run did not declare/,
    )
    assert.match(data.outcome.failure.cause.hint, /--data data\/train\.csv=data\/train\.csv/)
    assert.ok(data.plan.risks.some((risk: string) => risk.includes('declared no data')))
    const json = await place.reproduce([run, '--data', 'data/train.csv=data/train.csv'])
    assert.equal(json.data.outcome.verdict, 'equal')
    place.write('data/train.csv', `${CSV}7,8\n`)
    const other = await place.reproduce([run, '--data', 'data/train.csv=data/train.csv'], { code: 3 })
    assert.equal(other.data.outcome.causes[0].kind, 'data')
    assert.match(other.data.outcome.causes[0].text, /Nobody recorded what the original read as data\/train\.csv/)
    assert.deepEqual(leftOvers(), [])
  })

  it('names the ignored folders that nobody declared where the script names no file, and marks what failed', async () => {
    const script = 'set -e; n=$(cat raw/*.csv 2>/dev/null | wc -l); test "$n" -gt 0; echo "n: $n"\n'
    const place = await world({ 'train.sh': script, '.gitignore': 'raw/\n__pycache__/\n' })
    place.write('raw/1.csv', CSV)
    place.write('__pycache__/x.pyc', '')
    const run = await place.track([], SH)
    place.write('plot.png', 'written by a later run')
    const { stderr, stdout } = await place.mlops(['run', 'reproduce', run], { code: 1 })
    assert.match(stderr, /^✔ code/m)
    assert.match(stderr, /^✖ run .* failed/m)
    assert.match(stderr, /^✖ compare +failed/m)
    assert.match(stdout, /Likely cause: It may read what no commit holds .*checkout alone: raw\/\.$/m)
    assert.match(stdout, new RegExp(`→ mlops run reproduce ${run} --data raw/=raw; and from now on: .*--data NAME=raw`))
    assert.equal((await place.reproduce([run, '--data', 'raw/=raw'])).data.outcome.verdict, 'equal')
  })

  it('reads data outside of the project where they are, and never writes through a committed link to them', async () => {
    const outside = tempProject({ 'train.csv': CSV })
    const place = await world({
      'train.sh': `cat ${outside.path('train.csv')} linked/train.csv > out.txt; echo "n: 1"\n`,
    })
    symlinkSync(outside.dir, place.path('linked'))
    place.git('add', '--all')
    place.git('commit', '--quiet', '--message', 'link')
    const flags = [
      '--data',
      `abs=${outside.path('train.csv')}`,
      '--data',
      'rel=linked/train.csv',
      '--artifact',
      'out.txt',
    ]
    const run = await place.track(flags, SH)
    const refusal = await place.reproduce([run], { code: 2 })
    assert.match(refusal.error?.message ?? '', /A link of the code leads out of the worktree: linked -> /)
    assert.equal((await place.reproduce([run, '--allow-outside'])).data.outcome.verdict, 'equal')
    const copy = tempProject({ 'train.csv': CSV })
    outside.write('train.csv', 'other\n')
    const { error } = await place.reproduce([run], { code: 4 })
    assert.equal(error?.details.missing.length, 2)
    const given = ['--data', `abs=${copy.path('train.csv')}`, '--data', `rel=${copy.path('train.csv')}`]
    await place.reproduce([run, '--allow-outside', ...given], { code: 1 })
    assert.equal(readFileSync(outside.path('train.csv'), 'utf8'), 'other\n')
  })

  it('has DVC bring what only its remote has, by settings that are not committed, into the worktree alone', async function () {
    const dvc = dvcProgram()
    if (dvc === undefined) skipBecause(this, 'dvc is not installed')
    const place = await world({
      'train.sh': 'cat data/train.csv data/parts/*.txt > out.txt; echo "n: 1"\n',
      '.gitignore': 'out.txt\n',
    })
    const env = { PATH: `${process.env.PATH}:${dirname(dvc)}`, DVC_NO_ANALYTICS: '1' }
    const remote = tempProject()
    const run = (...words: readonly string[]): void =>
      void execFileSync(dvc, [...words, '--quiet'], {
        cwd: place.dir,
        env: { ...process.env, ...env },
        stdio: 'ignore',
      })
    run('init')
    run('remote', 'add', '--local', '--default', 'copies', remote.dir)
    place.write('data/train.csv', CSV)
    for (const name of ['1', '2']) place.write(`data/parts/${name}.txt`, name)
    run('add', 'data/train.csv', 'data/parts')
    place.git('add', '--all')
    place.git('commit', '--quiet', '--message', 'data')
    run('push')
    const flags = ['--data', 'train=data/train.csv', '--data', 'parts=data/parts', '--artifact', 'out.txt']
    const id = await place.track(flags, SH)
    for (const path of ['.dvc/cache', 'data/train.csv', 'data/parts']) rmSync(place.path(path), { recursive: true })
    const without = await place.reproduce([id], { code: 4, env: { PATH: withoutDvc() } })
    assert.match(without.error?.hint ?? '', /dvc pull can bring it \(data\/train\.csv\.dvc\)/)
    const json = await place.reproduce([id], { env })
    assert.deepEqual(
      json.data.plan.data.map(({ from }: { from: string }) => from),
      ['dvc', 'dvc'],
    )
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.equal(existsSync(place.path('data/train.csv')), false)
    rmSync(remote.dir, { recursive: true })
    const { error } = await place.reproduce([id], { env, code: 1 })
    assert.match(error?.message ?? '', /dvc pull failed/)
    assert.deepEqual(leftOvers(), [])
  })

  it('maps absolute paths into the project to the worktree', async () => {
    const place = await world({ 'train.sh': 'cat "$1" > out.txt; echo "n: 1"\n' })
    mkdirSync(place.path('data'), { recursive: true })
    place.write('data/train.csv', CSV)
    const data = place.path('data/train.csv')
    const run = await place.track(
      ['--data', `train=${data}`, '--artifact', 'out.txt'],
      ['sh', place.path('train.sh'), data],
    )
    const json = await place.reproduce([run, '--keep'])
    assert.equal(json.data.outcome.verdict, 'equal')
    const { command } = json.data.outcome.reproduction
    assert.equal(command[2], join(json.data.outcome.kept.worktree, 'data/train.csv'))
    execFileSync('sh', ['-c', json.data.outcome.kept.remove])
  })
})
