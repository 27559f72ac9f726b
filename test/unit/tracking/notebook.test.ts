/** Notebooks: what a command executed is kept, with its outputs where it wrote them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findNotebooks } from '../../../src/tracking/capture/notebooks.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'
import { CLIENT, type Tracked, type Workshop, workshop } from './support.ts'

/** A notebook as Jupyter writes it, with one cell for each source. */
const notebook = (...sources: string[]): string =>
  JSON.stringify({
    cells: sources.map((source, at) => ({
      ...{ cell_type: 'code', id: `c${at}`, metadata: {}, source, outputs: [], execution_count: null },
    })),
    metadata: { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } },
    nbformat: 4,
    nbformat_minor: 5,
  })

describe('A command that executes a notebook', () => {
  it('is told by its words', () => {
    const named: [string, string[] | undefined][] = [
      ['jupyter nbconvert --to notebook --execute nb.ipynb', ['nb.ipynb']],
      ['jupyter-nbconvert --execute --inplace a/nb.ipynb', ['a/nb.ipynb']],
      ['jupyter nbconvert --to html nb.ipynb', undefined],
      ['jupyter execute a.ipynb b.ipynb', ['a.ipynb', 'b.ipynb']],
      ['python -m jupyter execute nb.ipynb', ['nb.ipynb']],
      ['python3 -m nbconvert --execute nb.ipynb', ['nb.ipynb']],
      ['uv run --with papermill papermill in.ipynb out.ipynb -p depth 3', ['in.ipynb', 'out.ipynb']],
      ['/opt/venv/bin/papermill in.ipynb s3://bucket/out.ipynb', ['in.ipynb']],
      ['python -m papermill in.ipynb', ['in.ipynb']],
      ['ipython nb.ipynb', ['nb.ipynb']],
      ['jupyter run nb.ipynb', ['nb.ipynb']],
      ['python train.py nb.ipynb', undefined],
      ['cat papermill.md', undefined],
      ['jupyter execute .ipynb', undefined],
    ]
    for (const [line, expected] of named) {
      assert.deepEqual(findNotebooks(line.split(' '))?.named, expected, line)
      if (!line.includes('-p')) assert.deepEqual(findNotebooks(['sh', '-c', `cd . && ${line}; echo`])?.named, expected)
    }
  })

  describe('run for real', () => {
    let shop: Workshop
    const bin = dirname(PYTHON)
    before(function () {
      needsPython(this)
      if (!existsSync(join(bin, 'jupyter-nbconvert'))) skipBecause(this, 'nbconvert is not in the Python environment')
    })
    beforeEach(async () => {
      shop = await workshop({ 'nb.ipynb': notebook('print(6 * 7)', 'import os; os.environ["MLOPS_RUN_ID"][:1]') })
    })
    afterEach(() => shop.remove())
    const track = async (command: string[], environment: Record<string, string> = {}): Promise<Tracked> => {
      const home = join(shop.root, '.home')
      mkdirSync(home, { recursive: true })
      const own = { PATH: `${bin}:${process.env.PATH}`, HOME: home, IPYTHONDIR: join(home, 'ipython') }
      return await shop.track(command, { environment: { ...own, ...environment } })
    }
    const kept = async (run: Tracked): Promise<[string, boolean][]> => {
      assert.equal(run.exitCode, 0, run.stderr)
      const texts = run.end.artifacts.map(async ({ path, sha256 }): Promise<[string, boolean]> => {
        const text = (await shop.store.objects.read(sha256)).toString()
        return [path, /^.*\b42\b/m.test(text)]
      })
      return (await Promise.all(texts)).sort()
    }

    it('keeps what nbconvert wrote, whatever it was called', async () => {
      assert.deepEqual(await kept(await track(['jupyter', 'nbconvert', '--to', 'notebook', '--execute', 'nb.ipynb'])), [
        ['nb.nbconvert.ipynb', true],
      ])
      const named = ['--to', 'notebook', '--execute', 'nb.ipynb', '--output', 'done', '--output-dir', 'out']
      assert.deepEqual(await kept(await track(['python', '-m', 'nbconvert', ...named])), [['out/done.ipynb', true]])
      const inPlace = await track(['sh', '-c', 'jupyter nbconvert --execute --to notebook --inplace nb.ipynb'])
      assert.deepEqual(await kept(inPlace), [['nb.ipynb', true]])
    })

    it('keeps the page that nbconvert made of it beside the notebook', async () => {
      const run = await track(['jupyter', 'nbconvert', '--to', 'html', '--execute', 'nb.ipynb'])
      assert.deepEqual(await kept(run), [
        ['nb.html', true],
        ['nb.ipynb', false],
      ])
    })

    it('keeps what was executed where nothing was written, and what `jupyter execute` wrote', async () => {
      assert.deepEqual(await kept(await track(['jupyter', 'execute', 'nb.ipynb'])), [['nb.ipynb', false]])
      assert.deepEqual(await kept(await track(['jupyter', 'execute', '--output', 'x_{notebook_name}', 'nb.ipynb'])), [
        ['x_nb.ipynb', true],
      ])
      assert.deepEqual(await kept(await track(['jupyter', 'execute', '--output=done.ipynb', 'nb.ipynb'])), [
        ['done.ipynb', true],
      ])
      assert.deepEqual(await kept(await track(['ipython', 'nb.ipynb'])), [['nb.ipynb', false]])
    })

    it('keeps it once where it is named as an artifact too, and also when a cell fails', async () => {
      const run = await shop.track(['jupyter', 'execute', '--inplace', 'nb.ipynb'], {
        artifacts: ['*.ipynb'],
        environment: { PATH: `${bin}:${process.env.PATH}` },
      })
      assert.deepEqual(await kept(run), [['nb.ipynb', true]])
      shop.write('bad.ipynb', notebook('print(42)', '1/0'))
      const failed = await track(['jupyter', 'execute', 'bad.ipynb'])
      assert.deepEqual([failed.end.status, failed.end.artifacts.map(({ path }) => path)], ['failed', ['bad.ipynb']])
    })

    it('keeps none that is larger than 64 MiB, and says so', async () => {
      shop.write('nb.ipynb', notebook('print(42)').replace('print(42)', `print(42) #${'x'.repeat((64 << 20) + 1)}`))
      const run = await track(['sh', '-c', ': jupyter execute nb.ipynb'])
      assert.deepEqual(run.end.artifacts, [])
      assert.match(run.warnings.join(), /notebook nb\.ipynb was not kept: it has more than 64 MiB/)
    })

    it('whose kernel starts a run by itself keeps the notebook and the cells in it', async () => {
      shop.write(
        'own.ipynb',
        notebook(
          `import sys; sys.path.insert(0, ${JSON.stringify(CLIENT)})\nimport mlops\nrun = mlops.start()`,
          'run.log_metric("auc", 0.9)\npassword = "hunter2hunter2"',
          'run.end()',
        ),
      )
      const script = join(mkdtempSync(join(tmpdir(), 'mlops-nb-')), 'serve.py')
      // As a Jupyter server starts a kernel: with the path of the notebook in its environment.
      writeFileSync(
        script,
        `import os, nbformat, nbclient
os.environ["JPY_SESSION_NAME"] = os.path.abspath("own.ipynb")
nbclient.NotebookClient(nbformat.read("own.ipynb", 4)).execute()
`,
      )
      try {
        const { execFileSync } = await import('node:child_process')
        execFileSync(PYTHON, [script], {
          cwd: shop.root,
          stdio: 'pipe',
          env: { ...process.env, MLOPS_STORE: shop.store.root },
        })
      } finally {
        rmSync(dirname(script), { recursive: true })
      }
      const [id = ''] = await shop.store.runs.list()
      const { end } = await shop.store.runs.read(id)
      const paths = end?.artifacts.map(({ path }) => path).sort()
      assert.deepEqual(paths, ['notebook-cells.py', 'own.ipynb'])
      const cells = end?.artifacts.find(({ path }) => path === 'notebook-cells.py')
      const text = (await shop.store.objects.read(cells?.sha256 ?? '')).toString()
      assert.ok(text.includes('run.log_metric("auc", 0.9)') && !text.includes('hunter2'), text)
    })
  })
})
