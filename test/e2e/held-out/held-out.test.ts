/**
 * Held-out evidence from end to end: scikit-learn trains, the Python client logs, the program registers, reads and
 * measures it again. What one wrote the other must read, to the last digit.
 */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { NEGATIVE, POSITIVE } from '../../../src/core/classes.ts'
import { readHeldOut } from '../../../src/evaluation/held-out.ts'
import { rolesOf } from '../../../src/evaluation/roles.ts'
import { openStore } from '../../../src/store/open.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { assertMatchesSchema, ROOT, type TempProject, tempProject } from '../harness.ts'

const CONFIG = `store: .mlops
models:
  tumour:
    schema: {target: target}
    gates:
      production:
        min_auc: 0.9
        compare_to: production
        margin: 5%
        slices:
          - by: size
            min_accuracy: 0.5
`
/** `data` of \`--json\`. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for; the schema checks the shape
type Data = any

describe('Held-out evidence', function () {
  this.timeout(300_000)
  let project: TempProject
  const env = { PATH: [dirname(PYTHON), process.env.PATH].join(delimiter) }
  const mlops = (args: readonly string[], code = 0) => project.mlops(args, { env, code })
  const data = async (...args: readonly string[]): Promise<Data> => (await mlops([...args, '--json'])).json.data
  /** Training as somebody would do it, and the version it became. */
  const train = async (form: string, seed: number, declared: readonly string[] = [], trees = 20): Promise<Data> => {
    const script = ['python', 'train.py', form, String(seed), String(trees)]
    await mlops(['track', ...declared.flatMap((each) => ['--data', each]), '--', ...script])
    return data('model', 'show', `tumour@${(await data('model', 'list')).models[0].versions}`)
  }
  const store = () => openStore(project.path('.mlops'), { write: false })

  before(async function () {
    needsPython(this)
    project = tempProject({})
    await mlops(['init', '--yes', '--name', 'tumour'])
    project.write('mlops.yaml', CONFIG)
    copyFileSync(join(import.meta.dirname, 'train.py'), project.path('train.py'))
  })

  it('that a script logs is part of the version, and gives the metrics of scikit-learn', async () => {
    const version = await train('pandas', 1)
    const { testPredictions } = version
    assert.equal(testPredictions.format, 'jsonl')
    assert.deepEqual(
      version.data.map(({ name, rows, columns, of }: Data) => ({ name, rows, columns, of })),
      [{ name: 'test', rows: 143, columns: 32, of: 'rows' }],
    )
    const rows = await readHeldOut(await store(), { model: 'tumour', testPredictions })
    assert.deepEqual([rows.rows, rows.task, rows.classes, rows.positive], [143, 'binary', ['0', '1'], '1'])
    // Nothing of the rows is kept but what the gates look at.
    assert.deepEqual(Object.keys(rows.groups), ['size'])
    assert.deepEqual(rows.groups.size?.values, ['large', 'small'])

    const again = await data('register', 'tumour', '--run', version.run.id)
    assert.deepEqual([again.version, again.created], [version.version, false])
    const { metrics, differing } = again.heldOut
    assert.deepEqual(differing, [])
    for (const name of ['auc', 'accuracy', 'log_loss', 'brier']) {
      assert.ok(Math.abs(metrics[name] - version.metrics[name]) < 1e-12, `${name}: ${metrics[name]}`)
    }
    assertMatchesSchema('register', (await mlops(['register', 'tumour', '--run', version.run.id, '--json'])).json)
    assertMatchesSchema('model show', (await mlops(['model', 'show', 'tumour@1', '--json'])).json)
  })

  it('says that two versions had the same test set, whatever held its rows', async () => {
    const first = await data('model', 'show', 'tumour@1')
    for (const [at, form] of ['polars', 'dicts'].entries()) {
      const version = await train(form, 2 + at)
      assert.equal(version.data[0].sha256, first.data[0].sha256, form)
    }
    const { testSets, metrics } = await data('model', 'diff', 'tumour@1', 'tumour@2')
    assert.equal(testSets, 'same')
    assert.ok(metrics.every(({ comparable }: Data) => comparable))
  })

  it('lets the gate compare two versions row by row, and slice by slice, without any file or command', async () => {
    await mlops(['promote', 'tumour@1', '--to', 'production', '--approve', 'ada'])
    const { json } = await mlops([
      'promote',
      'tumour@2',
      '--to',
      'production',
      '--approve',
      'ada',
      '--dry-run',
      '--json',
    ])
    const checks: Data[] = json.data.gate.checks
    const compared = checks.find(({ name }) => name === 'compare_to')
    assert.deepEqual([compared.verdict, compared.evidence.rows], ['pass', 143])
    assert.match(compared.note, /paired bootstrap on 143 rows/)
    assert.ok(checks.some(({ name, verdict }) => name.startsWith('slice') && verdict === 'pass'))
  })

  it('comes along with a retraining, whose candidate is compared in its gate', async () => {
    const job = '{type: command, command: python train.py columns 9}'
    const lines = ['model: tumour', 'trigger: {type: manual}', `job: ${job}`, 'validation: {min_auc: 0.9}']
    project.write('retraining-policy.yaml', `policy:\n${lines.map((line) => `  ${line}\n`).join('')}`)
    const { version, run: trained } = await data('retrain', 'tumour', '--reason', 'a look at it')
    const run: string = trained.id
    const candidate = await data('model', 'show', `tumour@${version}`)
    assert.equal(candidate.run.id, run)
    assert.equal((await data('model', 'diff', 'tumour@1', `tumour@${version}`)).testSets, 'same')
    const { stdout } = await mlops(['run', 'show', run])
    assert.match(stdout, /held-out answers {2}143 rows/)
    assert.match(stdout, /examples {2}100 rows/)
    assertMatchesSchema('run show', (await mlops(['run', 'show', run, '--json'])).json)
  })

  it('shows what the answers give where somebody records another figure', async () => {
    const { run } = await data('model', 'show', 'tumour@2')
    const { stdout } = await mlops(['register', 'tumour', '--run', run.id, '--metric', 'auc=0.5'])
    assert.match(stdout, /held out +143 rows, binary, logged by the script\n.*auc 0\.9/)
    assert.match(stdout, /auc was recorded as 0\.5, and the 143 held-out answers give 0\.9/)
    assert.match(stdout, /examples +kept/)
  })

  it('keeps examples that the model gives again', async () => {
    const { examples, files } = await data('model', 'show', 'tumour@1')
    const bytes = (await (await store()).objects.read(examples.sha256)).toString('utf8')
    const lines = bytes
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines.length, 100)
    project.write('examples.jsonl', bytes)
    await (await store()).objects.exportTo(files[0].sha256, project.path('v1.joblib'))
    project.write(
      'again.py',
      [
        'import json, joblib, pandas as pd',
        'model = joblib.load("v1.joblib")',
        'lines = [json.loads(line) for line in open("examples.jsonl")]',
        'given = model.predict_proba(pd.DataFrame([line["features"] for line in lines]))[:, 1]',
        'print(max(abs(answer - line["output"]) for answer, line in zip(given, lines)))',
      ].join('\n'),
    )
    const { stdout } = await mlops(['track', '--', 'python', 'again.py'])
    assert.ok(Number(stdout.trim().split('\n')[0]) < 1e-12, stdout)
  })

  it('leaves the test set to a declared file, and counts what was trained on', async () => {
    const version = await train('pandas', 7, ['train=train.csv', 'test=test.csv'])
    const test = version.data.find(({ name }: Data) => name === 'test')
    assert.deepEqual([test.of, test.path, test.rows], [undefined, 'test.csv', 143])
    assert.deepEqual([version.overlap.rows, version.overlap.shared], [143, 5])
    const { stdout } = await mlops(['model', 'show', `tumour@${version.version}`])
    assert.match(stdout, /overlap +5 of 143 rows held out stand in the training data too/)
    assert.match(stdout, /test predictions +[0-9a-f]{12}, .*jsonl/)
    // Its rows are still known, so it can be compared with versions that declared no file.
    assert.equal((await data('model', 'diff', 'tumour@1', `tumour@${version.version}`)).testSets, 'same')
  })

  it('is refused when a file of it cannot be read, before anything is registered', async () => {
    const { versions } = (await data('model', 'list')).models[0]
    project.write('answers.csv', 'label_of_truth,said\n1,1\n')
    const args = ['register', 'tumour', '--artifact', 'model.joblib', '--test-predictions', 'answers.csv']
    const { stderr } = await mlops(args, 2)
    assert.match(stderr, /No column of answers\.csv says what came true; there are "label_of_truth", "said"\./)
    assert.equal((await data('model', 'list')).models[0].versions, versions)
  })

  it('is whole, and a lost answer is missed', async () => {
    assert.deepEqual((await verifyStore(project.path('.mlops'))).damages, [])
    const { run } = await data('model', 'show', 'tumour@1')
    const records = await (await store()).runs.evidence(run.id)
    assert.deepEqual(
      records.map(({ kind, rows }) => [kind, rows]),
      [
        ['test', 143],
        ['examples', 100],
      ],
    )
  })
})

