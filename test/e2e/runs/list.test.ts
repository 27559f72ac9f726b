/** Finding, naming and remarking runs with the built binary, in a project with real runs. */
import assert from 'node:assert/strict'
import { assertMatchesSchema, type TempProject, tempProject } from '../harness.ts'

const SCRIPT = `depth=$1
echo "auc: 0.7$depth"
echo "loss: 0.$((9 - depth))"
test "$depth" != 5
`

describe('A list of runs', function () {
  this.timeout(120_000)
  let project: TempProject
  before(async () => {
    project = tempProject({ 'train.sh': SCRIPT })
    await project.mlops(['init', '--yes', '--name', 'churn-model'])
    for (const depth of [3, 5, 4]) {
      const flags = ['--model', 'churn-model', '--param', `depth=${depth}`, '--tag', `d${depth}`]
      await project.run(['track', ...flags, '--', 'sh', 'train.sh', String(depth)])
    }
  })

  const list = async (...args: readonly string[]) => {
    const { json } = await project.mlops(['run', 'list', ...args, '--json'])
    assertMatchesSchema('run list', json)
    return json.data
  }
  const depths = async (...args: readonly string[]): Promise<number[]> =>
    (await list(...args)).runs.map((each: { params: { depth: number } }) => each.params.depth)

  it('is filtered and sorted as it is asked for', async () => {
    assert.deepEqual(await depths(), [4, 5, 3])
    assert.deepEqual(await depths('--where', 'auc > 0.735', '--sort', 'auc'), [5, 4])
    assert.deepEqual(await depths('--sort', 'loss:desc', '--limit', '2'), [3, 4])
    assert.deepEqual(await depths('-w', 'status = failed or tags has d3'), [5, 3])
    assert.deepEqual(await depths('-w', 'started > 1h and depth in (3, 4)', '--sort', 'depth'), [3, 4])
    const { total, matched, columns } = await list('-w', 'depth > 3', '--limit', '1')
    assert.deepEqual([total, matched, columns], [3, 2, ['params.depth']])
  })

  it('says how many match, and in which order they are', async () => {
    const { stdout } = await project.mlops(['run', 'list', '-w', 'depth > 3', '--sort', 'auc', '--limit', '1'])
    const [head = '', row = '', foot] = stdout.trimEnd().split('\n')
    assert.match(head, /^RUN +WHEN +STATUS +TOOK +MODEL +auc +depth +METRICS +TAGS +COMMAND$/)
    assert.match(row, /failed \(1\) .* 0\.75 +5 +loss 0\.4/)
    assert.equal(foot, '2 of 3 runs match, 1 shown (all: --limit 0); metrics.auc best first')
    assert.match((await project.mlops(['run', 'list', '-w', 'auc > 9'])).stdout, /^No run matches, of 3 in the store/)
  })

  it('points at what is wrong with a filter', async () => {
    const { stderr } = await project.mlops(['run', 'list', '-w', 'depth > 3 and stauts = failed'], { code: 2 })
    assert.match(stderr, /nor is it a field\.\n {4}depth > 3 and stauts = failed\n {18}\^{6}\n.*Did you mean status\?/)
    const { json } = await project.mlops(['run', 'list', '-w', 'depth >', '--json'], { code: 2 })
    assert.equal(json.error?.code, 'FILTER_INVALID')
    assert.equal(json.error?.details.column, 8)
    const warned = await project.mlops(['run', 'list', '-w', 'metrics.acu > 0', '--json'])
    assert.deepEqual(warned.json.warnings, ['No run has a metric acu; did you mean metrics.auc?'])
  })

  it('is CSV for other programs', async () => {
    const { stdout } = await project.mlops(['run', 'list', '--csv', '--columns', 'depth,auc', '--sort', 'depth'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(',').slice(1).join(','))
    assert.deepEqual(lines, ['params.depth,metrics.auc', '3,0.73', '4,0.74', '5,0.75'])
    await project.mlops(['run', 'list', '--csv', '--json'], { code: 2 })
    const two = await project.mlops(['run', 'list', '--csv', '-w', 'depth > 3', '-w', 'auc < 0.75', '--limit', '5'])
    assert.equal(two.stdout.trimEnd().split('\n').length, 2)
  })

  it('names runs for every command that takes one', async () => {
    const [last, , first] = (await list()).runs.map(({ run }: { run: string }) => run)
    const shown = async (reference: string): Promise<string> =>
      (await project.mlops(['run', 'show', reference, '--json'])).json.data.run
    assert.equal(await shown('@last'), last)
    assert.equal(await shown('@last~2'), first)
    assert.equal(await shown('@best:auc'), last)
    assert.equal(await shown('@best:loss:max'), first)
    assert.equal(await shown(first.slice(0, 12).toLowerCase()), first)
    assert.match((await project.mlops(['run', 'show', '@best:acu'], { code: 4 })).stderr, /Did you mean @best:auc\?/)
    assert.match(
      (await project.mlops(['run', 'tag', 'churn-model@1', '--add', 'x'], { code: 2 })).stderr,
      /names a version/,
    )
    const apply = await project.mlops(['run', 'apply', '@last~2', '--json'])
    assert.equal(apply.json.data.run, first)
    const compare = await project.mlops(['run', 'compare', '@last', '@best:loss:max', '--json'])
    assert.ok(JSON.stringify(compare.json.data).includes(first))
    project.write('model.bin', 'weights')
    const register = await project.run(['register', 'churn-model', '--run', '@best:auc', '--artifact', 'model.bin'])
    assert.doesNotMatch(register.stderr, /RUN_|names no run/)
  })

  it('shows what people said of a run, and finds it by that', async () => {
    const tag = await project.mlops(['run', 'tag', '@last', '--add', 'keep', '--remove', 'd4', '--json'])
    assertMatchesSchema('run tag', tag.json)
    assert.deepEqual(tag.json.data.tags, ['keep'])
    const note = await project.mlops(['run', 'note', '@last', '-', '--json'], {
      input: 'two\nlines token=abcdef123456\n',
    })
    assertMatchesSchema('run note', note.json)
    assert.equal(note.json.data.added, 'two\nlines token=[redacted]')
    assert.match(
      (await project.mlops(['run', 'note', '@last'])).stdout,
      /UTC, .*\n {2}two\n {2}lines token=\[redacted\]/,
    )
    assert.deepEqual(await depths('-w', 'tags has keep and note ~ LINES'), [4])
    const { tags, notes } = (await project.mlops(['run', 'show', '@last', '--json'])).json.data
    assert.deepEqual([tags, notes.length], [['keep'], 1])
    assert.match(
      (await project.mlops(['run', 'tag', '@last', '--add', ''], { code: 2 })).stderr,
      /--add was given an empty value/,
    )
    await project.mlops(['store', 'verify'])
  })

  it('is completed by the shell', async () => {
    const words = async (...line: readonly string[]) =>
      (await project.mlops(['complete', '--', ...line])).stdout.trimEnd().split('\n')
    assert.deepEqual(await words('run', 'show', '@b'), ['@best:auc', '@best:loss'])
    assert.deepEqual(await words('run', 'list', '--sort', 'metrics.'), ['metrics.auc', 'metrics.loss'])
    assert.deepEqual(await words('run', 'tag', '@last', '--remove', 'k'), ['keep'])
  })
})
