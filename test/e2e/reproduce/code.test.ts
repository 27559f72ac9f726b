/** What `run reproduce` does with code: commit, uncommitted changes, folders, submodules; and what it leaves alone. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertMatchesSchema, BINARY } from '../harness.ts'
import { leftOvers, verdicts, type World, world } from './world.ts'

const SCRIPT = `#!/bin/sh
mkdir -p out
cat lib/*.txt > out/model.txt
echo "score: $(cat lib/number.txt)"
`
const FILES = { 'train.sh': SCRIPT, 'lib/number.txt': '0.5\n' }
const SH = ['sh', 'train.sh']
const KEPT = ['--artifact', 'out/model.txt']

/** Everything that a person would notice of a repository. */
const stateOf = (place: World): string =>
  [
    place.git('status', '--porcelain=v1', '--untracked-files=all', '--ignored'),
    place.git('for-each-ref'),
    place.git('worktree', 'list', '--porcelain'),
    place.git('ls-files', '--stage'),
    place.git('stash', 'list'),
    readFileSync(place.path('.git/HEAD'), 'utf8'),
  ].join('\n')

describe('run reproduce and the code', () => {
  it('repeats a shell script with its uncommitted changes and new files, and leaves the repository as it was', async () => {
    const place = await world(FILES)
    place.write('train.sh', `${SCRIPT}echo "more: 7"\n`)
    place.write('lib/new.txt', 'not a source by its name\n')
    place.write('extra.sh', 'echo unused\n')
    const run = await place.track([...KEPT, '--data', 'lib=lib'], SH)
    // From here on the checkout is another one.
    place.write('train.sh', 'exit 1\n')
    place.write('lib/number.txt', '0.9\n')
    rmSync(place.path('lib/new.txt'))
    const before = stateOf(place)
    const refused = await place.reproduce([run], { code: 4 })
    assert.match(refused.error?.details.problems.join('\n'), /data.*lib|lib was/)
    place.write('lib/number.txt', '0.5\n')
    place.write('lib/new.txt', 'not a source by its name\n')
    const json = await place.reproduce([run])
    assertMatchesSchema('run reproduce', json)
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.deepEqual(verdicts(json), { score: 'equal', more: 'equal', 'artifact out/model.txt': 'equal' })
    place.write('lib/number.txt', '0.9\n')
    rmSync(place.path('lib/new.txt'))
    assert.equal(stateOf(place), before)
    assert.deepEqual(leftOvers(), [])
    // The repetition is a run of its own, whose code is the code of the first, digest for digest.
    const { json: shown } = await place.mlops(['run', 'show', '--json', json.data.outcome.reproduction.run])
    const { json: first } = await place.mlops(['run', 'show', '--json', run])
    assert.equal(shown.data.reproduces, run)
    assert.equal(shown.data.git.commit, first.data.git.commit)
    assert.equal(shown.data.git.patch.sha256, first.data.git.patch.sha256)
  })

  it('shows with --dry-run what it would do, and writes nothing', async () => {
    const place = await world(FILES)
    const run = await place.track(KEPT, SH)
    const before = [stateOf(place), (await place.mlops(['run', 'list', '--json'])).stdout]
    const { stdout } = await place.mlops(['run', 'reproduce', '@last', '--dry-run'])
    assert.match(stdout, new RegExp(`repeat run ${run}`))
    assert.match(stdout, /not recorded: the programs of this machine/)
    const json = await place.reproduce(['@last', '--dry-run'])
    assertMatchesSchema('run reproduce', json)
    assert.equal(json.data.outcome, null)
    assert.deepEqual([stateOf(place), (await place.mlops(['run', 'list', '--json'])).stdout], before)
  })

  it('names a commit that is not in this clone, with the command that brings it', async () => {
    const place = await world(FILES)
    place.write('lib/number.txt', '0.6\n')
    place.git('commit', '--quiet', '--all', '--message', 'second')
    const run = await place.track(KEPT, SH)
    place.git('reset', '--quiet', '--hard', 'HEAD~1')
    place.git('reflog', 'expire', '--expire=now', '--all')
    place.git('gc', '--quiet', '--prune=now')
    const { error } = await place.reproduce([run], { code: 4 })
    assert.equal(error?.code, 'REPRODUCTION_INCOMPLETE')
    assert.match(error?.details.missing[0].why, /not in the clone/)
    assert.match(error?.details.missing[0].mend, /git fetch/)
    assert.equal((await place.mlops(['run', 'list', '--json'])).json.data.runs.length, 1)
  })

  it('refuses a run of a folder without a repository, and says how the next one can be repeated', async () => {
    const place = await world(FILES)
    renameSync(place.path('.git'), place.path('.git-away'))
    const run = await place.track(KEPT, SH)
    const { error } = await place.reproduce([run], { code: 4 })
    assert.match(error?.message ?? '', /cannot be reproduced here/)
    assert.match(error?.hint ?? '', /git init/)
  })

  it('works in a project below the top of the repository, from a folder of the project, with paths that climb', async () => {
    const place = await world(
      {
        'team/ml/jobs/train.sh': 'cat ../../../shared.txt ../../data/rows.txt > result.txt; echo "n: 3"\n',
        'shared.txt': 'x\n',
      },
      'team/ml',
    )
    place.write('team/data/rows.txt', 'rows\n')
    const cwd = place.path('team/ml/jobs')
    const run = await place.track(
      ['--data', 'rows=../../data/rows.txt', '--artifact', 'result.txt'],
      ['sh', 'train.sh'],
      { cwd },
    )
    const json = await place.reproduce([run])
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.equal(json.data.plan.cwd, 'jobs')
    assert.equal(verdicts(json)['artifact result.txt'], 'equal')
  })

  it('checks submodules out at their commits, with their uncommitted changes', async () => {
    const library = await world({ 'value.sh': 'echo "value: 1"\n' })
    const place = await world({ 'train.sh': 'sh lib/value.sh; sh lib/local.sh\n' })
    place.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library.dir, 'lib')
    place.git('commit', '--quiet', '--message', 'library')
    place.write('lib/local.sh', 'echo "local: 2"\n')
    place.write('lib/value.sh', 'echo "value: 11"\n')
    const run = await place.track([], SH)
    execFileSync('git', ['clean', '-fdq'], { cwd: place.path('lib') })
    execFileSync('git', ['checkout', '--quiet', '.'], { cwd: place.path('lib') })
    const json = await place.reproduce([run])
    assert.deepEqual(verdicts(json), { value: 'equal', local: 'equal' })
    assert.equal(place.git('status', '--porcelain').trim(), '')
  })

  it('takes nothing that runs write for code that is missing: metrics.json, what earlier runs stored', async () => {
    const script = 'echo \'{"auc": 0.5}\' > metrics.json; echo x > plot.png; echo y > report.html'
    const place = await world({ 'train.sh': script })
    await place.track(['--artifact', 'plot.png', '--artifact', 'report.html'], ['sh', 'train.sh'])
    const second = await place.track(['--artifact', 'plot.png'], ['sh', 'train.sh'])
    const { git, warnings } = (await place.mlops(['run', 'show', second, '--json'])).json.data
    assert.deepEqual(git.notes, ['written by runs, so not in the patch: metrics.json, plot.png, report.html'])
    assert.deepEqual([git.dirty, warnings], [true, []])
    assert.doesNotMatch((await place.mlops(['run', 'show', second])).stdout, /patch +none/)
    const { data } = (await place.mlops(['run', 'compare', '--json'])).json
    assert.deepEqual([data.unknown.filter((each: string) => each.startsWith('Code')), data.code.verdict], [[], 'same'])
    const repeated = await place.reproduce([second])
    assert.equal(repeated.data.outcome.verdict, 'equal')
    assert.doesNotMatch(repeated.warnings.join(), /uncommitted/)
    // What nobody knows of is missing, and says so.
    place.write('weights.dat', '1')
    const third = await place.track(['--artifact', 'plot.png'], ['sh', 'train.sh'])
    const compared = (await place.mlops(['run', 'compare', second, third, '--json'])).json.data
    assert.ok(compared.unknown.includes('Code: uncommitted changes were not recorded.'), compared.unknown.join())
    assert.match((await place.reproduce([third, '--dry-run'])).data.plan.risks.join(), /uncommitted changes.*weights/)
  })

  it('marks the runs that a repetition starts as parts of it', async () => {
    const inner = `${process.execPath} ${BINARY} track --tag inner -- sh -c 'echo auc=0.5'`
    const place = await world({ 'loop.sh': inner })
    const original = await place.track([], ['sh', 'loop.sh'])
    await place.reproduce([original])
    const where = async (filter: string) =>
      (await place.mlops(['run', 'list', '--json', '--where', filter])).json.data.runs
    assert.equal((await where('reproduces = none')).length, 2, 'the loop and what it started')
    const repeated = await where(`reproduces = ${original}`)
    assert.deepEqual(
      repeated.map(({ tags, parent }: { tags: string[]; parent: string | null }) => [tags, parent !== null]),
      [
        [['inner', 'reproduction'], true],
        [['reproduction'], false],
      ],
    )
  })

  it('runs no hook of the repository, and takes no content from Git LFS', async () => {
    const place = await world(FILES)
    const run = await place.track(KEPT, SH)
    for (const hook of ['post-checkout', 'post-index-change', 'pre-applypatch']) {
      writeFileSync(place.path('.git/hooks', hook), `#!/bin/sh\ntouch ${place.path('hooked')}\nexit 1\n`)
      chmodSync(place.path('.git/hooks', hook), 0o755)
    }
    place.git('config', 'filter.lfs.smudge', 'false')
    place.git('config', 'filter.lfs.required', 'true')
    assert.equal((await place.reproduce([run])).data.outcome.verdict, 'equal')
    assert.equal(existsSync(place.path('hooked')), false)
  })

  it('finds files of Git LFS by the digest that the commit holds, without asking Git LFS', async () => {
    const bytes = 'large rows\n'
    const oid = createHash('sha256').update(bytes).digest('hex')
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`
    const place = await world({
      'train.sh': 'wc -c < big.bin > out.txt; echo "n: 1"\n',
      '.gitignore': 'out.txt\n',
      'big.bin': pointer,
    })
    place.write('.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n')
    place.git('add', '.gitattributes')
    place.git('commit', '--quiet', '--message', 'large files')
    // As Git LFS leaves a checkout.
    place.write('big.bin', bytes)
    place.git('config', 'filter.lfs.clean', `printf '${pointer.replaceAll('\n', '\\n')}'`)
    const run = await place.track(['--artifact', 'out.txt'], SH)
    assert.equal((await place.reproduce([run])).data.outcome.verdict, 'equal')
    place.write('big.bin', 'other\n')
    const { error } = await place.reproduce([run], { code: 4 })
    assert.match(error?.hint ?? '', /git lfs fetch origin [0-9a-f]{40}/)
    place.write(`.git/lfs/objects/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`, bytes)
    assert.equal((await place.reproduce([run])).data.outcome.verdict, 'equal')
  })

  it('keeps the worktree with --keep, and says how to take it away', async () => {
    const place = await world(FILES)
    const run = await place.track(KEPT, SH)
    const { kept } = (await place.reproduce([run, '--keep'])).data.outcome
    assert.ok(existsSync(join(kept.worktree, 'out/model.txt')))
    // The next one leaves it alone.
    await place.reproduce([run])
    assert.ok(existsSync(kept.worktree))
    execFileSync('sh', ['-c', kept.remove])
    assert.equal(existsSync(kept.worktree), false)
    assert.equal(place.git('worktree', 'list').trim().split('\n').length, 1)
  })

  it('repeats a run before the first commit, whose code is all in its patch', async () => {
    const place = await world(FILES)
    rmSync(place.path('.git'), { recursive: true })
    place.git('init', '--quiet')
    mkdirSync(place.path('lib'), { recursive: true })
    place.write('lib/number.txt', '0.5\n')
    const run = await place.track([...KEPT, '--data', 'lib=lib'], SH)
    assert.equal((await place.reproduce([run])).data.outcome.verdict, 'equal')
  })
})
