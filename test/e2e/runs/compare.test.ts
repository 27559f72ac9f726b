/** `mlops run compare` of a really trained scikit-learn model under real git, in each of its forms. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { needsPython, PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'
import { assertMatchesSchema, BINARY, cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'

const DATA = `
from sklearn.datasets import make_classification
import pandas as pd, os
X, y = make_classification(1200, 6, n_informative=3, random_state=1, flip_y=0.1)
rows = pd.DataFrame(X, columns=[f"f{i}" for i in range(6)]).round(4)
rows["y"] = y
os.makedirs("data"); os.makedirs("images")
rows[:900].to_csv("data/train.csv", index=False)
rows[900:].to_csv("data/test.csv", index=False)
for i in range(3): open(f"images/{i}.txt", "w").write(str(i))
`

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
/** Functions that look at a page from inside of it. */
const IN_PAGE = readFileSync(new URL('../reports/in-page.js', import.meta.url), 'utf8').replace(/^\/\/.*\n;/, '')

describe('Comparing runs of a scikit-learn model', function () {
  this.timeout(120_000)
  let project: TempProject
  const env = { PATH: [dirname(PYTHON), process.env.PATH].join(delimiter), PYTHONDONTWRITEBYTECODE: '1' }
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: project.dir,
      encoding: 'utf8',
    }).trim()
  const track = async (flags: readonly string[], ...args: readonly string[]) => {
    const data = ['train=data/train.csv', 'test=data/test.csv', 'images=images'].flatMap((each) => ['--data', each])
    await project.mlops(['track', ...data, ...flags, '--', 'python', 'train.py', ...args], { env })
  }
  const compare = (...args: readonly string[]) => project.mlops(['run', 'compare', ...args])
  // biome-ignore lint/suspicious/noExplicitAny: the schema checks the shape
  const json = async (...args: readonly string[]): Promise<any> => {
    const result = await compare(...args, '--json')
    assertMatchesSchema('run compare', result.json)
    return result.json.data
  }

  before(async function () {
    needsPython(this)
    project = tempProject({
      'train.py': readFileSync(join(import.meta.dirname, 'compare-train.py'), 'utf8'),
      '.gitignore': '/data\n/images\nmodel.joblib\n',
      'mlops.yaml': 'models:\n  churn-model:\n    artifact: model.joblib\n',
    })
    execFileSync(PYTHON, ['-c', DATA], { cwd: project.dir })
    git('init', '-q', '-b', 'main')
    await project.mlops(['init', '--yes'])
    git('add', '-A')
    git('commit', '-qm', 'first')
    await track(['--seed', '42', '--tag', 'baseline'])
    await project.mlops(['register', 'churn-model', '--run', '@last'])
    // Another regulariser, committed; a larger step, on the command line; fewer rows; other images.
    project.write('train.py', project.read('train.py').replace('"l2"', '"l1"'))
    git('commit', '-qam', 'sparse')
    const rows = project.read('data/train.csv').split('\n')
    project.write('data/train.csv', `${rows.slice(0, 801).join('\n')}\n`)
    project.write('images/9.txt', 'nine')
    project.write('images/1.txt', 'other')
    rmSync(project.path('images/0.txt'))
    await track(['--seed', '7'], '--alpha', '0.5')
  })

  it('shows the two newest finished runs by default, in 80 columns, and only what differs', async () => {
    const { stdout } = await compare()
    // What is made of words is broken at the width of a terminal, and in a pipe never.
    const drawn = stdout.split('\n').filter((line) => !line.startsWith('same: '))
    assert.deepEqual(
      drawn.filter((line) => line.length > 80),
      [],
    )
    assert.match(stdout, /^same: .*data test.*packages, Python, host/m)
    assert.match(stdout, /^ {2}auc . +0\.\d+ +0\.\d+ +[-+]0\.\d+ \([-+][<\d.]+ %\) +A$/m)
    assert.match(stdout, /^ {2}alpha +0\.001 +0\.5 +\+0\.499$/m)
    assert.match(stdout, /^ {2}penalty +l2 +l1$/m)
    assert.doesNotMatch(stdout, /^ {2}epochs/m)
    assert.match(stdout, /^ {2}B python train\.py \{\+--alpha 0\.5\+\}$/m)
    assert.match(stdout, /^ {4}rows +900 +800 +-100$/m)
    assert.match(stdout, /^ {2}B images: 1 added, 1 removed, 1 changed, 1 the same$/m)
    assert.match(stdout, /^ {4}- 0\.txt\n {4}~ 1\.txt\n {4}\+ 9\.txt$/m)
    assert.match(stdout, /^ {2}commit +[0-9a-f]{12} +[0-9a-f]{12}$/m)
    assert.match(stdout, /^ {2}seed +42 +7$/m)
    assert.match(stdout, /^ {2}baseline +yes +-$/m)
    assert.match(stdout, /val_loss {2}\* A .* {2}o B /)
  })

  it('says everything as JSON, what is equal included', async () => {
    const data = await json()
    assert.deepEqual(
      data.differences[0].map(({ kind }: { kind: string }) => kind),
      ['code', 'data', 'seed', 'parameters', 'command'],
    )
    const auc = data.metrics.find(({ name }: { name: string }) => name === 'auc')
    assert.deepEqual([auc.better, auc.best], ['higher', [0]])
    assert.equal(auc.cells[1].difference, Number((auc.cells[1].value - auc.cells[0].value).toPrecision(12)))
    const loss = data.series.find(({ name }: { name: string }) => name === 'val_loss')
    assert.deepEqual([loss.cells[0].count, loss.cells[0].hasSteps, loss.cells[1].points.length], [12, true, 12])
    assert.equal(data.packages.verdict, 'same')
    assert.ok(
      data.packages.rows.some(({ name, same }: { name: string; same: boolean }) => name === 'scikit-learn' && same),
    )
    assert.ok(data.params.some(({ name, same }: { name: string; same: boolean }) => name === 'epochs' && same))
  })

  it('takes the run behind a version, and shows the real diff of the code', async () => {
    const [version] = (await json('churn-model@1', '@last')).runs
    assert.equal(version.version, 'churn-model@1')
    const shown = (await project.mlops(['run', 'show', 'churn-model@1', '--json'])).json
    assert.equal(shown.data.run, version.run)
    await project.mlops(['run', 'show', 'churn-model@7'], { code: 4 })
    project.write('train.py', project.read('train.py').replace('default=12', 'default=6'))
    await track(['--seed', '7'], '--alpha', '0.5')
    git('checkout', '-q', 'train.py')
    const before = git('status', '--porcelain')
    const { stdout } = await compare('churn-model@1', '@last', '--diff')
    assert.equal(git('status', '--porcelain'), before)
    assert.deepEqual(
      stdout.split('\n').filter((line) => /^[-+](?![-+])/.test(line)),
      [
        '-PENALTY = "l2"',
        '+PENALTY = "l1"',
        '-parser.add_argument("--epochs", type=int, default=12)',
        '+parser.add_argument("--epochs", type=int, default=6)',
      ],
    )
    assert.match(stdout, /uncommitted changes +none +1 file/)
  })

  it('says so where nothing differs but the time it took', async () => {
    await track(['--seed', '7'], '--alpha', '0.5')
    await track(['--seed', '7'], '--alpha', '0.5')
    const data = await json()
    assert.deepEqual(data.differences, [[]])
    assert.ok(data.metrics.every(({ same }: { same: boolean }) => same))
    const { stdout } = await compare()
    assert.doesNotMatch(stdout, /^(?:Metrics|Parameters|Data|Code|Packages|Environment|Artifacts)$/m)
    assert.match(stdout, /^same: 2 metrics, 3 parameters, command, data, code, packages/m)
    assert.match((await compare('--all')).stdout, /^ {2}scikit-learn +\d/m)
  })

  it('compares a failed run and one of an older writer, and says what is not known', async () => {
    await project.run(['track', '--', 'python', '-c', 'print("auc: 0.7"); raise SystemExit(3)'], { env })
    const { stdout } = await compare('@last~1', '@last')
    assert.match(stdout, /B failed: its values may be those of a part/)
    assert.match(stdout, /^ {2}exit code +0 +3/m)
    const outside = tempProject({})
    await outside.mlops(['init', '--yes'])
    for (const value of ['1', '2']) await outside.mlops(['track', '--', 'sh', '-c', `echo loss: ${value}`])
    const shell = await outside.mlops(['run', 'compare'])
    assert.match(shell.stdout, /^not known: Code: no run records a repository\.$/m)
    assert.match(shell.stdout, /^ {2}loss . +1 +2 +\+1 \(\+100 %\) +A$/m)
  })

  it('compares a run that goes on with one that was killed', async () => {
    const killed = 'import mlops, os; r = mlops.track("churn-model"); r.log_metric("auc", 0.5); os.kill(os.getpid(), 9)'
    const python = cleanEnv({ PYTHONPATH: join(ROOT, 'templates/python'), PYTHONDONTWRITEBYTECODE: '1' })
    assert.throws(() => execFileSync(PYTHON, ['-c', killed], { cwd: project.dir, env: python, stdio: 'ignore' }))
    const look = `${process.execPath} ${BINARY} run compare @last~1 @last > seen.txt`
    await project.mlops(['track', '--', 'sh', '-c', `echo auc: 0.75; sleep 1; ${look}`])
    const seen = project.read('seen.txt')
    assert.match(seen, /A was interrupted: its values are the last that it recorded\./)
    assert.match(seen, /B is still running: its values are those of now\./)
    assert.match(seen, /^ {2}auc . +0\.5 +0\.75 +\+0\.25 \(\+50 %\) +B$/m)
  })

  it('writes Markdown in which nothing of a user formats, and a page that opens by itself', async () => {
    await project.mlops(['track', '--param', 'note=<b>|*x*|</b>', '--', 'sh', '-c', 'true'])
    const markdown = (await compare('@last~1', '@last', '--markdown')).stdout
    assert.match(markdown, /^\| `note` \| - \| `<b>\\\|\*x\*\\\|<\/b>` \| added \|$/m)
    await compare('churn-model@1', '@last~2', '@last', '--diff', '--report', 'runs.html', '--report', 'runs.md')
    const page = project.read('runs.html')
    assert.match(page, /&lt;b&gt;\|\*x\*\|&lt;\/b&gt;/)
    assert.doesNotMatch(page, /<b>\||<script|https?:\/\/|src=/)
    assert.match(page, /<svg class="chart over"/)
    assert.match(project.read('runs.md'), /^```diff$/m)
  })

  it('draws that page in a browser: nothing is loaded, nothing overflows a phone, every text can be read', async function () {
    if (CHROMIUM === undefined) skipBecause(this, 'Chromium is not installed')
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    })
    try {
      const url = pathToFileURL(project.path('runs.html')).href
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [360, 1280]) {
          const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme })
          const problems: string[] = []
          page.on('console', (message) => problems.push(`console: ${message.text()}`))
          page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
          page.on('request', (request) => request.url() !== url && problems.push(`request: ${request.url()}`))
          await page.goto(url)
          const inPage = (name: string) => page.evaluate<unknown>(`${IN_PAGE.trim()}.${name}()`)
          assert.deepEqual(await inPage('widths'), [width, width])
          assert.deepEqual(await inPage('poorContrasts'), [])
          assert.deepEqual(await inPage('silentDrawings'), [])
          assert.equal(await page.locator('table:not(:has(thead th[scope=col]))').count(), 0)
          assert.equal((await page.locator('h1').innerText()).trim(), '3 runs, side by side')
          assert.deepEqual(problems, [])
          await page.close()
        }
      }
    } finally {
      await browser.close()
    }
  })

  it('says what is wrong with the names of runs', async () => {
    const refuse = async (code: number, ...args: string[]) => {
      const { json } = await project.mlops(['run', 'compare', ...args, '--json'], { code })
      return json.error?.code
    }
    assert.equal(await refuse(2, '@last'), 'TWO_RUNS_NEEDED')
    assert.equal(await refuse(2, ...Array.from({ length: 9 }, () => '@last')), 'TOO_MANY_RUNS')
    assert.equal(await refuse(4, '@last', 'churn-model@99'), 'VERSION_NOT_FOUND')
    assert.equal(await refuse(4, '--model', 'other'), 'TOO_FEW_RUNS')
    assert.equal(await refuse(2, '--report', 'runs.pdf'), 'REPORT_FORM_UNKNOWN')
    writeFileSync(project.path('plain.bin'), 'x')
    await project.mlops(['register', 'plain', '--artifact', 'plain.bin'])
    assert.equal(await refuse(4, '@last', 'plain@1'), 'VERSION_WITHOUT_RUN')
  })
})
