/** Flags of a command as parameters: by the rules of the program, which the Python client shares. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readArguments } from '../../../src/tracking/values/arguments.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { CLIENT, type Workshop, workshop } from './support.ts'

const read = (line: string): Record<string, unknown> =>
  Object.fromEntries(readArguments(line.split(' '), (word) => word === 'data/train.csv'))

/** Of Python programs, which both writers read; `\u00a0` stands for a space within a word. */
const OF_PYTHON: readonly (readonly [string, Record<string, unknown>])[] = [
  ['python train.py --max-depth 4 --lr=0.1', { max_depth: 4, lr: 0.1 }],
  ['python train.py --amp --epochs 3 --quiet', { amp: true, epochs: 3, quiet: true }],
  ['python -u -X dev train.py --name tree --offset -3', { name: 'tree', offset: -3 }],
  ['python -m pkg.train --depth 4', { depth: 4 }],
  ['python -m torch.distributed.run --nproc_per_node 2 train.py --depth 4', { depth: 4 }],
  ['python train.py --layers 64 32 --size 7', { layers: '64 32', size: 7 }],
  ['python train.py --depth 3 --depth 4 --use a --use b', { depth: 4, use: 'a b' }],
  [
    'python train.py lr=0.1 +model.depth=4 --multirun sweep=1,2 3x=4 -s a=',
    { lr: 0.1, 'model.depth': 4, multirun: true, sweep: '1,2', a: '' },
  ],
  [
    'python train.py --a 1e-3 --b .5 --c 007 --d 1e400 --e 9007199254740993 --f true --g null --h 1e3 --i 1.0',
    { a: 0.001, b: 0.5, c: '007', d: '1e400', e: '9007199254740993', f: true, g: null, h: 1000, i: 1 },
  ],
  ['python train.py --token [redacted] -- --depth 4', { token: '[redacted]' }],
  ['python -c print(1) --depth 4', {}],
  ['python -Bc print(1) --depth 4', {}],
  ['python', {}],
  ['python train.py -d 4 depth 5 --', {}],
  ['python train.py --name= --x.y 2 --__z 3', { name: '', 'x.y': 2 }],
]

describe('Flags of a command', () => {
  it('are parameters: names as argparse makes them, numbers as numbers', () => {
    for (const [line, expected] of OF_PYTHON) assert.deepEqual(read(line), expected, line)
  })

  it('count only behind the script, and never in the text of a shell', () => {
    for (const [line, expected] of [
      ['bash -c train.py --depth 4', {}],
      ['env A=1 bash -lc ./x.sh --depth 4', {}],
      ['bash train.sh --depth 4', { depth: 4 }],
      ['uv run --with pandas train.py --depth 4', { depth: 4 }],
      ['torchrun --nproc-per-node 2 train.py --depth 4', { depth: 4 }],
      ['Rscript train.R --depth 4', { depth: 4 }],
      ['make train --jobs 4', {}],
      ['docker run --gpus all image', {}],
      ['jupyter nbconvert --execute x.ipynb --to notebook', {}],
      ['./train --depth 4', { depth: 4 }],
      ['/opt/bin/train --depth=4 lr=1', { depth: 4, lr: 1 }],
    ] as const)
      assert.deepEqual(read(line), expected, line)
    assert.deepEqual(
      readArguments(['bash', 'python train.py', '--depth', '4'], () => false),
      [],
    )
  })

  it('leave out what names declared data', () => {
    assert.deepEqual(read('python train.py --train data/train.csv --test=data/train.csv x=data/train.csv --k 1'), {
      k: 1,
    })
  })

  it('are read alike by the Python client', function () {
    needsPython(this)
    const code = `import json, sys; sys.path.insert(0, ${JSON.stringify(CLIENT)})
from mlops._arguments import read_arguments
print(json.dumps([read_arguments(line.split(" ")) for line in json.load(sys.stdin)]))`
    const lines = OF_PYTHON.map(([line]) => line)
    const found = JSON.parse(execFileSync(PYTHON, ['-c', code], { input: JSON.stringify(lines), encoding: 'utf8' }))
    for (const [at, [line, expected]] of OF_PYTHON.entries()) assert.deepEqual(found[at], expected, line)
  })

  describe('of a run', () => {
    let shop: Workshop
    before(async () => {
      shop = await workshop({
        'data/train.csv': 'a\n1\n',
        'train.sh':
          'until grep -h argument "$MLOPS_RUN_DIR"/params/*.jsonl > seen 2> /dev/null; do sleep 0.05; done; echo \'{"params": {"depth": 5}}\'\n',
      })
    })
    after(() => shop?.remove())

    it('stand there from the start, without secrets, below everything else that is said of them', async () => {
      const words = ['--depth', '4', '--rate', '0.1', '--password', 'hunter2', '--train', 'data/train.csv', '--k=1']
      const run = await shop.track(['sh', 'train.sh', ...words], {
        params: { k: 2 },
        data: [{ name: 'train', path: 'data' }],
      })
      assert.deepEqual(run.end.params, { depth: 5, rate: 0.1, password: '[redacted]', k: 2 })
      assert.match(shop.read('seen'), /"depth"/)
      assert.doesNotMatch(shop.read('seen'), /hunter2/)
    })

    it('are those of a plain python train.py too', async function () {
      needsPython(this)
      shop.write('plain.py', 'import mlops\nwith mlops.track() as run:\n    run.log_param("depth", 6)\n')
      const env = { ...process.env, PYTHONPATH: CLIENT, MLOPS_STORE: '', MLOPS_RUN_ID: '' }
      execFileSync(PYTHON, ['plain.py', '--depth', '4', '--max-rate=0.5'], { cwd: shop.root, env })
      const [id = ''] = await shop.store.runs.list()
      assert.deepEqual((await shop.store.runs.read(id)).end?.params, { depth: 6, max_rate: 0.5 })
    })
  })
})
