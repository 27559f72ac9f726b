/**
 * Gates with real models: a champion, and a challenger on fresh rows. The champion is scored anew, the two are compared
 * row by row, groups are looked at, other programs are asked; `gate check` says beforehand what `promote` will do.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { needsPython, PYTHON } from '../../support/python.ts'
import { assertMatchesSchema, type RunResult, type TempProject, tempProject } from '../harness.ts'

const MODEL = 'loans'
const SCRIPTS = join(import.meta.dirname, 'project')

/** As `--json` prints it; the schema checks the shape. */
interface Check {
  readonly name: string
  readonly metric?: string
  readonly required: string
  readonly actual: string
  readonly verdict: string
  readonly note?: string
  readonly evidence?: { readonly method: string; readonly rows: number; readonly estimate: number }
}

describe('gates with real models', function () {
  this.timeout(240_000)
  let project: TempProject
  const env = { PATH: [dirname(PYTHON), process.env.PATH].join(delimiter) }

  const python = (...args: string[]): string =>
    execFileSync(PYTHON, args, { cwd: project.dir, encoding: 'utf8', env: { ...process.env, ...env } })
  const mlops = (args: readonly string[], code = 0): Promise<RunResult> => project.mlops(args, { env, code })

  /** mlops.yaml with these lines as the gate of production. */
  const gate = (lines: readonly string[], evaluate = 'python score.py {model} {data} {predictions}'): void => {
    const rules = lines.map((line) => `        ${line}`).join('\n')
    project.write(
      'mlops.yaml',
      `models:\n  ${MODEL}:\n    evaluate: ${evaluate}\n    gates:\n      staging: {}\n      production:\n${rules}\n`,
    )
  }
  const checked = async (code: number) => {
    const args = ['gate', 'check', MODEL, '--to', 'production', '--without-approval', '--json']
    const { json } = await mlops(args, code)
    assertMatchesSchema('gate check', json)
    const found = json.data as {
      readonly verdict: string
      readonly counts: Record<string, number>
      readonly gate: { readonly checks: readonly Check[] }
    }
    const all = (name: string): readonly Check[] => found.gate.checks.filter((check) => check.name === name)
    return { ...found, all, one: (name: string): Check | undefined => all(name)[0] }
  }
  const register = async (train: string, test: string, ...more: string[]): Promise<void> => {
    const data = ['--data', `train=${train}`, '--data', `test=${test}`]
    const track = ['track', '--model', MODEL, '--artifact', 'model.joblib', ...data, '--']
    await mlops([...track, 'python', 'train.py', train, test, ...more])
    const known = ['--run', '@last', '--baseline', train, '--target', 'repaid', '--test', test]
    // Without the command: what stands in mlops.yaml is then what counts.
    await mlops(['register', MODEL, ...known, '--test-predictions', 'answers.csv'])
  }
  const log = (): readonly string[] => readdirSync(project.path('.mlops/models', MODEL, 'log'))

  before(async function () {
    needsPython(this)
    project = tempProject()
    for (const file of readdirSync(SCRIPTS)) copyFileSync(join(SCRIPTS, file), project.path(file))
    python('data.py')
    project.write('mlops.yaml', `models:\n  ${MODEL}: {gates: {production: {min_auc: 0.6}}}\n`)
    await mlops(['init', '--yes'])
    await register('train.csv', 'test.csv')
    await mlops(['promote', MODEL, '--to', 'production', '--approve', 'ada'])
    await register('train-new.csv', 'fresh.csv', '2')
  })

  it('say before anybody approves what would be missing then: exit 3, or 0 without approvals', async () => {
    gate(['min_auc: 0.6'])
    const before = log()
    const { json } = await mlops(['gate', 'check', MODEL, '--to', 'production', '--json'], 3)
    assertMatchesSchema('gate check', json)
    assert.deepEqual([json.data.verdict, json.data.awaitsApproval, json.data.approvalsMissing], ['fail', true, 1])
    const text = await mlops(['gate', 'check', MODEL, '--to', 'production'], 3)
    assert.match(text.stdout, /waits for a person/)
    assert.match(text.stdout, /--without-approval/)
    assert.equal((await checked(0)).verdict, 'pass')
    assert.deepEqual(log(), before, 'nothing was written')
  })

  it('score the champion on the fresh rows and compare the two row by row', async () => {
    gate(['min_auc: 0.6', 'max_log_loss: 0.7', 'compare_to: production', 'margin: {auc: 0.01, log_loss: 2%}'])
    const { all, one } = await checked(0)
    const comparisons = all('compare_to')
    assert.deepEqual(
      comparisons.map(({ metric, verdict }) => [metric, verdict]),
      [
        ['auc', 'pass'],
        ['log_loss', 'pass'],
      ],
    )
    // The figures come from a command that neither version brought along, so both were measured with it: said before them.
    const told = new RegExp(
      [
        '^the bound is 0\\.\\d+ of loans@1 [-+] .*',
        'the champion was re-scored on the test set of the challenger',
        'both versions were measured with "python score\\.py .*"',
        'paired bootstrap on 900 rows: (gain 0\\.\\d+|difference -0\\.\\d+ \\(less is better\\)), 95 % from .*: better',
      ].join('; '),
    )
    for (const { evidence, note } of comparisons) {
      assert.deepEqual([evidence?.method, evidence?.rows], ['paired bootstrap', 900])
      assert.match(note ?? '', told)
    }
    assert.equal(one('recorded metrics')?.verdict, 'pass')
    const [beforehand, planned] = [
      await mlops(['gate', 'check', MODEL, '--to', 'production', '--json'], 3),
      await mlops(['promote', MODEL, '--to', 'production', '--dry-run', '--json'], 3),
    ]
    assert.deepEqual(beforehand.json.data.gate, planned.json.data.gate, 'the draws too are the same')
  })

  it('compare what was printed where the command writes no predictions, and reach the same verdict', async () => {
    gate(['min_auc: 0.6', 'compare_to: production'], 'python score.py {model} {data}')
    const { one } = await checked(0)
    assert.deepEqual([one('compare_to')?.verdict, one('compare_to')?.evidence], ['pass', undefined])
    assert.match(one('compare_to')?.note ?? '', /re-scored/)
  })

  it('say when the command does not write what it is asked to write', async () => {
    gate(['min_auc: 0.6', 'compare_to: production'], 'python score.py {model} {data} && test {predictions}')
    const { one } = await checked(0)
    assert.match(one('compare_to')?.note ?? '', /not compared row by row: the evaluate command wrote nothing/)
  })

  it('are inconclusive with exit 6 where the champion cannot be scored', async () => {
    gate(['min_auc: 0.6', 'compare_to: production'], 'python no-such-script.py {model} {data}')
    const { verdict, one } = await checked(6)
    assert.equal(verdict, 'inconclusive')
    assert.match(one('compare_to')?.note ?? '', /no-such-script/)
  })

  it('find the region in which the model fails, and name it with its figures, which are those of scikit-learn', async () => {
    gate(['slices: [{by: region, min_auc: 0.75, min_rows: 50}]'])
    const expected = JSON.parse(python('differences.py')) as { regions: Record<string, number>; parity: number }
    const worst = Object.entries(expected.regions).sort((a, b) => a[1] - b[1])[0]
    assert.ok(worst !== undefined && worst[1] < 0.75)
    const { one, verdict } = await checked(3)
    const slice = one('slice region')
    assert.deepEqual([verdict, slice?.verdict], ['fail', 'fail'])
    assert.ok(slice?.actual.includes(`in ${worst[0]} (worst of 3)`), slice?.actual)
    assert.ok(Math.abs((slice?.evidence?.estimate ?? 0) - worst[1]) < 1e-9)
    const refused = await mlops(['promote', MODEL, '--to', 'production', '--approve', 'ada', '--json'], 3)
    assert.equal(refused.json.error?.code, 'GATE_REFUSED')
    gate(['slices: [{by: region, min_auc: 0.75, min_rows: 500}]'])
    await checked(6)
    gate(['slices: [{by: branch, min_auc: 0.75}]'])
    assert.match((await checked(3)).one('slice branch')?.note ?? '', /no column branch.*gender/)
  })

  it('measure how differently groups are answered, and let people say how much is too much', async () => {
    const { parity } = JSON.parse(python('differences.py')) as { parity: number }
    const rule = (limit: number) => gate([`fairness: [{by: gender, demographic_parity: ${limit.toFixed(4)}}]`])
    rule(parity + 0.01)
    const held = (await checked(0)).one('fairness gender')
    assert.ok(Math.abs((held?.evidence?.estimate ?? 0) - parity) < 1e-9)
    rule(parity - 0.01)
    assert.equal((await checked(3)).one('fairness gender')?.verdict, 'fail')
  })

  it('ask other programs, and read what pytest wrote', async () => {
    gate([
      "external: [{name: size, command: 'test -s {model} && touch ran.txt'}, {name: data tests, junit: out/junit.xml}]",
    ])
    await mlops(['status', '--json'])
    assert.equal(existsSync(project.path('ran.txt')), false, 'status runs nothing')
    assert.match((await checked(3)).one('external data tests')?.note ?? '', /no file out\/junit\.xml/)
    assert.ok(existsSync(project.path('ran.txt')))
    project.write('test_data.py', 'def test_rows():\n    assert open("fresh.csv").readline().startswith("id,")\n')
    python('-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--junitxml=out/junit.xml', 'test_data.py')
    const { one } = await checked(0)
    assert.deepEqual([one('external data tests')?.actual, one('external size')?.verdict], ['1 test, 0 failed', 'pass'])
  })

  it('pass with a waiver until its last day, counted apart, and show it to whoever approves', async () => {
    const rule = (expires: string) =>
      gate([
        'min_auc: 0.999',
        `waivers: [{check: min_auc, owner: grace, reason: new book of loans, expires: ${expires}}]`,
      ])
    rule('2020-01-01')
    assert.match((await checked(3)).one('min_auc')?.note ?? '', /the waiver of grace expired on 2020-01-01/)
    rule('2999-12-31')
    const { counts, one } = await checked(0)
    assert.deepEqual([counts.waived, one('min_auc')?.verdict], [1, 'waived'])
    const plan = await mlops(['promote', MODEL, '--to', 'production', '--approve', 'ada', '--dry-run'])
    assert.match(plan.stdout, /waived by grace until 2999-12-31: new book of loans/)
  })

  it('refuse numbers that are not of the rows beside them', async () => {
    gate(['min_auc: 0.6'])
    const files = ['--artifact', 'model.joblib', '--test', 'fresh.csv', '--test-predictions', 'answers.csv']
    await mlops(['register', MODEL, ...files, '--metric', 'auc=0.99'])
    const { one } = await checked(3)
    assert.match(one('recorded metrics')?.actual ?? '', /auc 0\.99 recorded, 0\.[89]\d+ computed/)
    await mlops(['gate', 'check', `${MODEL}@2`, '--to', 'production', '--without-approval'])
  })

  it('count what a policy asks for besides, when it is named', async () => {
    gate(['min_auc: 0.6'])
    project.write(
      'policy.yaml',
      `policy:\n  model: ${MODEL}\n  trigger: {type: manual}\n  validation: {min_auc: 0.999}\n  promote_on_pass: staging\n`,
    )
    const args = ['gate', 'check', `${MODEL}@2`, '--to', 'production', '--without-approval']
    await mlops(args)
    const { stdout } = await mlops([...args, '--policy', 'policy.yaml'], 3)
    assert.match(stdout, /auc >= 0\.999/)
  })

  it('come as Markdown in which no name of a group breaks the table', async () => {
    gate(['slices: [{by: region, min_auc: 0.75}]'])
    const args = ['gate', 'check', `${MODEL}@2`, '--to', 'production', '--without-approval', '--markdown']
    const { stdout } = await mlops(args, 3)
    assert.match(stdout, /^## ❌ The gate refuses it: `loans@2` → `production`$/m)
    const rows = stdout.split('\n').filter((line) => line.startsWith('| '))
    assert.equal(rows.length, 3 + Number(stdout.includes('train_test_overlap')) + Number(stdout.includes('`baseline`')))
    for (const row of rows) assert.equal(row.replaceAll('\\|', '').split('|').length, 6, row)
    assert.doesNotMatch(stdout, /<i>|[^\\]`x`/)
  })

  it('are refused with file and line when they are written wrongly', async () => {
    gate(['min_auc: 0.6', 'waivers: [{check: min_auc, owner: ada, reason: x, expires: 2026-02-30}]', 'fairnes: []'])
    const { stderr } = await mlops(['gate', 'check', MODEL, '--to', 'production'], 2)
    assert.match(stderr, /mlops\.yaml:8: .*waivers\[0\]\.expires: there is no day 2026-02-30/)
    assert.match(stderr, /mlops\.yaml:9: .*did you mean fairness\?/)
  })

  it('ask whether the last drift check of the version found anything', async () => {
    gate(['health: required'])
    const { one } = await checked(3)
    assert.equal(one('health')?.actual, 'never checked')
    const said = /mlops (drift loans@\d+) --current DATA/.exec(one('health')?.note ?? '')
    assert.ok(said?.[1] !== undefined, one('health')?.note)
    gate(['health: required'])
    const at2 = ['gate', 'check', `${MODEL}@2`, '--to', 'production', '--without-approval']
    await mlops(['drift', `${MODEL}@2`, '--current', 'test.csv'])
    await mlops(at2)
    project.write('shifted.csv', python('-c', "print(open('test.csv').read().replace(',east,', ',west,'), end='')"))
    await mlops(['drift', `${MODEL}@2`, '--current', 'shifted.csv'], 3)
    assert.match((await mlops(at2, 3)).stdout, /✖ health .*drift on/)
  })

  it('bind the verdict in the event to version, rules, champion and test set', async () => {
    gate(['min_auc: 0.6', 'compare_to: production', 'margin: 0.01'])
    const promoted = await mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada', '--json'])
    const { bound, checks } = promoted.json.data.gate
    assert.deepEqual(Object.keys(bound).sort(), ['champion', 'manifest', 'policy', 'test'])
    const event = log().at(-1) ?? ''
    const stored = JSON.parse(readFileSync(project.path('.mlops/models', MODEL, 'log', event), 'utf8'))
    assert.deepEqual(stored.body.gate.bound, bound)
    assert.equal(checks.find(({ name }: Check) => name === 'compare_to').evidence.rows, 900)
    writeFileSync(project.path('mlops.yaml'), project.read('mlops.yaml').replace('0.01', '0.02'))
    const again = await mlops(['gate', 'check', `${MODEL}@2`, '--to', 'production', '--json', '--without-approval'])
    assert.notEqual(again.json.data.gate.bound.policy, bound.policy)
    assert.equal(again.json.data.alreadyThere, true)
  })

  it('compare recorded predictions on one test set without scoring anything', async () => {
    await register('train-new.csv', 'fresh.csv', '1')
    const rule = (margin: string) => gate(['min_auc: 0.6', 'compare_to: production', `margin: ${margin}`])
    rule('0.2')
    const wide = (await checked(0)).one('compare_to')
    assert.deepEqual([wide?.evidence?.rows, wide?.verdict], [900, 'pass'])
    assert.doesNotMatch(wide?.note ?? '', /re-scored/)
    const gain = wide?.evidence?.estimate ?? 0
    assert.ok(gain < 0, 'the straight line is worse than the champion')
    rule(String(-gain))
    const narrow = await checked(6)
    assert.match(narrow.one('compare_to')?.note ?? '', /the rows do not say whether it is within the margin/)
    gate(['min_auc: 0.6', 'compare_to: production'])
    assert.equal((await checked(3)).one('compare_to')?.verdict, 'fail', 'without a margin the two numbers decide')
  })
})
