/** What people type who guess, or come from other tools, and what the built binary answers. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { assertMatchesSchema, run, type TempProject, tempProject } from '../harness.ts'

describe('Somebody who guesses', function () {
  this.timeout(120_000)
  let project: TempProject
  before(async () => {
    project = tempProject({ 'train.sh': 'echo "auc: 0.7"\n', 'ml/keep.txt': '' })
    await project.mlops(['init', '--yes', '--name', 'credit'])
    for (const depth of ['3', '4']) {
      await project.run(['track', '--model', 'credit', '--param', `depth=${depth}`, '--', 'sh', 'train.sh', depth])
    }
  })
  const refused = async (args: readonly string[], code: number, hint: RegExp): Promise<void> => {
    const { stderr } = await project.mlops(args, { code })
    assert.match(stderr, hint, args.join(' '))
  }

  it('leaves out the -- of track', async () => {
    await refused(['track', 'sh', 'train.sh', '--trees', '10'], 125, /→ mlops track -- sh train\.sh --trees 10\n/)
    await refused(['track', '--model', 'credit', 'sh train.sh'], 125, /→ mlops track --model credit -- sh train\.sh\n/)
    assert.equal((await project.mlops(['run', 'list', '--json'])).json.data.total, 2)
  })

  it('types flags and commands of other tools', async () => {
    await refused(['run', 'list', '--best', 'auc'], 2, /→ Write --sort METRIC\n/)
    await refused(['run', 'list', '-n', '5'], 2, /→ Write --limit N\n/)
    await refused(['run', 'list', '--sort', '-auc'], 2, /→ Write --sort auc:desc\n/)
    await refused(['gate', 'check', 'credit', '--stage', 'production'], 2, /See mlops gate check --help/)
    await refused(['run', 'logs', '@last'], 2, /→ Write mlops run show RUN --follow\n/)
    await refused(['run', 'tag', '@last', 'gold'], 2, /→ Write mlops run tag @last --add gold\n/)
    await refused(['trace', '@last'], 2, /→ Of a run: mlops run show @last\./)
    await refused(['run', 'show', ''], 2, /empty name \(is a variable unset\?\)/)
    await refused(
      ['run', 'compare', '@last~1', '@last', '--report', 'x.pdf'],
      2,
      /Write for example --report x\.html\n/,
    )
  })

  it('is told why a list is empty', async () => {
    const { stdout } = await project.mlops(['run', 'list', '--model', 'credt'])
    assert.equal(stdout, 'No runs of credt.\n→ Did you mean credit?\n')
    const missing = await project.mlops(['run', 'list', '-w', 'params.trees != 5 and params.depth = 3'])
    assert.match(missing.stdout, /→ A run without params\.trees does not match != either: write not params\.trees = 5/)
  })

  it('tags several runs at once, in silence where that is asked for', async () => {
    const both = await project.mlops(['run', 'tag', '@last', '@last~1', '--add', 'sweep', '--json'])
    assertMatchesSchema('run tag', both.json)
    assert.deepEqual(
      both.json.data.runs.map(({ tags }: { tags: string[] }) => tags),
      [['sweep'], ['sweep']],
    )
    assert.equal((await project.mlops(['run', 'tag', '@last', '--add', 'x', '-q'])).stdout, '')
  })

  it('stands above the project', async () => {
    const above = tempProject({ 'ml/a.txt': '', 'other/deep/b.txt': '' })
    const none = await run(['run', 'list'], { cwd: above.dir })
    assert.match(none.stderr, /There is no store at .*\n.*mlops init/)
    await run(['init', '--yes', '--name', 'credit'], { cwd: join(above.dir, 'other/deep') })
    const { code, stderr } = await run(['run', 'list'], { cwd: above.dir })
    assert.deepEqual([code, stderr], [4, '✖ There is no project here, but one in other/deep/.\n  → cd other/deep\n'])
    const named = await run(['run', 'list', '--store', 'gone'], { cwd: above.dir })
    assert.match(named.stderr, /There is no store at .*gone/)
  })

  it('looks up the exit codes of track', async () => {
    const { stdout } = await project.mlops(['help', 'exit-codes'])
    for (const code of ['125', '126', '127', '128+n'])
      assert.match(stdout, new RegExp(`^ *${code.replace('+', '\\+')} `, 'm'))
  })

  it('sees the deleted ones in a narrow list, and as runs in JSON', async () => {
    await project.mlops(['run', 'delete', '@last'])
    const { json } = await project.mlops(['run', 'list', '--deleted', '--json'])
    assertMatchesSchema('run list', json)
    assert.deepEqual(json.data.runs, json.data.deleted)
    assert.equal(json.data.runs.length, 1)
  })
})