describe('What the client takes for classes and columns', () => {
  const python = readFileSync(join(ROOT, 'templates/python/mlops/_heldout.py'), 'utf8')
  const tupleOf = (name: string): string[] => {
    const text = new RegExp(`^${name} = \\(([^)]*)\\)`, 'm').exec(python)?.[1] ?? assert.fail(name)
    return [...text.matchAll(/"([^"]*)"/g)].map(([, word]) => word ?? '')
  }

  it('is what the program takes for them', () => {
    assert.deepEqual(tupleOf('_POSITIVE'), [...POSITIVE])
    assert.ok(NEGATIVE.every((word) => !tupleOf('_POSITIVE').includes(word)))
    // No column of slices may be taken for something else, whatever else is in the file.
    const source = readFileSync(join(ROOT, 'src/evaluation/roles.ts'), 'utf8')
    const names = [...source.matchAll(/^const [A-Z_]+ = \[([^\]]*)\]/gm)].flatMap(([, list]) =>
      [...(list ?? '').matchAll(/'([^']*)'/g)].map(([, word]) => word ?? ''),
    )
    assert.ok(names.includes('y_true') && names.includes('proba'))
    for (const answers of [['answer'], ['score'], ['answer', 'score'], ['id', 'answer']]) {
      const own = ['truth', ...answers]
      for (const name of [...names, 'region', 'target'].filter((each) => !own.includes(each))) {
        const isGroup = rolesOf([...own, name], {}, 'file').groups.includes(name)
        assert.ok(isGroup || tupleOf('RESERVED').includes(name), `${own} and ${name}`)
      }
    }
  })
})
